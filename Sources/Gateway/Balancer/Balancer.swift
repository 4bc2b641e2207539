// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
package import World

/// Picks addresses of one upstream for one event loop. It owns what the algorithm remembers; who may be picked it reads
/// from the health of the addresses at every pick.
///
/// A loop keeps its balancer as long as the upstream's `TargetSet` is the same object, and makes a new one when it is
/// not. What was picked from the old one is handed back to the old one.
package final class Balancer {
    private enum Algorithm {
        case roundRobin(RoundRobin)
        case consistentHashing(ConsistentHashing)
        case leastConnections(LeastConnections)
        case latency(Latency)
    }

    package let set: TargetSet
    private let algorithm: Algorithm
    /// What the event loop keeps beside each address: its idle connections. The balancer itself does not look at it.
    var idleConnections: ContiguousArray<IdleConnections?>

    /// - Parameter random: shuffles the wheel; each loop and upstream has a stream of its own.
    package init(_ set: TargetSet, random: RandomStream) {
        self.set = set
        idleConnections = ContiguousArray(repeating: nil, count: set.addresses.count)
        algorithm =
            switch set.upstream.algorithm {
            case .roundRobin: .roundRobin(RoundRobin(set, random: random))
            case .consistentHashing: .consistentHashing(ConsistentHashing(set))
            case .leastConnections: .leastConnections(LeastConnections(set))
            case .latency: .latency(Latency(set))
            }
    }

    /// The address for the next try. Every pick is to be followed by `ended` once.
    ///
    /// - Parameters:
    ///   - hash: `XXHash32` of the value that `hash_on` names, for consistent hashing; of nothing when there is none.
    ///   - tried: the addresses that this request was sent to before. Round robin ignores them, consistent hashing
    ///     too; least connections prefers others; latency insists on others.
    /// - Returns: nil when the upstream is unhealthy as a whole (its threshold), or no address is left.
    package func pick(hash: UInt32 = XXHash32.hash(""), tried: [TargetAddress] = [], now: NIODeadline) -> TargetAddress?
    {
        guard set.isHealthy else { return nil }
        return switch algorithm {
        case .roundRobin(let wheel): wheel.pick()
        case .consistentHashing(let ring): ring.pick(hash: hash)
        case .leastConnections(let connections): connections.pick(tried: tried)
        case .latency(let latency): latency.pick(tried: tried, now: now)
        }
    }

    /// A try is over.
    ///
    /// - Parameter took: from the start of connecting to the end of the answer; nil when there was no answer.
    package func ended(_ address: TargetAddress, took: TimeAmount?, now: NIODeadline) {
        precondition(
            set.addresses.indices.contains(address.index) && set.addresses[address.index] === address,
            "\(address.text) was not picked by this balancer of \(set.upstream.name)")
        switch algorithm {
        case .roundRobin, .consistentHashing: break
        case .leastConnections(let connections): connections.ended(at: address.index)
        case .latency(let latency): if let took { latency.measured(took, at: address.index, now: now) }
        }
    }
}
