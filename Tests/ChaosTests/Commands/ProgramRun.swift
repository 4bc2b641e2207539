// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Foundation

/// `gatecrash` as a person runs it: what it prints and how it ends.
struct ProgramRun {
    let code: Int32
    let output: String
    let errors: String

    /// The program, which is built beside the tests.
    static var path: String {
        String(supervisionFixture[..<(supervisionFixture.lastIndex(of: "/") ?? supervisionFixture.startIndex)])
            + "/gatecrash"
    }

    /// - Parameter folder: the working folder; the output is kept there while the program runs.
    init(_ arguments: [String], in folder: String, environment: [String: String] = [:]) throws {
        let streams = ["out", "err"].map { "\(folder)/.\($0)-\(UUID().uuidString)" }
        defer { for path in streams { try? FileManager.default.removeItem(atPath: path) } }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.path)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        var variables = ["PATH": "/usr/bin:/bin", "TMPDIR": folder]
        variables.merge(environment) { $1 }
        process.environment = variables
        for path in streams { try Data().write(to: URL(fileURLWithPath: path)) }
        let handles = try streams.map { try FileHandle(forWritingTo: URL(fileURLWithPath: $0)) }
        (process.standardOutput, process.standardError) = (handles[0], handles[1])
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        code = process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
        let texts = try streams.map { try String(contentsOfFile: $0, encoding: .utf8) }
        (output, errors) = (texts[0], texts[1])
    }

    /// The lines of standard error.
    var complaints: [Substring] { errors.split(separator: "\n") }
}
