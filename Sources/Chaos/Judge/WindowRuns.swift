// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// The maximal runs of requests whose outcome matches, on one clock.
struct WindowRuns: Hashable, Sendable {
    struct Run: Hashable, Sendable {
        /// On the window's clock: the first and the last matching request.
        var first: Int64
        var last: Int64
        var matching: Int
        /// Of all requests between the first and the last.
        var total: Int
        /// The start lies between the last other request before and the first matching one, the end between the last
        /// matching one and the next other.
        var startRoom: ClosedRange<Int64>
        var endRoom: ClosedRange<Int64>

        var purity: Double { total == 0 ? 1 : Double(matching) / Double(total) }
    }

    /// A request as a window sees it.
    struct Sample: Hashable, Sendable {
        var at: Int64
        /// The latest moment at which the request can have reached the gateway: it may have been sent late by us.
        var reached: Int64
        var isMatch: Bool
    }

    var runs: [Run] = []

    /// - Parameters:
    ///   - samples: in the order of `at`.
    ///   - gap: matching samples further apart than this are two runs.
    init<Samples: RandomAccessCollection>(_ samples: Samples, gap: Int64)
    where Samples.Element == Sample, Samples.Index == Int {
        var open: (first: Int, last: Int, matching: Int)?
        for (index, sample) in samples.enumerated() where sample.isMatch {
            if let current = open, sample.at.clampedSubtracting(samples[current.last].at) <= gap {
                open = (current.first, index, current.matching + 1)
            } else {
                if let open { runs.append(Self.run(samples, open.first, open.last, open.matching)) }
                open = (index, index, 1)
            }
        }
        if let open { runs.append(Self.run(samples, open.first, open.last, open.matching)) }
    }

    private static func run<Samples: RandomAccessCollection>(
        _ samples: Samples, _ first: Int, _ last: Int, _ matching: Int
    ) -> Run where Samples.Element == Sample, Samples.Index == Int {
        let before = first > 0 ? samples[first - 1].at : Int64.min
        let after = last + 1 < samples.count ? samples[last + 1].reached : Int64.max
        return Run(
            first: samples[first].at, last: samples[last].at, matching: matching, total: last - first + 1,
            startRoom: min(before, samples[first].at)...max(samples[first].at, samples[first].reached),
            endRoom: samples[last].at...max(samples[last].at, after))
    }
}
