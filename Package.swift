// swift-tools-version: 6.2
import PackageDescription

/// Continuous integration sets GATECRASH_WARNINGS_AS_ERRORS; a person on a newer compiler is not stopped by a warning.
let strict: [SwiftSetting] =
    Context.environment["GATECRASH_WARNINGS_AS_ERRORS"] == nil ? [] : [.treatAllWarnings(as: .error)]
/// ci/fuzz sets it: the fuzzer needs flags that no other build has, and wants every check.
let isFuzzed = Context.environment["GATECRASH_FUZZ"] != nil
/// What the request path gains by in a release (docs/performance.md): small functions are inlined over the borders of
/// our modules, and accesses to class members are not checked for exclusivity while running; debug builds, and so all
/// tests, check them.
let optimized: [SwiftSetting] =
    isFuzzed
    ? []
    : [.unsafeFlags(["-cross-module-optimization", "-enforce-exclusivity=unchecked"], .when(configuration: .release))]
let swiftSettings: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
    ] + strict + optimized

let nio: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let posix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let tls: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let tlsEvents: Target.Dependency = .product(name: "NIOTLS", package: "swift-nio")
let http2: Target.Dependency = .product(name: "NIOHTTP2", package: "swift-nio-http2")
let hpack: Target.Dependency = .product(name: "NIOHPACK", package: "swift-nio-http2")
let x509: Target.Dependency = .product(name: "X509", package: "swift-certificates")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let cryptoExtras: Target.Dependency = .product(name: "_CryptoExtras", package: "swift-crypto")
let asn1: Target.Dependency = .product(name: "SwiftASN1", package: "swift-asn1")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let collections: Target.Dependency = .product(name: "OrderedCollections", package: "swift-collections")
let deques: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let histogram: Target.Dependency = .product(name: "Histogram", package: "hdrhistogram-swift")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "gatecrash",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "gatecrash", targets: ["gatecrash"]),
        // For the micro-benchmarks, a package of their own under Benchmarks.
        .library(name: "HotPath", targets: ["HotPath", "AllocationCounter"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-http2.git", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-certificates.git", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-asn1.git", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections.git", from: "1.6.0"),
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift.git", from: "0.2.0"),
    ],
    targets: [
        // Lowest first; a target imports only what stands above it (Tests/TidyTests checks it).
        .target(name: "CPlatform"),
        .target(name: "Document", dependencies: [yams, collections], swiftSettings: swiftSettings),
        .target(
            name: "Certificates", dependencies: [x509, crypto, cryptoExtras, asn1], swiftSettings: swiftSettings),
        .target(name: "World", dependencies: ["CPlatform", nio, posix], swiftSettings: swiftSettings),
        .target(name: "DNS", dependencies: ["World", nio], swiftSettings: swiftSettings),
        .target(
            name: "Wire", dependencies: ["World", nio, tls, tlsEvents, http2, hpack, crypto],
            swiftSettings: swiftSettings),
        .target(
            name: "Gateway",
            dependencies: [
                "Certificates", "Document", "World", "DNS", "Wire", nio, tls, tlsEvents, collections, deques, crypto,
            ],
            swiftSettings: swiftSettings),
        // Debian's own OpenSSL, for the peers of the gateway, which has BoringSSL: a bug that both have is less likely.
        .systemLibrary(
            name: "COpenSSL", pkgConfig: "openssl",
            providers: [.apt(["libssl-dev", "pkg-config"]), .brew(["openssl@3"])]),
        .target(name: "OpenSSL", dependencies: ["COpenSSL", nio, tlsEvents], swiftSettings: swiftSettings),
        .target(
            name: "MockAPI", dependencies: ["Certificates", "Document", "World", "OpenSSL", "Wire", nio],
            swiftSettings: swiftSettings),
        .target(
            name: "Chaos",
            dependencies: [
                "Certificates", "CPlatform", "Document", "World", "DNS", "Wire", "Gateway", "OpenSSL", "MockAPI", nio,
                tls, hpack,
                collections, deques, histogram,
            ],
            swiftSettings: swiftSettings),
        .executableTarget(
            name: "gatecrash",
            dependencies: ["OpenSSL", "Document", "World", "Wire", "Gateway", "MockAPI", "Chaos", arguments],
            path: "Sources/CommandLine", swiftSettings: swiftSettings,
            // One file that starts without looking for the libraries of a toolchain, and calls them directly. Objects
            // that were compiled for the shared Foundation do not name the library that the static one stands on.
            linkerSettings: [
                .unsafeFlags(
                    [
                        "-static-stdlib", "-lCoreFoundation", "-l_FoundationCShims", "-l_FoundationCollections",
                        "-l_FoundationICU",
                    ], .when(platforms: [.linux], configuration: .release))
            ]),

        .testTarget(name: "DocumentTests", dependencies: ["Document"], swiftSettings: swiftSettings),
        .testTarget(
            name: "DNSTests",
            dependencies: ["DNS", "World", .product(name: "NIOEmbedded", package: "swift-nio")],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "OpenSSLTests",
            dependencies: [
                "OpenSSL", "Certificates", nio, tls, tlsEvents, .product(name: "NIOEmbedded", package: "swift-nio"),
            ], swiftSettings: swiftSettings),
        .testTarget(
            name: "CertificatesTests", dependencies: ["Certificates", tls], swiftSettings: swiftSettings),
        .testTarget(name: "WorldTests", dependencies: ["CPlatform", "World"], swiftSettings: swiftSettings),
        .testTarget(
            name: "WireTests",
            dependencies: [
                "Wire", "World", http2, hpack, .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ], swiftSettings: swiftSettings),
        // A gateway without sockets and without real time.
        .target(
            name: "GatewayHarness",
            dependencies: [
                "Gateway", "World", "Wire", nio, .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            path: "Tests/GatewayHarness", swiftSettings: swiftSettings),
        .testTarget(
            name: "GatewayTests",
            dependencies: [
                "Certificates", "GatewayHarness", "Gateway", "DNS", "Document", "World", "Wire", "OpenSSL",
                "gatecrash", tls, http2,
                hpack,
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            resources: [.copy("Data")], swiftSettings: swiftSettings),
        .testTarget(
            name: "MockAPITests",
            dependencies: ["MockAPI", "Certificates", "Document", "World", "OpenSSL", "Wire", tls],
            swiftSettings: swiftSettings),
        // A supervisor and a supervised child for the tests of process supervision to start and to kill.
        .executableTarget(
            name: "supervision-fixture", dependencies: ["Chaos"], path: "Tests/SupervisionFixture",
            swiftSettings: swiftSettings),
        .testTarget(
            name: "ChaosTests",
            dependencies: [
                "Certificates", "Chaos", "DNS", "Document", "World", "Wire", "supervision-fixture", "gatecrash",
                hpack, .product(name: "NIOEmbedded", package: "swift-nio"),
            ],
            exclude: ["Data"], swiftSettings: swiftSettings),
        // What the micro-benchmarks and the counting of allocations run.
        .target(
            name: "HotPath",
            dependencies: ["World", "Wire", "Gateway", nio, .product(name: "NIOEmbedded", package: "swift-nio")],
            path: "Benchmarks/HotPath", swiftSettings: swiftSettings),
        .target(name: "AllocationCounter", path: "Benchmarks/AllocationCounter"),
        .testTarget(
            name: "HotPathTests", dependencies: ["HotPath", "AllocationCounter"], swiftSettings: swiftSettings),
        .testTarget(name: "TidyTests", swiftSettings: swiftSettings),
        .testTarget(
            name: "ScenarioTests", dependencies: ["Chaos", "gatecrash"], path: "Tests/Scenarios",
            exclude: ["files", "defects.tsv"], swiftSettings: swiftSettings),
    ],
    swiftLanguageModes: [.v6]
)

// Mistakes on purpose, by which ci/defects shows that the scenarios find them; no other build has any.
if Context.environment["GATECRASH_DEFECTS"] != nil {
    package.targets.append(.target(name: "Defects", swiftSettings: swiftSettings))
    for target in package.targets where ["DNS", "Wire", "Gateway", "MockAPI", "Chaos"].contains(target.name) {
        target.dependencies.append("Defects")
        target.swiftSettings = (target.swiftSettings ?? []) + [.define("GATECRASH_DEFECTS")]
    }
}

if isFuzzed {
    package.targets += [
        .target(name: "CFuzz", path: "Fuzz/CFuzz"),
        .executableTarget(
            name: "gatecrash-fuzz", dependencies: ["CFuzz", "GatewayHarness"], path: "Fuzz/Program",
            swiftSettings: swiftSettings,
            // The usual linker ends with an internal error over what the fuzzer adds.
            linkerSettings: [.unsafeFlags(["-use-ld=lld"], .when(platforms: [.linux]))]),
    ]
}
