// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// What is measured, and the processes whose use of the machine is shared out among its requests.
package struct BenchSubject: Hashable, Sendable {
    package struct Process: Hashable, Sendable {
        package var name: String
        package var pid: Int32

        package init(name: String, pid: Int32) {
            self.name = name
            self.pid = pid
        }
    }

    package var target: BenchTarget
    /// Without the bench itself.
    package var processes: [Process]

    package init(target: BenchTarget, processes: [Process] = []) {
        self.target = target
        self.processes = processes
    }
}

/// A bench, checked: nothing in it can be wrong any more but the world.
package struct BenchPlan: Sendable {
    package enum Shape: Hashable, Sendable {
        /// Each connection sends its next request when it has its answer.
        case closed
        case open(Rate, LoadSpec.Arrivals)
        /// The starts of a log, sped up by a factor.
        case replay(AccessLog, speed: Double)
    }

    package var shape = Shape.closed
    package var connections = 64
    /// Of one round; nil: as many as fit into `duration`.
    package var requests: Int?
    /// Of one round, without its warm-up; nil: as long as `requests` takes.
    package var duration: Nanoseconds?
    package var warmup = Nanoseconds.milliseconds(250)
    package var rounds = 5
    package var threads = 1
    package var method = "GET"
    package var headers: [RequestTemplate.Header] = []
    package var body = ByteBuffer()
    package var timeout = Nanoseconds.seconds(10)
    package var reusesConnections = true
    /// Most that the generator may be late for 99 of 100 requests.
    package var mostLateness = Nanoseconds.milliseconds(10)
    package var allowsRemote = false
    package var trust = BenchTrust()
    package var seed: UInt64 = 1
    package var expectations: [BenchExpectation] = []
    /// A metric may be worse than the baseline's by this part of it.
    package var tolerance = 0.05

    package init() {}

    /// How long the whole takes, as far as is known.
    package func length(subjects: Int) -> Nanoseconds? {
        let one: Nanoseconds? =
            if case .replay(let log, let speed) = shape { log.length(speed: speed) } else { duration }
        return one.map { ($0 + warmupOfShape) * Int64(rounds * subjects) }
    }

    /// A replay has none: its first request is as good as its last.
    var warmupOfShape: Nanoseconds { if case .replay = shape { .zero } else { warmup } }

    /// `64 connections, closed loop, 5 rounds of 2s`.
    package var description: String {
        var parts: [String] = []
        switch shape {
        case .closed: parts.append("closed loop, \(connections) connections")
        case .open(let rate, let arrivals):
            parts.append("open loop, \(rate) \(arrivals.rawValue), at most \(connections) connections")
        case .replay(let log, let speed):
            let pace = speed == 1 ? "" : " at \(plainNumber(speed))x"
            parts.append("replay of \(log.entries.count) requests\(pace), at most \(connections) connections")
        }
        if !reusesConnections { parts.append("a connection for each request") }
        let length = [requests.map { "\($0) requests" }, duration.map { "\($0)" }].compactMap { $0 }
        let each = length.isEmpty ? "" : " of \(length.joined(separator: " or "))"
        parts.append("\(rounds) \(rounds == 1 ? "round" : "rounds")\(each)")
        parts.append("\(threads) \(threads == 1 ? "thread" : "threads")")
        return parts.joined(separator: ", ")
    }

    /// The requests of a subject, as bytes.
    func prepared(for target: BenchTarget) -> [PreparedRequest] {
        let headers = headers.map { ($0.name, $0.value.constant ?? "") }
        func prepare(_ method: String, _ path: String, _ body: ByteBuffer) -> PreparedRequest {
            PreparedRequest(
                method: method, target: path, authority: target.authority, headers: headers, body: body,
                closes: !reusesConnections)
        }
        guard case .replay(let log, _) = shape else { return [prepare(method, target.path, body)] }
        return log.entries.map { prepare($0.method, $0.target, ByteBuffer()) }
    }
}

/// Whom an https URL is believed.
package struct BenchTrust: Hashable, Sendable {
    package var verifies = true
    /// A file of certificates in PEM form; nil: the system's.
    package var authorities: String?

    package init() {}
}
