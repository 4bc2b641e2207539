// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// What each folder may import. Modules stand lowest first; imports only point down.
enum ImportRules {
    private static let modules = [
        "Defects", "Certificates", "CPlatform", "COpenSSL", "Document", "World", "DNS", "OpenSSL", "Wire", "Gateway",
        "MockAPI", "Chaos", "gatecrash",
    ]

    /// The modules of this package that a folder may import.
    private static let allowed: [(folder: String, modules: [String])] = [
        // Only there when it is asked for (Package.swift), and only for those that can be broken.
        ("Sources/Defects", []),
        ("Sources/CPlatform", []),
        ("Sources/Certificates", []),
        ("Sources/Document", []),
        ("Sources/World", ["CPlatform"]),
        ("Sources/DNS", ["Defects", "World"]),
        ("Sources/OpenSSL", ["COpenSSL"]),
        ("Sources/Wire", ["Defects", "World"]),
        ("Sources/Gateway", ["Defects", "Certificates", "CPlatform", "Document", "World", "DNS", "Wire"]),
        // Never the gateway: a gateway's bug must not hide in its own oracle.
        ("Sources/MockAPI", ["Defects", "Certificates", "CPlatform", "Document", "World", "OpenSSL", "Wire"]),
        (
            "Sources/Chaos",
            [
                "Defects", "Certificates", "CPlatform", "Document", "World", "DNS", "OpenSSL", "Wire", "Gateway",
                "MockAPI",
            ]
        ),
        (
            "Sources/CommandLine",
            [
                "Certificates", "CPlatform", "Document", "World", "DNS", "OpenSSL", "Wire", "Gateway", "MockAPI",
                "Chaos",
            ]
        ),
        ("Tests/CertificatesTests", ["Certificates"]),
        ("Tests/DNSTests", ["World", "DNS"]),
        ("Tests/OpenSSLTests", ["Certificates", "OpenSSL"]),
        ("Tests/DocumentTests", ["Document"]),
        ("Tests/WorldTests", ["World", "CPlatform"]),
        ("Tests/WireTests", ["Certificates", "World", "Wire"]),
        ("Tests/GatewayTests", ["Certificates", "Document", "World", "DNS", "OpenSSL", "Wire", "Gateway"]),
        ("Tests/MockAPITests", ["Certificates", "Document", "World", "OpenSSL", "Wire", "MockAPI"]),
        ("Tests/TidyTests", []),
    ]

    /// Modules from elsewhere that only some folders may import, and what the others do instead.
    private static let reserved: [(modules: [String], folders: [String], advice: String)] = [
        (["NIOPosix"], ["Sources/World/Real"], "take loops and sockets from World"),
        (
            ["NIOTestUtils", "NIOHTTP1", "Testing"], ["Tests"],
            "it belongs to tests; Sources/Wire is the HTTP/1.1 here"
        ),
        (["NIOEmbedded"], ["Tests", "Benchmarks"], "its clock stands still; take loops from World"),
        (["Yams"], ["Sources/Document"], "use DocumentNode"),
        (["X509", "SwiftASN1", "CryptoExtras", "_CryptoExtras"], ["Sources/Certificates"], "use Certificates"),
        (["ArgumentParser"], ["Sources/CommandLine"], "command lines are read in Sources/CommandLine"),
        (
            ["Foundation", "FoundationXML", "FoundationNetworking"], ["Tests"],
            "use FoundationEssentials at most: start-up time and memory"
        ),
        (["XCTest"], [], "use Testing"),
        (["Dispatch", "DispatchQueue"], ["Sources/World/Real/Loop"], "use an event loop"),
        (
            ["CPlatform"], ["Sources/World", "Sources/Chaos/Topology", "Sources/CommandLine", "Tests"],
            "go through World"
        ),
    ]

    static func findings(in file: SourceFile) -> [Finding] {
        guard file.isSwift else { return [] }
        return imports(in: file).flatMap { line, module -> [Finding] in
            var found: [Finding] = []
            if modules.contains(module), let folder = allowed.first(where: { file.isIn($0.folder) }),
                !folder.modules.contains(module)
            {
                found.append(
                    Finding(
                        file, line: line,
                        "\(folder.folder) must not import \(module): imports only point down; "
                            + (folder.modules.isEmpty
                                ? "it imports none of ours" : "it may import \(list(folder.modules))")))
            }
            for rule in reserved where rule.modules.contains(module) && !rule.folders.contains(where: file.isIn) {
                let owners = rule.folders.isEmpty ? "nobody imports" : "only \(list(rule.folders)) imports"
                found.append(Finding(file, line: line, "\(owners) \(module); \(rule.advice)"))
            }
            return found
        }
    }

    /// The module of each import, with its line.
    private static func imports(in file: SourceFile) -> [(line: Int, module: String)] {
        file.code.enumerated().compactMap { index, line in
            guard line.contains("import "),
                let match = line.firstMatch(of: /^\s*(?:@\w+\s+)*(?:[a-z]+\s+)?import\s+(?:[a-z]+\s+)?(\w+)/)
            else { return nil }
            return (index + 1, String(match.1))
        }
    }

    private static func list(_ names: [String]) -> String { names.joined(separator: ", ") }
}
