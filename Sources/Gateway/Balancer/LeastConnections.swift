// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

#if GATECRASH_DEFECTS
import Defects
#endif

/// The address with the smallest (connections + 1) / weight (kong/runloop/balancer/least_connections.lua). Equal ones
/// take turns. Owned by one event loop, whose connections alone it counts; a pick looks at every address.
final class LeastConnections {
    private let addresses: [TargetAddress]
    private var connections: [Int]
    /// Where the next search starts.
    private var turn = 0

    init(_ set: TargetSet) {
        addresses = set.addresses
        connections = Array(repeating: 0, count: set.addresses.count)
    }

    /// Counts a connection to the address it returns; `ended` takes it back.
    ///
    /// - Parameter tried: not picked again until every other available one was tried.
    func pick(tried: [TargetAddress]) -> TargetAddress? {
        guard let place = best(without: tried) ?? (tried.isEmpty ? nil : best(without: [])) else { return nil }
        connections[place] += 1
        turn = place + 1
        return addresses[place]
    }

    func ended(at place: Int) {
        precondition(connections[place] > 0, "a connection to \(addresses[place].text) ended that did not begin")
        connections[place] -= 1
    }

    private func best(without tried: [TargetAddress]) -> Int? {
        #if GATECRASH_DEFECTS
        let connections = Defect.connectionsUncounted.isChosen ? addresses.map { _ in 0 } : self.connections
        #endif
        var best: (place: Int, score: Double)?
        for step in 0..<addresses.count {
            let place = (turn + step) % addresses.count
            let address = addresses[place]
            guard address.weight > 0, address.isAvailable, !tried.contains(where: { $0 === address }) else { continue }
            let score = Double(connections[place] + 1) / Double(address.weight)
            if best.map({ score < $0.score }) ?? true { best = (place, score) }
        }
        return best?.place
    }
}
