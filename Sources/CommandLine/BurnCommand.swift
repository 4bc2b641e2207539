// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chaos

/// The helper that the runner starts for a `stress` step; nobody calls it by hand.
struct BurnCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "burn", abstract: "Use up a processor or memory, for the runner.", shouldDisplay: false)

    @Option(name: .long, help: "Share of a processor, 0…1.")
    var cpu: Double?
    @Option(name: .long, help: "The number of the processor.")
    var processor: Int?
    @Option(name: .long, help: "Bytes of memory.")
    var memory: Int?
    @Flag(name: .long, help: .hidden)
    var supervised = false

    func validate() throws {
        guard (cpu == nil) != (memory == nil) else { throw ValidationError("give --cpu or --memory") }
        if let cpu, !(0...1).contains(cpu) { throw ValidationError("--cpu is from 0 to 1") }
        if let memory, memory <= 0 { throw ValidationError("--memory is more than 0") }
    }

    func run() throws {
        if supervised { Supervised.enter() }
        if let memory { Burner.hold(bytes: memory) }
        Burner.burn(share: cpu ?? 0, processor: processor)
    }
}
