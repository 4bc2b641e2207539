// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// The upper bounds of a histogram's buckets, in whole milliseconds (kong/plugins/prometheus/exporter.lua).
enum LatencyBuckets: Sendable {
    /// Of the time that the gateway takes by itself.
    case kong
    /// Of the time that upstreams take, and of whole requests.
    case upstream

    var bounds: [Int] {
        switch self {
        case .kong: Self.kongBounds
        case .upstream: Self.upstreamBounds
        }
    }

    private static let kongBounds = [1, 2, 5, 7, 10, 15, 20, 30, 50, 75, 100, 200, 500, 750, 1000]
    private static let upstreamBounds = [
        25, 50, 80, 100, 250, 400, 700, 1000, 2000, 5000, 10_000, 30_000, 60_000,
    ]

    /// One more than there are bounds: the last one takes what is beyond all of them.
    var count: Int { bounds.count + 1 }

    /// The bucket of a time; nearly always one of the first, so that a search from the front is the quickest.
    @inline(__always)
    func place(ofNanoseconds nanoseconds: Int64) -> Int {
        let bounds = bounds
        var place = 0
        while place < bounds.count, nanoseconds > Int64(bounds[place]) * 1_000_000 { place += 1 }
        return place
    }
}
