// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

/// One cell of a scenario's matrix, variables filled in, every name resolved, ready to run and to judge.
package struct Plan: Hashable, Sendable {
    package enum Mode: String, Hashable, Sendable, CaseIterable { case any, real, virtual }

    package struct Tolerance: Hashable, Sendable {
        /// Widens upper bounds in real time; nil = measured (p99.9 of a canary timer of this run).
        package var timer: Nanoseconds?
        /// A generator or canary later than this makes the verdict inconclusive.
        package var maximumLateness: Nanoseconds

        package init(timer: Nanoseconds?, maximumLateness: Nanoseconds) {
            self.timer = timer
            self.maximumLateness = maximumLateness
        }
    }

    /// A variable and its value in this cell, as text.
    package struct Variable: Hashable, Sendable {
        package var name: String
        package var value: Value
        package var isMatrixAxis: Bool

        package init(name: String, value: Value, isMatrixAxis: Bool) {
            self.name = name
            self.value = value
            self.isMatrixAxis = isMatrixAxis
        }
    }

    package var scenario: String
    package var title: String?
    package var summary: String?
    package var tags: [String]
    /// Nil = drawn by the runner, printed and kept in the journal.
    package var seed: UInt64?
    package var mode: Mode
    /// Watch-dog for the run.
    package var timeout: Nanoseconds
    package var repetitions: Int
    package var tolerance: Tolerance
    package var variables: [Variable]
    package var topology: Topology
    package var loads: [LoadSpec]
    package var steps: [Step]
    package var expectations: [Expectation]
    package var invariants: [Invariant]
    /// Every mark there is, in the order of the file; `start` and `end` first.
    package var marks: [MarkDefinition]
    /// Indices of `expectations` so that each comes after those whose marks it uses.
    package var judgingOrder: [Int]
    package var location: SourceLocation

    /// `health_hit=false, policy=hit`: the axes of the matrix, empty without one.
    package var cell: String {
        variables.filter(\.isMatrixAxis).map { "\($0.name)=\($0.value)" }.joined(separator: ", ")
    }

    /// `walk-through [health_hit=false]`.
    package var name: String { cell.isEmpty ? scenario : "\(scenario) [\(cell)]" }

    /// The length of the longest load; nil when a load ends after a number of requests.
    package var length: Nanoseconds? {
        loads.reduce(.zero) { longest, load in
            if let longest, let length = load.length { max(longest, length) } else { nil }
        }
    }
}
