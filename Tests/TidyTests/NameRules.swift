// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// Names that would bring the real clock, real chance or the real network past World's seams, and what to write
/// instead.
enum NameRules {
    struct Forbidden: Sendable {
        /// As it stands in code.
        var name: String
        var instead: String
        /// Folders and files where it may stand.
        var exceptions: [String] = []
        /// Also in tests.
        var includesTests = false
    }

    private static let edge = "Sources/CommandLine"
    private static let world = "Sources/World"
    /// The one place that asks again and again whether another process or thread has got there.
    private static let poll = "Tests/GatewayTests/Proxy/Loopback/ScriptedUpstream.swift"

    static let all: [Forbidden] = [
        Forbidden(name: "NIODeadline.now", instead: "eventLoop.now", exceptions: [world, edge]),
        Forbidden(name: "Date()", instead: "world.wallClock", exceptions: [world], includesTests: true),
        Forbidden(name: "ContinuousClock", instead: "eventLoop.now", exceptions: [world]),
        Forbidden(name: "SuspendingClock", instead: "eventLoop.now", exceptions: [world]),
        Forbidden(name: "DispatchTime", instead: "eventLoop.now", exceptions: [world]),
        // The supervisor's threads have no event loop; its clock is that of all loops.
        Forbidden(name: "clock_gettime(", instead: "eventLoop.now", exceptions: [world, "Sources/Chaos/Topology"]),
        Forbidden(name: "gettimeofday(", instead: "world.wallClock"),
        Forbidden(
            name: ".random(in:", instead: "world.random.stream(\"name\")", exceptions: [world], includesTests: true),
        Forbidden(name: ".random()", instead: "world.random.stream(\"name\")", includesTests: true),
        Forbidden(name: ".randomElement()", instead: "a draw of world.random.stream(\"name\")", includesTests: true),
        Forbidden(
            name: ".shuffled()", instead: ".shuffled(using: &stream) with a stream of World", includesTests: true),
        Forbidden(name: "UUID()", instead: "RandomStream.uuid()", exceptions: [world]),
        Forbidden(
            name: "SystemRandomNumberGenerator", instead: "world.random.stream(\"name\")", exceptions: [world],
            includesTests: true),
        Forbidden(name: "Task.sleep", instead: "eventLoop.scheduleTask", includesTests: true),
        Forbidden(
            name: "Thread.sleep", instead: "eventLoop.scheduleTask, or a signal that is waited for", includesTests: true
        ),
        Forbidden(
            name: "usleep(", instead: "eventLoop.scheduleTask, or a signal that is waited for", exceptions: [poll],
            includesTests: true),
        Forbidden(
            name: "nanosleep(", instead: "eventLoop.scheduleTask, or a signal that is waited for", includesTests: true),
        // EventLoopGroup asks for one.
        Forbidden(
            name: "DispatchQueue", instead: "an event loop", exceptions: ["Sources/World/Real/Loop"],
            includesTests: true),
        Forbidden(name: "ServerBootstrap", instead: "world.network.listen", exceptions: [world]),
        Forbidden(name: "ClientBootstrap", instead: "world.network.connect", exceptions: [world]),
        Forbidden(name: "DatagramBootstrap", instead: "a method of World's Network", exceptions: [world]),
        Forbidden(name: "MultiThreadedEventLoopGroup", instead: "world.loops", exceptions: [world]),
        Forbidden(name: "getaddrinfo", instead: "world.network.resolve", exceptions: [world]),
        Forbidden(name: "makeAddressResolvingHost", instead: "world.network.resolve", exceptions: [world]),
        Forbidden(
            name: "IdleStateHandler", instead: "Wire's Deadline: this handler compares with the real clock",
            includesTests: true),
        Forbidden(
            name: ".wait()", instead: "flatMap or whenComplete; the command line may wait", exceptions: [edge, world]),
        Forbidden(name: "fatalError(", instead: "an error value, or precondition with the state in its message"),
    ]

    static func findings(in file: SourceFile) -> [Finding] {
        guard file.isSwift, file.isIn("Sources") || file.isIn("Tests") else { return [] }
        let rules = all.filter { rule in
            (rule.includesTests || file.isIn("Sources")) && !rule.exceptions.contains(where: file.isIn)
                && file.codeText.contains(rule.name)
        }
        return file.code.enumerated().flatMap { index, line in
            rules.filter { contains(line, $0.name) }.map {
                Finding(file, line: index + 1, "\($0.name) is forbidden here; use \($0.instead)")
            }
        }
    }

    /// `name` in `line`, and not as the end of a longer word.
    private static func contains(_ line: String, _ name: String) -> Bool {
        guard let range = line.range(of: name) else { return false }
        guard name.first != ".", range.lowerBound > line.startIndex else { return true }
        let before = line[line.index(before: range.lowerBound)]
        return !(before.isLetter || before.isNumber || before == "_")
    }

    /// Ways around the compiler's checks: each needs its proof in the comment above it.
    private static let unproven = ["@unchecked Sendable", "nonisolated(unsafe)", "try!", "fatalError("]

    static func findingsWithoutProof(in file: SourceFile) -> [Finding] {
        guard file.isSwift else { return [] }
        let unproven = unproven.filter(file.codeText.contains)
        return file.code.enumerated().flatMap { index, line in
            unproven.filter { line.contains($0) && !hasProof(file, above: index) }.map {
                Finding(
                    file, line: index + 1, "\($0) without a comment '// Proof: …' above it; write why it is safe")
            }
        }
    }

    private static func hasProof(_ file: SourceFile, above index: Int) -> Bool {
        var above = index - 1
        while above >= 0, file.lines[above].contains(/^\s*(\/\/|@)/) {
            if file.lines[above].contains("Proof:") { return true }
            above -= 1
        }
        return false
    }
}
