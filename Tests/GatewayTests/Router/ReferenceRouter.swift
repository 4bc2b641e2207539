// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Gateway

/// The rules once more, as plainly as can be and as slowly: texts, a sorted list, no index. Shares nothing with the
/// table but the identifiers of parts.
struct ReferenceRouter {
    struct Part {
        let route: Route
        let paths: [String]
        let id: String
        let rank: [Int]
    }

    struct Answer: Equatable {
        let id: String
        let target: String
    }

    let parts: [Part]
    let servicePath: String

    init(_ routes: [Route], servicePath: String) {
        self.servicePath = servicePath
        parts = routes.flatMap(Self.parts).sorted { a, b in
            a.rank == b.rank ? a.id > b.id : b.rank.lexicographicallyPrecedes(a.rank)
        }
    }

    static func parts(of route: Route) -> [Part] {
        func kind(_ path: String) -> Int { path.hasPrefix("~") ? 0 : path.utf8.count }
        var kinds: [Int] = []
        for path in route.paths where !kinds.contains(kind(path)) { kinds.append(kind(path)) }
        if kinds.count < 2 {
            return [Part(route: route, paths: route.paths, id: route.id, rank: rank(route, route.paths))]
        }
        return kinds.enumerated().map { place, wanted in
            let paths = route.paths.filter { kind($0) == wanted }
            let id = UUIDs.version5(
                namespace: "7f145bf9-0dce-4f91-98eb-debbce4b9f6b", name: "\(route.id)#\(place + 1)")
            return Part(route: route, paths: paths, id: id, rank: rank(route, paths))
        }
    }

    static func rank(_ route: Route, _ paths: [String]) -> [Int] {
        let lists = [route.methods, route.hosts, paths, route.snis, route.headers.map(\.name)]
        let isRegular = paths.first?.hasPrefix("~") == true
        return [
            lists.count { !$0.isEmpty },
            !route.hosts.isEmpty && route.hosts.allSatisfy { !$0.contains("*") } ? 1 : 0,
            route.headers.count,
            isRegular ? 1 : 0,
            isRegular ? route.regexPriority : 0,
            isRegular ? 0 : paths.first?.utf8.count ?? 0,
        ]
    }

    /// - Parameter request: with a target of a path and maybe a query, and a host.
    func match(_ request: RequestSketch) -> Answer? {
        let target = String(decoding: request.target, as: UTF8.self)
        let question = target.firstIndex(of: "?") ?? target.endIndex
        let path = PathNormalization.normalized(String(target[..<question]))
        for part in parts {
            guard Self.fits(part.route, request) else { continue }
            var matched: Int?
            if !part.paths.isEmpty {
                guard let length = part.paths.lazy.compactMap({ Self.matchedLength($0, path) }).first else { continue }
                matched = length
            }
            let strips = part.route.stripPath && matched != nil
            let uri = join(path, rest: String(path.utf8.dropFirst(matched ?? 0)) ?? "", strips: strips)
            return Answer(id: part.route.id, target: Self.escaped(uri) + target[question...])
        }
        return nil
    }

    static func matchedLength(_ pattern: String, _ path: String) -> Int? {
        guard pattern.hasPrefix("~") else { return path.utf8.starts(with: pattern.utf8) ? pattern.utf8.count : nil }
        guard let regex = try? Regex("^(?:\(pattern.dropFirst()))"), let match = try? regex.firstMatch(in: path) else {
            return nil
        }
        return path[match.range].utf8.count
    }

    static func fits(_ route: Route, _ request: RequestSketch) -> Bool {
        if !route.methods.isEmpty, !route.methods.contains(request.method) { return false }
        if !route.hosts.isEmpty, !route.hosts.contains(where: { fits(host: $0, request) }) { return false }
        return route.headers.allSatisfy { header in
            request.fields.contains { field in
                field.name.lowercased() == header.name.lowercased()
                    && header.values.contains { $0.lowercased() == field.value.lowercased() }
            }
        }
    }

    static func fits(host pattern: String, _ request: RequestSketch) -> Bool {
        let wanted = pattern.lowercased().split(separator: ":")
        let given = (request.host ?? "").lowercased().split(separator: ":")
        guard let name = wanted.first, let host = given.first else { return false }
        if wanted.count > 1, wanted[1] != (given.count > 1 ? given[1] : Substring("\(request.port)")) { return false }
        if name.hasPrefix("*") { return host.hasSuffix(name.dropFirst()) }
        if name.hasSuffix("*") { return host.hasPrefix(name.dropLast()) }
        return host == name
    }

    /// get_upstream_uri_v0 of kong/router/utils.lua, line by line.
    func join(_ path: String, rest: String, strips: Bool) -> String {
        var rest = rest
        if rest == "." || rest == ".." { rest = "" }
        if rest.hasPrefix("./") { rest.removeFirst(2) } else if rest.hasPrefix("../") { rest.removeFirst(3) }
        if servicePath.hasSuffix("/") {
            guard strips else { return servicePath + path.dropFirst() }
            if rest.isEmpty {
                if servicePath == "/" { return "/" }
                return path.hasSuffix("/") ? servicePath : String(servicePath.dropLast())
            }
            return rest.hasPrefix("/") ? servicePath.dropLast() + rest : servicePath + rest
        }
        guard strips else { return path == "/" ? servicePath : servicePath + path }
        if rest.isEmpty { return path.count > 1 && path.hasSuffix("/") ? servicePath + "/" : servicePath }
        return rest.hasPrefix("/") ? servicePath + rest : servicePath + "/" + rest
    }

    static func escaped(_ text: String) -> String {
        let kept = "!#$&'()*+,/:;=?@[]-_.~%"
        return text.utf8.map { byte in
            let character = Character(Unicode.Scalar(byte))
            if byte < 128, character.isLetter || character.isNumber || kept.contains(character) {
                return String(character)
            }
            return (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }
}
