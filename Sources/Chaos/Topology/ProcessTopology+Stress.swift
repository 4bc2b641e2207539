// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore

/// What a `stress` step has set up, to be taken back.
struct Stress {
    var helpers: [NodeProcess] = []
    /// The limit of descriptors that was, and of which process: one that was started anew has its own.
    var descriptors: (pid: Int32, limit: UInt64)?
}

// Shortages: helpers that use things up beside a node, and limits of the node itself.
extension ProcessTopology {
    func stress(_ spec: StressSpec, name: String) -> EventLoopFuture<Void> {
        guard let pid = process(spec.node)?.process?.pid else {
            return loop.makeFailedFuture(TopologyError("\(spec.node) cannot be stressed: it does not run"))
        }
        var stress = Stress()
        if let limit = spec.descriptors {
            guard let former = ProcessLimits.limitDescriptors(of: pid, to: UInt64(limit)) else {
                return loop.makeFailedFuture(
                    TopologyError("the descriptors of \(spec.node) cannot be limited: the system does not allow it"))
            }
            stress.descriptors = (pid, former)
        }
        stressed[name] = stress
        if let bytes = spec.memory {
            // Half of what there is: a helper must never bring the machine down, only make it short.
            if let free = ProcessLimits.availableMemory(), bytes > free / 2 {
                return loop.makeFailedFuture(
                    TopologyError(
                        "\(bytes >> 20) MiB are more than half of the \(free >> 20) MiB that are free; hold less"))
            }
            stress.helpers.append(helper("\(name) memory", ["--memory", "\(bytes)"]))
        }
        if let share = spec.processor {
            let processors = ProcessLimits.processors(of: pid)
            for processor in processors.isEmpty ? [nil] : processors.map(Optional.some) {
                let pin = processor.map { ["--processor", "\($0)"] } ?? []
                stress.helpers.append(
                    helper("\(name) cpu \(processor ?? 0)", ["--cpu", "\(share.fraction)"] + pin))
            }
        }
        stressed[name] = stress
        return all(stress.helpers.map { $0.start().map { _ in } })
    }

    func endStress(_ name: String) -> EventLoopFuture<Void> {
        guard let stress = stressed.removeValue(forKey: name) else { return loop.makeSucceededVoidFuture() }
        if let (pid, limit) = stress.descriptors { _ = ProcessLimits.limitDescriptors(of: pid, to: limit) }
        return all(stress.helpers.map { $0.kill() })
    }

    /// Takes everything back, in whatever state it is.
    func endAllStress() -> EventLoopFuture<Void> { all(stressed.keys.map { endStress($0) }) }

    private func helper(_ name: String, _ arguments: [String]) -> NodeProcess {
        let specification = ChildSpecification(
            name: name, executable: options.executable, arguments: ["burn", "--supervised"] + arguments,
            environment: options.environment, logPath: options.folder.file("stress.log"))
        return NodeProcess(
            specification, supervisor: supervisor, loop: loop, startTimeout: options.startTimeout
        ) { [weak self] event in
            guard case .change(.exited(let exit, isExpected: false), _) = event else { return }
            self?.onEvent(.note("the helper of the stress step \(name) \(exit)"))
        }
    }
}
