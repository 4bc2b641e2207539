// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

extension RouteTable {
    /// The best route found so far.
    private struct Best {
        var rank = Int.max
        var matchedPathLength: Int?
        var captures: RouteRegex.Captures?
    }

    /// A request with its path normalised and its host taken apart.
    private struct Request<Headers: RequestHeaders> {
        var key: RequestKey
        var path: UnsafeRawBufferPointer
        var host: UnsafeRawBufferPointer
        var port: Int
        var headers: Headers
    }

    /// Finds the route of a request. Allocates nothing unless the path has to be normalised or a regular expression is
    /// tried.
    ///
    /// - Returns: nil when no route matches.
    package func match(_ key: RequestKey, headers: some RequestHeaders) -> RouteMatch? {
        if PathNormalization.isNormalized(key.path) { return find(key, path: key.path, normalized: nil, headers) }
        let normalized = PathNormalization.normalize(key.path)
        return normalized.withUnsafeBytes { find(key, path: $0, normalized: normalized, headers) }
    }

    private func find(
        _ key: RequestKey, path: UnsafeRawBufferPointer, normalized: [UInt8]?, _ headers: some RequestHeaders
    ) -> RouteMatch? {
        let (host, port) = Self.split(key.host)
        let request = Request(key: key, path: path, host: host, port: port ?? key.listenerPort, headers: headers)
        var best = Best()
        search(buckets[0], request, &best)
        searchHosts(request, &best)
        guard best.rank < entries.count else { return nil }
        return RouteMatch(
            compiled: entries[best.rank].compiled, normalizedPath: normalized,
            matchedPathLength: best.matchedPathLength, captures: best.captures)
    }

    /// The host without its port, and the port.
    private static func split(_ host: UnsafeRawBufferPointer) -> (UnsafeRawBufferPointer, port: Int?) {
        var place = host.count
        var port = 0
        var scale = 1
        while place > 0, case let digit = host[place - 1], digit >= 48, digit <= 57, scale <= 10_000 {
            port += Int(digit - 48) * scale
            scale *= 10
            place -= 1
        }
        guard place > 0, place < host.count, host[place - 1] == UInt8(ascii: ":") else { return (host, nil) }
        return (UnsafeRawBufferPointer(rebasing: host[..<(place - 1)]), port)
    }

    // MARK: Hosts

    private func searchHosts(_ request: Request<some RequestHeaders>, _ best: inout Best) {
        let host = request.host
        guard buckets.count > 1, !host.isEmpty, host.count <= 255 else { return }
        withUnsafeTemporaryAllocation(byteCount: host.count, alignment: 1) { lower in
            var hash = ByteHash()
            for place in 0..<host.count {
                lower[place] = lowercased(host[place])
                hash.feed(lower[place])
                guard lower[place] == UInt8(ascii: "."), !hostPrefixes.isEmpty else { continue }
                search(hostPrefixes, UnsafeRawBufferPointer(rebasing: lower[...place]), hash, request, &best)
            }
            search(exactHosts, UnsafeRawBufferPointer(lower), hash, request, &best)
            guard !hostSuffixes.isEmpty else { return }
            for place in 0..<host.count where lower[place] == UInt8(ascii: ".") {
                let suffix = UnsafeRawBufferPointer(rebasing: lower[place...])
                search(hostSuffixes, suffix, ByteHash.of(suffix), request, &best)
            }
        }
    }

    private func search(
        _ hosts: ByteIndex, _ host: UnsafeRawBufferPointer, _ hash: ByteHash, _ request: Request<some RequestHeaders>,
        _ best: inout Best
    ) {
        if let place = hosts.value(of: host, hash: hash) { search(buckets[place], request, &best) }
    }

    // MARK: Paths

    private func search(_ bucket: Bucket, _ request: Request<some RequestHeaders>, _ best: inout Best) {
        let path = request.path
        var hash = ByteHash()
        var hashed = 0
        for length in bucket.lengths {
            guard length <= path.count else { break }
            while hashed < length {
                hash.feed(path[hashed])
                hashed += 1
            }
            let prefix = UnsafeRawBufferPointer(rebasing: path[..<length])
            guard let place = bucket.prefixes.value(of: prefix, hash: hash) else { continue }
            if let rank = firstMatch(bucket.lists[place], request, below: best.rank) {
                best = Best(rank: rank, matchedPathLength: length)
            }
        }
        if let rank = firstMatch(bucket.pathless, request, below: best.rank) { best = Best(rank: rank) }
        if !bucket.regexes.isEmpty { searchRegexes(bucket.regexes, request, &best) }
    }

    private func firstMatch(
        _ candidates: [Candidate], _ request: Request<some RequestHeaders>, below limit: Int
    ) -> Int? {
        for candidate in candidates {
            if candidate.rank >= limit { return nil }
            if matches(candidate, request) { return candidate.rank }
        }
        return nil
    }

    /// A path that is no UTF-8 matches no regular expression.
    private func searchRegexes(
        _ candidates: [Candidate], _ request: Request<some RequestHeaders>, _ best: inout Best
    ) {
        guard candidates[0].rank < best.rank, let path = String(validating: request.path, as: UTF8.self) else { return }
        for candidate in candidates {
            if candidate.rank >= best.rank { return }
            guard matches(candidate, request) else { continue }
            for regex in entries[candidate.rank].regexes {
                guard let match = regex.prefixMatch(path) else { continue }
                best = Best(rank: candidate.rank, matchedPathLength: match.length, captures: match.captures)
                return
            }
        }
    }

    // MARK: Other attributes

    private func matches(_ candidate: Candidate, _ request: Request<some RequestHeaders>) -> Bool {
        if candidate.port != 0, candidate.port != request.port { return false }
        let key = request.key
        let entry = entries[candidate.rank]
        if !entry.methods.isEmpty, !entry.methods.contains(where: { key.method.elementsEqual($0) }) { return false }
        if !entry.serverNames.isEmpty, key.isEncrypted,
            !entry.serverNames.contains(where: { equalIgnoringCase(key.serverName, $0) })
        {
            return false
        }
        return entry.headers.allSatisfy { header in
            request.headers.contains(header.name) { header.matches($0) }
        }
    }
}
