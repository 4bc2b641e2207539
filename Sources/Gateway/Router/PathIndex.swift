// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// One way in which a part of a route can match: a path (or none) together with a host (or any).
struct Candidate: Sendable {
    /// The place in the order of all; the lowest one that matches wins.
    var order: UInt32
    /// Where the conditions stand that only few routes have.
    var part: UInt32
    /// Where the regular expression stands, or -1.
    var pattern: Int32
    /// The length of a plain prefix, or -1 when no path is asked for.
    var prefixLength: Int32
    /// The port that the request must be for, or -1.
    var port: Int32
    /// Bit n: the method with raw value n.
    var methods: UInt16
    /// There is more to ask than methods, host and path.
    var hasConditions: Bool

    var needsPath: Bool { prefixLength >= 0 || pattern >= 0 }
}

/// The paths of all routes as a radix tree in flat arrays: walking it along a path passes every prefix of that path
/// which some route names, and nothing else.
///
///     (root) ── "/" ─┬─ "orders" ── "/archive"        each node: label, children in the order of their first byte,
///                    └─ "users"                        and buckets of candidates, one a host, best candidate first
struct PathIndex: Sendable {
    private struct Node: Sendable {
        var label: Range<UInt32>
        var children: Range<UInt32>
        var buckets: Range<UInt32>
    }

    private struct Bucket: Sendable {
        var host: UInt32
        var candidates: Range<UInt32>
    }

    private var nodes: ContiguousArray<Node> = []
    private var firstBytes: ContiguousArray<UInt8> = []
    private var labels: ContiguousArray<UInt8> = []
    private var buckets: ContiguousArray<Bucket> = []
    private var candidates: ContiguousArray<Candidate> = []

    /// A candidate with what it is found by.
    struct Entry {
        /// What the path must begin with.
        var prefix: [UInt8]
        /// A number of the host index.
        var host: UInt32
        var candidate: Candidate
    }

    // MARK: Building

    init(_ entries: [Entry]) {
        let sorted = entries.sorted { a, b in
            if a.prefix != b.prefix { return a.prefix.lexicographicallyPrecedes(b.prefix) }
            return (a.host, a.candidate.order) < (b.host, b.candidate.order)
        }
        appendNode(label: [])
        // Nodes whose children are still to come: their entries, and how many bytes lead to them.
        var pending: [(node: Int, entries: Range<Int>, depth: Int)] = [(0, 0..<sorted.count, 0)]
        var next = 0
        while next < pending.count {
            let (node, range, depth) = pending[next]
            next += 1
            let own = range.prefix { sorted[$0].prefix.count == depth }
            appendBuckets(of: sorted[own], to: node)
            let firstChild = UInt32(nodes.count)
            var start = own.endIndex
            while start < range.upperBound {
                let byte = sorted[start].prefix[depth]
                let end = range[start...].first { sorted[$0].prefix[depth] != byte } ?? range.upperBound
                let length = Self.commonLength(sorted[start].prefix, sorted[end - 1].prefix)
                pending.append((nodes.count, start..<end, length))
                appendNode(label: sorted[start].prefix[depth..<length])
                start = end
            }
            nodes[node].children = firstChild..<UInt32(nodes.count)
        }
    }

    private static func commonLength(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var length = 0
        while length < a.count, length < b.count, a[length] == b[length] { length += 1 }
        return length
    }

    private mutating func appendNode(label: ArraySlice<UInt8>) {
        let start = UInt32(labels.count)
        labels.append(contentsOf: label)
        nodes.append(Node(label: start..<UInt32(labels.count), children: 0..<0, buckets: 0..<0))
        firstBytes.append(label.first ?? 0)
    }

    private mutating func appendBuckets(of entries: ArraySlice<Entry>, to node: Int) {
        let first = UInt32(buckets.count)
        for entry in entries {
            let place = UInt32(candidates.count)
            candidates.append(entry.candidate)
            if buckets.count > first, buckets[buckets.count - 1].host == entry.host {
                buckets[buckets.count - 1].candidates = buckets[buckets.count - 1].candidates.lowerBound..<place + 1
            } else {
                buckets.append(Bucket(host: entry.host, candidates: place..<place + 1))
            }
        }
        nodes[node].buckets = first..<UInt32(buckets.count)
    }

    // MARK: Finding

    /// Calls `accepts` with candidates that path and host allow, and returns the first in the order that it accepts.
    ///
    /// - Parameters:
    ///   - path: nil for a target without one; only candidates at the root are tried then.
    ///   - hosts: numbers of the host index.
    @inline(__always)
    func best(
        _ path: UnsafeRawBufferPointer?, hosts: UnsafeBufferPointer<UInt32>, accepts: (Candidate) -> Bool
    ) -> Candidate? {
        var best: Candidate?
        var node = 0
        var place = 0
        while true {
            for host in hosts { improve(&best, nodes[node].buckets, host, accepts) }
            guard let path, place < path.count, let child = child(of: node, path[place]) else { return best }
            let label = nodes[child].label
            guard path.count - place >= label.count else { return best }
            for offset in 1..<label.count where labels[Int(label.lowerBound) + offset] != path[place + offset] {
                return best
            }
            place += label.count
            node = child
        }
    }

    @inline(__always)
    private func improve(
        _ best: inout Candidate?, _ range: Range<UInt32>, _ host: UInt32, _ accepts: (Candidate) -> Bool
    ) {
        let index = partition(range) { buckets[Int($0)].host < host }
        guard index < range.upperBound, buckets[Int(index)].host == host else { return }
        for place in buckets[Int(index)].candidates {
            let candidate = candidates[Int(place)]
            if let best, best.order <= candidate.order { return }
            if accepts(candidate) {
                best = candidate
                return
            }
        }
    }

    @inline(__always)
    private func child(of node: Int, _ byte: UInt8) -> Int? {
        let range = nodes[node].children
        let index = partition(range) { firstBytes[Int($0)] < byte }
        return index < range.upperBound && firstBytes[Int(index)] == byte ? Int(index) : nil
    }

    /// The first index for which `isBefore` does not hold.
    @inline(__always)
    private func partition(_ range: Range<UInt32>, _ isBefore: (UInt32) -> Bool) -> UInt32 {
        var (low, high) = (range.lowerBound, range.upperBound)
        while low < high {
            let middle = low + (high - low) / 2
            if isBefore(middle) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
