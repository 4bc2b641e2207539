// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
package import NIOCore

// What the runner samples of nodes beside their records.
extension ProcessTopology {
    package func usage() -> [NodeUsage] {
        topology.nodeNames.compactMap { node in
            guard let pid = process(node)?.process?.pid, let usage = ProcessMeter.system.usage(pid) else { return nil }
            let open = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count) ?? 0
            return NodeUsage(node: node, usage: usage, descriptors: open)
        }
    }

    package func waits() -> [NodeWait] {
        var running: [(node: String?, pid: Int32)] = [(nil, OwnProcess.identifier)]
        for node in topology.nodeNames {
            if let pid = process(node)?.process?.pid { running.append((node, pid)) }
        }
        return runQueues.look(at: running)
    }

    package func newLogLines(of node: String) -> [String] {
        var follower = followers[node] ?? LogFollower(path: options.folder.file("\(node).log"))
        defer { followers[node] = follower }
        return follower.newLines()
    }

    package func metrics(of node: String) -> EventLoopFuture<String> {
        if node == Metric.links, !topology.nodeNames.contains(node) {
            return loop.makeSucceededFuture(toxiproxy?.metrics ?? "")
        }
        let path = mocks[node] == nil ? "/metrics" : "/_mock/metrics"
        guard let address = gateways[node]?.admin ?? mocks[node]?.address else { return unknown(node) }
        return control.send(.get, path, to: address).flatMapThrowing { answer in
            guard answer.status == 200 else {
                throw TopologyError("GET \(path) of \(node) gave status \(answer.status)")
            }
            return String(buffer: answer.body)
        }
    }
}
