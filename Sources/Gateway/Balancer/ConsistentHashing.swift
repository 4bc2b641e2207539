// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

#if GATECRASH_DEFECTS
import Defects
#endif

/// A Ketama ring (kong/runloop/balancer/consistent_hashing.lua): the same hash finds the same address while that one is
/// available, and the next lower one on the ring when it is not. Immutable.
final class ConsistentHashing: Sendable {
    static let smallestRing = 1000
    /// Entries an address has when all weights are equal.
    static let pointsPerTarget = 160

    private let addresses: [TargetAddress]
    private let ringSize: Int
    /// The occupied points of the ring in ascending order: which address each belongs to.
    private let owners: [UInt32]
    /// For each point of the ring, the place in `owners` of the nearest occupied point at or below it.
    private let nearest: [Int32]

    init(_ set: TargetSet) {
        addresses = set.addresses
        ringSize = max(set.upstream.slots, Self.smallestRing)
        var ring = [UInt32?](repeating: nil, count: ringSize)
        for address in Self.inRingOrder(set.addresses) {
            Self.place(address, of: set, on: &ring)
        }
        var owners: [UInt32] = []
        var nearest: [Int32] = []
        for owner in ring {
            if let owner { owners.append(owner) }
            nearest.append(Int32(owners.count) - 1)
        }
        self.owners = owners
        self.nearest = nearest
    }

    /// - Parameter hash: `XXHash32` of the value that the upstream's `hash_on` names; of nothing when there is none.
    func pick(hash: UInt32) -> TargetAddress? {
        #if GATECRASH_DEFECTS
        if Defect.hashByCount.isChosen {
            let available = addresses.filter(\.isAvailable)
            return available.isEmpty ? nil : available[Int(hash) % available.count]
        }
        #endif
        guard !owners.isEmpty else { return nil }
        let start = Int(nearest[Int(hash) % ringSize])
        // Below the lowest occupied point the ring goes on at its highest one.
        var place = start < 0 ? owners.count - 1 : start
        for _ in 0..<owners.count {
            let address = addresses[Int(owners[place])]
            if address.isAvailable { return address }
            place = place > 0 ? place - 1 : owners.count - 1
        }
        return nil
    }

    /// Collisions are settled by order, so the order must not depend on that of the configuration.
    private static func inRingOrder(_ addresses: [TargetAddress]) -> [TargetAddress] {
        let keyed = addresses.map { address in (address, "\(address.ip):\(address.port)") }
        return keyed.sorted { a, b in
            let targetPorts = (Target.split(a.0.target).port, Target.split(b.0.target).port)
            if a.0.host != b.0.host { return a.0.host < b.0.host }
            if targetPorts.0 != targetPorts.1 { return targetPorts.0 < targetPorts.1 }
            return a.1 < b.1
        }.map(\.0)
    }

    private static func place(_ address: TargetAddress, of set: TargetSet, on ring: inout [UInt32?]) {
        guard address.weight > 0 else { return }
        let share = Double(address.weight) / Double(set.totalWeight)
        var entries = max(1, Int(share * Double(set.targets.count) * Double(pointsPerTarget)))
        let isVersion6 = address.ip.utf8.contains(UInt8(ascii: ":"))
        let name = (isVersion6 ? "[\(address.ip)]" : address.ip) + "::\(address.port) "
        var number = 1
        // A ring that is full cannot hold more, however many tries are left.
        while number <= entries, number <= ring.count {
            let point = Int(XXHash32.hash(name + String(number))) % ring.count
            if ring[point] == nil {
                ring[point] = UInt32(address.index)
            } else {
                entries += 1
            }
            number += 1
        }
    }
}
