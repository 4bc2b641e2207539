// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore

/// One thing that is to happen at a moment. Confined to its loop.
final class LoopTimer {
    let due: NIODeadline
    fileprivate var number = 0
    /// Nil once it has run or was called off.
    private(set) var task: (() -> Void)?
    private let isAbandoned: () -> Void

    /// - Parameter isAbandoned: called instead of `task` when the loop ends before.
    init(due: NIODeadline, isAbandoned: @escaping () -> Void, task: @escaping () -> Void) {
        self.due = due
        self.isAbandoned = isAbandoned
        self.task = task
    }

    func abandon() {
        guard task != nil else { return }
        task = nil
        isAbandoned()
    }

    /// Runs it unless it was called off.
    func run() {
        let task = task
        self.task = nil
        task?()
    }

    fileprivate func cancel() { task = nil }

    fileprivate func precedes(_ other: LoopTimer) -> Bool {
        due == other.due ? number < other.number : due < other.due
    }
}

/// The timers of a loop, the next one first; those due at one moment in the order in which they were added. A binary
/// heap; what was called off stays in it until it would be due, or until it is the greater part.
struct TimerQueue {
    private var heap: [LoopTimer] = []
    private var added = 0
    private var cancelled = 0
    /// Below this the rest is not worth sorting out.
    private static let fewTimers = 64

    var isEmpty: Bool { heap.isEmpty }

    /// When the next one is due, or nil.
    var nextDue: NIODeadline? { heap.first?.due }

    mutating func add(_ timer: LoopTimer) {
        added += 1
        timer.number = added
        heap.append(timer)
        rise(from: heap.count - 1)
    }

    mutating func cancel(_ timer: LoopTimer) {
        guard timer.task != nil else { return }
        timer.cancel()
        cancelled += 1
        guard cancelled > Self.fewTimers, cancelled * 2 > heap.count else { return }
        heap.removeAll { $0.task == nil }
        heap.sort { $0.precedes($1) }
        cancelled = 0
    }

    /// Takes the next one that is due; those that were called off are passed over.
    mutating func takeDue(at now: NIODeadline) -> LoopTimer? {
        while let first = heap.first, first.due <= now {
            heap.swapAt(0, heap.count - 1)
            heap.removeLast()
            sink()
            if first.task != nil { return first }
            cancelled = max(0, cancelled - 1)
        }
        return nil
    }

    /// Takes all that are left; for the end of the loop.
    mutating func removeAll() -> [LoopTimer] {
        defer { heap = [] }
        return heap
    }

    private mutating func rise(from place: Int) {
        var place = place
        while place > 0, heap[place].precedes(heap[(place - 1) / 2]) {
            heap.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    private mutating func sink() {
        var place = 0
        while true {
            let (left, right) = (2 * place + 1, 2 * place + 2)
            guard left < heap.count else { return }
            let child = right < heap.count && heap[right].precedes(heap[left]) ? right : left
            guard heap[child].precedes(heap[place]) else { return }
            heap.swapAt(place, child)
            place = child
        }
    }
}
