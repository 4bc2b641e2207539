// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Foundation
import Testing

/// `gatecrash bench` as a person starts it: what is printed where, and the exit code.
@Suite(.serialized, .timeLimit(.minutes(2))) struct BenchCommandTests {
    struct Outcome {
        var code: Int32
        var output: String
        /// Lines of stderr.
        var complaints: [String]
    }

    /// Runs the program to its end.
    ///
    /// - Parameter interruptAfter: sends SIGINT when this has been printed.
    static func bench(_ arguments: [String], interruptAfter: String? = nil) throws -> Outcome {
        let process = Process()
        let (output, errors) = (Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: ScenarioTests.program)
        process.arguments = ["bench"] + arguments
        process.standardOutput = output
        process.standardError = errors
        process.standardInput = FileHandle.nullDevice
        try process.run()
        var printed = Data()
        if let interruptAfter {
            while !String(decoding: printed, as: UTF8.self).contains(interruptAfter),
                let more = try output.fileHandleForReading.read(upToCount: 1), !more.isEmpty
            {
                printed += more
            }
            process.interrupt()
        }
        printed += output.fileHandleForReading.readDataToEndOfFile()
        let complaints = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Outcome(
            code: process.terminationStatus, output: String(decoding: printed, as: UTF8.self),
            complaints: String(decoding: complaints, as: UTF8.self).split(separator: "\n").map(String.init))
    }

    /// A mock API of this test's own.
    static func withMock(_ arguments: [String] = [], _ body: (_ url: String, _ pid: Int32) throws -> Void) throws {
        let mock = Process()
        let log = Pipe()
        mock.executableURL = URL(fileURLWithPath: ScenarioTests.program)
        mock.arguments = ["mock", "--port", "0"] + arguments
        mock.standardError = log
        mock.standardOutput = FileHandle.nullDevice
        try mock.run()
        defer {
            mock.terminate()
            mock.waitUntilExit()
        }
        var line = Data()
        while let byte = try log.fileHandleForReading.read(upToCount: 1), byte != Data("\n".utf8), !byte.isEmpty {
            line += byte
        }
        let text = String(decoding: line, as: UTF8.self)
        let start = try #require(text.firstRange(of: "http://")?.lowerBound, "not ready: \(text)")
        let address = text[start...].dropFirst(7).prefix { $0.isNumber || $0 == "." || $0 == ":" }
        try body("http://" + (address.last == ":" ? address.dropLast() : address) + "/hello", mock.processIdentifier)
    }

    /// A gateway of this test's own with a listener for TLS, in front of a mock API.
    ///
    /// - Parameters:
    ///   - body: gets `https://127.0.0.1:PORT/hello`.
    static func withEncryptedGateway(_ body: (_ url: String) throws -> Void) throws {
        try withMock { mock, _ in
            try withFolder { folder in
                let file = folder.appending(path: "kong.yml")
                try """
                _format_version: "3.0"
                services: [{name: api, url: "\(mock)", routes: [{paths: [/hello]}]}]
                """.write(to: file, atomically: true, encoding: .utf8)
                let gateway = Process()
                let output = Pipe()
                gateway.executableURL = URL(fileURLWithPath: ScenarioTests.program)
                gateway.arguments = [
                    "gateway", "--config", file.path, "--proxy-listen", "127.0.0.1:0 ssl", "--admin-listen",
                    "127.0.0.1:0", "--status-listen", "off",
                ]
                gateway.standardError = output
                gateway.standardOutput = FileHandle.nullDevice
                try gateway.run()
                defer {
                    gateway.terminate()
                    gateway.waitUntilExit()
                }
                var line = Data()
                while let byte = try output.fileHandleForReading.read(upToCount: 1), byte != Data("\n".utf8),
                    !byte.isEmpty
                { line += byte }
                let text = String(decoding: line, as: UTF8.self)
                let start = try #require(text.firstRange(of: "https://")?.lowerBound, "not ready: \(text)")
                try body(String(text[start...].prefix { $0 != "," && $0 != " " }) + "/hello")
            }
        }
    }

    static func withFolder(_ body: (URL) throws -> Void) throws {
        let folder = try FileManager.default.url(
            for: .itemReplacementDirectory, in: .userDomainMask, appropriateFor: FileManager.default.temporaryDirectory,
            create: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }

    private static let short = ["--rounds", "1", "--duration", "200ms", "--warmup", "20ms", "-c", "4"]

    @Test(
        arguments: [
            (["htpp://127.0.0.1:1/"], 2, "did you mean http://127.0.0.1:1/?"),
            (["127.0.0.1:1"], 2, "`127.0.0.1:1` is no URL; write http://127.0.0.1:1"),
            (["http://127.0.0.1:1/", "--expect", "p99 < 5mss"], 2, "--expect 'p99 < 5mss': column 7: "),
            (["http://127.0.0.1:1/", "--duration", "5"], 2, "--duration: `5` has no unit; write 5s"),
            (["http://192.0.2.1/"], 2, "192.0.2.1 is not this machine; load goes elsewhere only with --allow-remote"),
            (["http://127.0.0.1:1/"], 3, "http://127.0.0.1:1/: connection refused: nobody listens there"),
            (
                ["http://127.0.0.1:1/", "--json", "/no-such-folder/a.json"], 2,
                "/no-such-folder/a.json: cannot be written"
            ),
            (["http://127.0.0.1:1/", "--baseline", "/no-such-file"], 2, "/no-such-file: "),
            (["http://127.0.0.1:1/", "--body-file", "/no-such-file"], 2, "/no-such-file: "),
            (["http://127.0.0.1:1/", "--replay", "/no-such-file"], 2, "/no-such-file: "),
        ] as [([String], Int32, String)])
    func `bad input is one clear line and an exit code`(arguments: [String], code: Int32, part: String) throws {
        let outcome = try Self.bench(arguments)
        #expect(outcome.code == code && outcome.complaints.count == 1, "\(outcome)")
        #expect(outcome.complaints.first?.hasPrefix("gatecrash: ") == true)
        #expect(outcome.complaints.first?.contains(part) == true, "\(outcome.complaints)")
    }

    @Test func `any server is measured, and everything can be written to files`() throws {
        try Self.withMock { url, pid in
            try Self.withFolder { folder in
                let files = ["json", "md", "html"].map { folder.appending(path: "result.\($0)").path }
                let outcome = try Self.bench(
                    [
                        "mock=\(url)", "--requests", "500", "--rounds", "2", "-c", "8", "--warmup", "0s", "--pid",
                        "mock=\(pid)", "--json", files[0], "--markdown", files[1], "--html", files[2], "--seed", "7",
                        "--expect", "ok == 100%, requests == 1000", "--expect", "p99 < 10s", "-H", "X-A: b",
                    ])
                #expect(outcome.code == 0 && outcome.complaints == [], "\(outcome)")
                #expect(outcome.output.contains("  round 2/2  mock  ") && outcome.output.contains("✓ requests == 1000"))
                let json = try JSONValue(parsing: Data(contentsOf: URL(fileURLWithPath: files[0])))
                let subject = try #require(json["subjects"]?.arrayValue?.first)
                #expect(json["seed"] == "7" && json["result"] == "pass" && subject["rounds"]?.arrayValue?.count == 2)
                #expect(subject["total"]?["requests"] == 1000 && subject["statuses"]?["200"] == 1000)
                #expect(subject["total"]?["processes"]?["mock"]?["rss_bytes"]?.intValue ?? 0 > 1_000_000)
                #expect(subject["total"]?["cpu"]?.doubleValue ?? 0 > 1000)
                #expect(try String(contentsOfFile: files[1], encoding: .utf8).contains("| mock | 1,000 |"))
                #expect(try String(contentsOfFile: files[2], encoding: .utf8).contains("</html>"))
                let again = try Self.bench([
                    "mock=\(url)", "--requests", "100", "--rounds", "2", "--warmup", "0s", "--baseline", files[0], "-q",
                ])
                #expect(again.code == 0 && again.output.contains("too few rounds to tell"), "\(again)")
                #expect(!again.output.contains("round 1/2"))
            }
        }
    }

    @Test func `a gateway is measured through its TLS listener`() throws {
        try Self.withEncryptedGateway { url in
            let outcome = try Self.bench(
                [
                    url, "--insecure", "--requests", "200", "--rounds", "1", "-c", "4", "--warmup", "0s", "--expect",
                    "ok == 100%, requests == 200",
                ])
            #expect(outcome.code == 0 && outcome.complaints == [], "\(outcome)")
            #expect(outcome.output.contains("✓ requests == 200"))
            // Nobody vouches for the gateway's own certificate, and bench asks unless it is told not to.
            let verified = try Self.bench([url] + Self.short)
            #expect(verified.code == 3 && verified.complaints.count == 1, "\(verified)")
            let complaint = try #require(verified.complaints.first)
            #expect(complaint.hasPrefix("gatecrash: \(url): the TLS handshake failed"), "\(complaint)")
            #expect(complaint.contains("--cacert, or --insecure"), "\(complaint)")
            // Plain HTTP where TLS is spoken is answered, with a status that is no success.
            let plain = try Self.bench([url.replacing("https://", with: "http://")] + Self.short)
            #expect(plain.code == 1 && plain.complaints.first?.contains("bad status") == true, "\(plain)")
        }
    }

    @Test func `without a URL the gateway is compared with its backend`() throws {
        let outcome = try Self.bench(Self.short + ["--expect", "gateway.ok == 100%, direct.rps > 1, overhead > 0.01"])
        #expect(outcome.code == 0 && outcome.complaints == [], "\(outcome)")
        for part in ["  direct  ", "  gateway  ", "overhead of gateway over direct, 1 round: p50 x", "CPU/request"] {
            #expect(outcome.output.contains(part), "\(part) in \(outcome.output)")
        }
    }

    @Test(arguments: [
        (["--close", "mid body"], "closed mid-body x "), (["--close", "before head"], "closed before the answer x "),
        (["--error-rate", "1"], "bad status x "), (["--hang", "true"], "timeout x "),
    ])
    func `a server that fails is told by kind, with what was measured`(mock: [String], kind: String) throws {
        try Self.withMock(mock) { url, _ in
            let outcome = try Self.bench([url, "--timeout", "100ms"] + Self.short)
            #expect(outcome.code == 1 && outcome.complaints.count == 1, "\(outcome)")
            #expect(outcome.complaints.first?.contains(kind) == true, "\(outcome.complaints)")
            #expect(outcome.output.contains(" requests failed: \(kind)") && outcome.output.contains("0%"))
        }
    }

    @Test func `a failed expectation is exit code 1`() throws {
        try Self.withMock { url, _ in
            let outcome = try Self.bench([url, "--expect", "p50 < 1ns"] + Self.short)
            #expect(outcome.code == 1 && outcome.output.contains("✗ p50 < 1ns"), "\(outcome)")
            #expect(outcome.complaints.first?.hasPrefix("gatecrash: expected p50 < 1ns, was ") == true)
        }
    }

    @Test func `an open loop tells planned starts and real sends apart`() throws {
        try Self.withMock { url, _ in
            let outcome = try Self.bench(
                [url, "--rate", "200/s", "--arrivals", "poisson", "--seed", "3", "--max-lateness", "5s"] + Self.short)
            #expect(outcome.code == 0, "\(outcome)")
            #expect(outcome.output.contains("from the real send") && outcome.output.contains("generator's lateness"))
        }
    }

    @Test func `a generator that cannot keep up says so and exits with 4`() throws {
        try Self.withMock { url, _ in
            let outcome = try Self.bench(
                [url, "--rate", "1000000/s", "--duration", "300ms", "--rounds", "1", "-c", "8", "--timeout", "1s"])
            #expect(outcome.code == 4, "\(outcome)")
            #expect(outcome.complaints.contains { $0.contains("the generator could not keep up with 1000000/s") })
        }
    }

    @Test func `an interrupted bench prints what it has`() throws {
        try Self.withMock { url, _ in
            let outcome = try Self.bench(
                [url, "--duration", "100ms", "--rounds", "1000", "--warmup", "0s", "-c", "2"],
                interruptAfter: "round 2/1000")
            #expect(outcome.code == 130, "\(outcome)")
            #expect(outcome.complaints.first?.contains("interrupted: the figures are those of a part") == true)
            #expect(outcome.output.contains("p99.9") && outcome.output.contains("CPU/request"))
        }
    }

    @Test func `the requests of a log are sent again`() throws {
        let log = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "files/replay-access.log")
            .path
        try Self.withMock(["--catch-all", "true"]) { url, _ in
            let outcome = try Self.bench([
                url, "--replay", log, "--speed", "10x", "--rounds", "1", "--expect", "requests == 40, ok == 100%",
                "--max-lateness", "5s",
            ])
            #expect(outcome.code == 0, "\(outcome)")
        }
    }

    /// The page on bench shows a command and what one sees.
    @Test func `what docs-bench shows is seen`() throws {
        let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../docs/bench.md")
        let blocks = try String(contentsOf: page, encoding: .utf8).components(separatedBy: "```")
        let command = try #require(blocks.first { $0.hasPrefix("bash\n") }?.split(separator: "\n")[1])
        let expected = try #require(blocks.first { $0.hasPrefix("text\n") }).split(separator: "\n").dropFirst()
        let outcome = try Self.bench(command.split(separator: " ").dropFirst(2).map(String.init))
        #expect(outcome.code == 0, "\(outcome)")
        for line in expected {
            let isSeen = outcome.output.split(separator: "\n").contains { seen in
                var rest = seen[...]
                return line.split(separator: "…").allSatisfy { part in
                    let part = part.trimmingCharacters(in: .whitespaces)
                    guard let found = rest.firstRange(of: part) else { return false }
                    rest = rest[found.upperBound...]
                    return true
                }
            }
            #expect(isSeen, "\(line)\nwas not seen in\n\(outcome.output)")
        }
    }
}
