// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Numbers with one writer: its own loop alone adds, anybody may read; so a plain load and store make a count, and no
/// core waits for another. A reader may see one number a moment before another that was written earlier.
// Proof: a pointer is not Sendable, but all that is reached through this one are atomics, it never changes, and its
// memory lives exactly as long as the object.
final class CountArray: @unchecked Sendable {
    private let numbers: UnsafeMutablePointer<Atomic<Int>>
    let count: Int

    init(count: Int) {
        self.count = count
        numbers = .allocate(capacity: count)
        for place in 0..<count { (numbers + place).initialize(to: Atomic(0)) }
    }

    deinit {
        numbers.deinitialize(count: count)
        numbers.deallocate()
    }

    @inline(__always)
    subscript(place: Int) -> Int {
        precondition(place >= 0 && place < count, "no number \(place) of \(count)")
        return numbers[place].load(ordering: .relaxed)
    }

    @inline(__always)
    func add(_ amount: Int, at place: Int) { set(self[place] &+ amount, at: place) }

    @inline(__always)
    func set(_ value: Int, at place: Int) {
        precondition(place >= 0 && place < count, "no number \(place) of \(count)")
        numbers[place].store(value, ordering: .relaxed)
    }
}
