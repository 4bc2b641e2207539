// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// All routes of one configuration, compiled to bytes. Immutable.
///
/// A route is compared only where its host and its path agree with the request's: hosts lead to a `Bucket`, prefixes of
/// the path in it lead to short lists. The cost grows with the number of distinct lengths of prefixes, hardly with
/// that of routes. Of what agrees, the one of the lowest rank wins whose other attributes match too.
package final class RouteTable: Sendable {
    /// A route, or the part of it whose paths have the same priority. Its place in `entries` is its rank.
    struct Entry: Sendable {
        var compiled: CompiledRoute
        var methods: [[UInt8]]
        var headers: [HeaderMatcher]
        /// In lower case.
        var serverNames: [[UInt8]]
        /// Tried in order.
        var regexes: [RouteRegex]
    }

    /// An entry under one of its hosts.
    struct Candidate: Sendable {
        var rank: Int
        /// The port that the host was given with; 0 is any.
        var port: Int
    }

    /// The entries of one host, or of none. A class, so that a look-up retains one reference and not six.
    final class Bucket: Sendable {
        /// The distinct lengths of prefixes, ascending.
        let lengths: [Int]
        /// From prefixes to places in `lists`.
        let prefixes: ByteIndex
        /// By ascending rank.
        let lists: [[Candidate]]
        let pathless: [Candidate]
        let regexes: [Candidate]

        init(
            lengths: [Int], prefixes: ByteIndex, lists: [[Candidate]], pathless: [Candidate], regexes: [Candidate]
        ) {
            self.lengths = lengths
            self.prefixes = prefixes
            self.lists = lists
            self.pathless = pathless
            self.regexes = regexes
        }
    }

    let entries: [Entry]
    /// The first one holds the entries without hosts.
    let buckets: [Bucket]
    /// `example.com`, in lower case, to a place in `buckets`; likewise the next two.
    let exactHosts: ByteIndex
    /// `.example.com` of `*.example.com`.
    let hostSuffixes: ByteIndex
    /// `example.` of `example.*`.
    let hostPrefixes: ByteIndex
    /// What could not be compiled and is left out; nothing for a configuration that was validated.
    package let problems: [String]

    /// Routes of disabled services, of stream protocols and without any attribute are left out.
    package init(_ configuration: Configuration) {
        var builder = RouteTableBuilder()
        let services = Dictionary(configuration.services.map { ($0.id, $0) }, uniquingKeysWith: { _, last in last })
        for route in configuration.routes {
            let service = route.serviceID.flatMap { services[$0] }
            if service?.enabled ?? true { builder.add(CompiledRoute(route: route, service: service)) }
        }
        let parts = builder.finish()
        entries = parts.entries
        buckets = parts.buckets
        exactHosts = ByteIndex(parts.exactHosts)
        hostSuffixes = ByteIndex(parts.hostSuffixes)
        hostPrefixes = ByteIndex(parts.hostPrefixes)
        problems = parts.problems
    }
}

/// One name of a route's `headers`: any line of this name may match any of the values.
struct HeaderMatcher: Sendable {
    var name: [UInt8]
    /// In lower case.
    var values: [[UInt8]]
    var regexes: [RouteRegex]

    func matches(_ value: UnsafeRawBufferPointer) -> Bool {
        if values.contains(where: { equalIgnoringCase(value, $0) }) { return true }
        guard !regexes.isEmpty, let text = String(validating: value, as: UTF8.self) else { return false }
        return regexes.contains { $0.occurs(in: text) }
    }
}

func lowercased(_ byte: UInt8) -> UInt8 { byte >= 65 && byte <= 90 ? byte + 32 : byte }

/// - Parameter lower: in lower case.
func equalIgnoringCase(_ bytes: UnsafeRawBufferPointer, _ lower: [UInt8]) -> Bool {
    guard bytes.count == lower.count else { return false }
    for place in 0..<lower.count where lowercased(bytes[place]) != lower[place] { return false }
    return true
}
