// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

extension JournalEvent {
    /// The first line of a journal: all that is needed to judge it again and to run it again.
    package struct Header: Hashable, Sendable {
        /// The version of the journal format that this program writes.
        package static let currentFormat = 1

        package var format = Header.currentFormat
        /// The version of the program that ran.
        package var program = ""
        /// The id of the scenario.
        package var scenario: String
        /// The path of its file as it was given, and its text, verbatim.
        package var file = ""
        package var text = ""
        /// The variables that make the matrix cell, in the order of the matrix; empty without one.
        package var cell: [Variable] = []
        /// All variables with their values in this run.
        package var variables: [Variable] = []
        package var seed: UInt64 = 0
        /// Counts from 1 in a run with `repeat`.
        package var repetition = 1
        package var isVirtual = false
        /// Operating system, cores, load: for a person who wonders why a run was slow.
        package var host = ""
        /// Gateways and mocks in the order of the scenario.
        package var nodes: [Node] = []
        /// The declarative Kong document of each gateway, by the id of the gateway.
        package var configurations: [NamedDocument] = []

        package init(scenario: String) { self.scenario = scenario }
    }

    package struct Variable: Hashable, Sendable {
        package var name: String
        package var value: String
        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package struct NamedDocument: Hashable, Sendable {
        package var name: String
        package var document: JSONValue
        package init(_ name: String, _ document: JSONValue) {
            self.name = name
            self.document = document
        }
    }

    /// The Kong document that a gateway was given while it ran, by a step; in force a moment later.
    package struct GivenDocument: Hashable, Sendable {
        package var at: Instant
        package var gateway: String
        package var document: JSONValue
        package init(at: Instant, gateway: String, document: JSONValue) {
            self.at = at
            self.gateway = gateway
            self.document = document
        }
    }

    /// A process of the topology, and the names under which a Kong configuration reaches it.
    package struct Node: Hashable, Sendable {
        package enum Role: String, Sendable { case gateway, mock, remote, program }

        package var id: String
        package var role: Role
        /// Kong target names (`api:8080`, a `bind` key) and addresses (`127.0.0.1:4001`, the link's) that lead to it.
        package var names: [String]

        package init(_ id: String, _ role: Role, names: [String] = []) {
            self.id = id
            self.role = role
            self.names = names
        }
    }

    /// A step of the time line was applied, was undone, or could not be.
    package struct Step: Hashable, Sendable {
        package enum Phase: String, Sendable { case started, ended, failed }

        package var at: Instant
        /// The place of the step in the time line, from 0.
        package var index: Int
        /// The name of the mark; `started` makes the mark `name`, `ended` makes `name.end`.
        package var name: String?
        package var phase: Phase
        /// What it does in one phrase (`mock api: ERROR_RATE 0.9`), or why it failed.
        package var text: String
        /// A checkpoint asserts that the invariants hold.
        package var isCheckpoint: Bool

        package init(
            at: Instant, index: Int, name: String?, phase: Phase, text: String = "", isCheckpoint: Bool = false
        ) {
            self.at = at
            self.index = index
            self.name = name
            self.phase = phase
            self.text = text
            self.isCheckpoint = isCheckpoint
        }
    }

    /// A named moment that is no step: the end of a warm-up, the exit of a load.
    package struct Mark: Hashable, Sendable {
        package var at: Instant
        package var name: String
        package init(at: Instant, name: String) {
            self.at = at
            self.name = name
        }
    }

    /// How late a clock of the runner was: of the load generator, or of a timer that does nothing else (the canary).
    package struct Lateness: Hashable, Sendable {
        package enum Source: String, Sendable { case generator, canary }

        package var at: Instant
        package var source: Source
        /// The worst lateness since the last such event, nanoseconds.
        package var late: Int64
        package init(at: Instant, source: Source, late: Int64) {
            self.at = at
            self.source = source
            self.late = late
        }
    }

    /// A process could have run and was not let: others had the cores. `at` reaches back to the last look.
    package struct Waited: Hashable, Sendable {
        package var at: Instant
        /// Nil for the runner, in which the loads and the links are.
        package var node: String?
        /// Of the thread that waited longest (in the runner, of two of them), nanoseconds.
        package var waited: Int64
        package init(at: Instant, node: String?, waited: Int64) {
            self.at = at
            self.node = node
            self.waited = waited
        }
    }

    /// A question to the scenario's name server.
    package struct Lookup: Hashable, Sendable {
        package var at: Instant
        package var name: String
        /// A, AAAA, SRV, CNAME….
        package var type: String
        /// `127.0.0.5, 127.0.0.6`, `name error`, `no answer`.
        package var answer: String
        /// The steps whose faults had a part in it.
        package var faults: [String]
        package init(at: Instant, name: String, type: String, answer: String, faults: [String] = []) {
            self.at = at
            self.name = name
            self.type = type
            self.answer = answer
            self.faults = faults
        }
    }

    /// What a process used at a moment.
    package struct Usage: Hashable, Sendable {
        package var at: Instant
        package var node: String
        /// Resident memory, bytes.
        package var memory: Int
        package var descriptors: Int
        /// Time on a core since the process started, nanoseconds.
        package var cpu: Int64
        package init(at: Instant, node: String, memory: Int, descriptors: Int, cpu: Int64) {
            self.at = at
            self.node = node
            self.memory = memory
            self.descriptors = descriptors
            self.cpu = cpu
        }
    }

    /// A series of a node's metrics at a moment.
    package struct Metric: Hashable, Sendable {
        package var at: Instant
        package var node: String
        /// As the scenario names it.
        package var series: String
        package var value: Double
        package init(at: Instant, node: String, series: String, value: Double) {
            self.at = at
            self.node = node
            self.series = series
            self.value = value
        }
    }

    /// A line that a process logged.
    package struct Log: Hashable, Sendable {
        package var at: Instant
        package var node: String
        package var text: String
        package init(at: Instant, node: String, text: String) {
            self.at = at
            self.node = node
            self.text = text
        }
    }

    /// Something that the runner wants a reader to know.
    package struct Note: Hashable, Sendable {
        package var at: Instant
        package var text: String
        package init(at: Instant, text: String) {
            self.at = at
            self.text = text
        }
    }

    /// The last line of a journal that was closed in order.
    package struct End: Hashable, Sendable {
        package enum Reason: String, Sendable {
            case finished
            /// The run's watch-dog (`timeout`) ended it.
            case timeout
            /// A precondition (the first checkpoint) did not hold.
            case precondition
            case interrupted
            case topology
            /// This host lacks something that the scenario needs (`requires`).
            case skipped
            case internalError = "internal_error"
        }

        package var at: Instant
        package var reason: Reason
        /// What went wrong, in one sentence; empty when nothing did.
        package var detail: String
        /// Lateness of the canary timer over the whole run.
        package var canary: Quantiles?
        /// Lateness of the load generator over the whole run.
        package var generator: Quantiles?

        package init(
            at: Instant, reason: Reason = .finished, detail: String = "", canary: Quantiles? = nil,
            generator: Quantiles? = nil
        ) {
            self.at = at
            self.reason = reason
            self.detail = detail
            self.canary = canary
            self.generator = generator
        }
    }

    /// A distribution in five numbers; times in nanoseconds.
    package struct Quantiles: Hashable, Sendable {
        package var count: Int
        package var p50: Int64
        package var p99: Int64
        package var p999: Int64
        package var max: Int64
        package init(count: Int, p50: Int64, p99: Int64, p999: Int64, max: Int64) {
            self.count = count
            self.p50 = p50
            self.p99 = p99
            self.p999 = p999
            self.max = max
        }
    }
}
