// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Chaos
import Document
import Foundation
import Testing

/// What the README shows is true: its commands are run, and what it says one sees is seen.
@Suite(.serialized) struct ReadmeTests {
    private struct Block {
        var language: String
        var text: String
    }

    private static let blocks: [Block] = {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../README.md").path
        var blocks: [Block] = []
        var open: Block?
        for line in ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(
            separator: "\n", omittingEmptySubsequences: false)
        {
            if line.hasPrefix("```") {
                if let block = open { blocks.append(block) }
                open = open == nil ? Block(language: String(line.dropFirst(3)), text: "") : nil
            } else {
                open?.text += line + "\n"
            }
        }
        return blocks
    }()

    @Test func `the scenario of the README is valid`() throws {
        let scenario = try #require(Self.blocks.first { $0.language == "yaml" })
        let file = try ScenarioFile(parsing: scenario.text, path: "README.yml")
        #expect(try Plan.cells(file).count == 1)
    }

    /// The commands in their order, in one go; after each the lines of the block that follows must be seen.
    @Test(.timeLimit(.minutes(2))) func `the walk-through shows what it says`() throws {
        let mock = try Program(["mock", "--port", "0"])
        defer { mock.stop() }
        let mockAddress = try mock.address(after: "mock API listens on http://")
        let gateway = try Program([
            "gateway", "--proxy-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--resolve",
            "mock-api:5000=\(mockAddress)",
        ])
        defer { gateway.stop() }
        let proxyAddress = try gateway.address(after: "proxy listens on http://")
        let adminAddress = try gateway.address(after: "Admin API on http://")

        var commands = 0
        for (index, block) in Self.blocks.enumerated() where block.language == "bash" {
            let script = block.text.replacing("localhost:8000", with: proxyAddress)
                .replacing("localhost:8001", with: adminAddress).replacing("localhost:5000", with: mockAddress)
            let output = try Self.shell(script)
            let expected = Self.blocks[index + 1]
            try #require(expected.language == "text")
            for line in expected.text.split(separator: "\n") {
                #expect(Self.isSeen(line, in: output), "\(line)\nafter\n\(block.text)\nwas not seen in\n\(output)")
            }
            commands += 1
        }
        #expect(commands >= 7)
    }

    /// The parts of a line between `…` stand in the output in this order.
    private static func isSeen(_ line: Substring, in output: String) -> Bool {
        var rest = output[...]
        for part in line.split(separator: "…") {
            guard let found = rest.firstRange(of: part) else { return false }
            rest = rest[found.upperBound...]
        }
        return true
    }

    private static func shell(_ script: String) throws -> String {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-c", script]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: text, as: UTF8.self)
    }

    /// The program under test as a person starts it; says on stderr where it listens.
    private struct Program {
        private let process = Process()
        private let firstLine: String

        init(_ arguments: [String]) throws {
            let log = Pipe()
            process.executableURL = URL(fileURLWithPath: ScenarioTests.program)
            process.arguments = arguments
            process.standardError = log
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            var line = Data()
            while let byte = try log.fileHandleForReading.read(upToCount: 1), byte != Data("\n".utf8) { line += byte }
            firstLine = String(decoding: line, as: UTF8.self)
        }

        func address(after words: String) throws -> String {
            let start = try #require(firstLine.firstRange(of: words), "not ready: \(firstLine)").upperBound
            return String(firstLine[start...].prefix { $0.isNumber || $0 == "." || $0 == ":" }).trimmingSuffix(":")
        }

        func stop() {
            process.terminate()
            process.waitUntilExit()
        }
    }
}

extension String {
    fileprivate func trimmingSuffix(_ suffix: Character) -> String { last == suffix ? String(dropLast()) : self }
}
