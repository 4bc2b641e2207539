// swift-tools-version: 6.1
import PackageDescription

/// The micro-benchmarks: `cd Benchmarks && swift package benchmark`. A package of its own, so that nobody who builds
/// Gatecrash fetches or builds what they need.
let package = Package(
    name: "Benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "gatecrash", path: ".."),
        // Without its traits: they put a heap and a runtime of their own in front of what is to be measured.
        .package(url: "https://github.com/ordo-one/benchmark.git", from: "1.38.1", traits: []),
    ],
    targets: [
        .executableTarget(
            name: "HotPathBenchmarks",
            dependencies: [
                .product(name: "HotPath", package: "gatecrash"), .product(name: "Benchmark", package: "benchmark"),
            ],
            path: "Benchmarks/HotPathBenchmarks",
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")])
    ]
)
