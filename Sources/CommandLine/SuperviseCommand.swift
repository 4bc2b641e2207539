// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chaos

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Becomes another program that cannot outlive the runner: how programs of a scenario that are not ours are started.
struct SuperviseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "supervise", abstract: "Run a program that ends with its parent.", shouldDisplay: false)

    @Option(name: .long, help: .hidden)
    var folder: String?
    @Argument(parsing: .postTerminator, help: .hidden)
    var words: [String] = []

    func run() throws {
        Supervised.tieToParent()
        guard let program = words.first else {
            Console.error("gatecrash: supervise needs a program")
            throw ExitCode(2)
        }
        if let folder, chdir(folder) != 0 {
            Console.error("gatecrash: \(folder): \(String(cString: strerror(errno)))")
            throw ExitCode(126)
        }
        let arguments = words.map { strdup($0) } + [nil]
        execv(program, arguments)
        Console.error("gatecrash: \(program): \(String(cString: strerror(errno)))")
        throw ExitCode(126)
    }
}
