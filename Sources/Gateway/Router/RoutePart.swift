// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// Some paths of a route that rank alike: all of one length, or all regular expressions, or none. Kong's
/// traditional_compatible flavour splits routes so before it gives each part its number (kong/router/transform.lua).
struct RoutePart {
    let route: Route
    let paths: [String]
    /// The route's own identifier, or one made from it when there are several parts.
    let id: String

    /// Kong's namespace for the identifiers of parts (uuid_generator in kong/router/transform.lua).
    private static let namespace = "7f145bf9-0dce-4f91-98eb-debbce4b9f6b"

    static func isPattern(_ path: String) -> Bool { path.utf8.first == UInt8(ascii: "~") }

    static func parts(of route: Route) -> [RoutePart] {
        var groups: [(length: Int, paths: [String])] = []
        for path in route.paths {
            let length = isPattern(path) ? 0 : path.utf8.count
            if let place = groups.firstIndex(where: { $0.length == length }) {
                groups[place].paths.append(path)
            } else {
                groups.append((length, [path]))
            }
        }
        guard groups.count > 1 else { return [RoutePart(route: route, paths: route.paths, id: route.id)] }
        return groups.enumerated().map { place, group in
            let name = "\(route.id)#\(place + 1)"
            return RoutePart(
                route: route, paths: group.paths, id: UUIDs.version5(namespace: namespace, name: name))
        }
    }

    /// Larger comes first. The bits of get_priority in kong/router/transform.lua:
    ///
    ///     63…61 kinds of attributes · 60 no wildcard among the hosts · 59…52 headers · 51 regular expression
    ///     50…19 regex_priority · 18…0 length of the path
    var priority: UInt64 {
        let headers = route.headers.count { !$0.values.isEmpty }
        let isPattern = paths.first.map(Self.isPattern) ?? false
        var kinds: UInt64 = 0
        for isSet in [!route.methods.isEmpty, !route.hosts.isEmpty, headers > 0, !paths.isEmpty, !route.snis.isEmpty]
        where isSet { kinds += 1 }
        var number = kinds << 61 | UInt64(min(headers, 255)) << 52
        if !route.hosts.isEmpty, !route.hosts.contains(where: { $0.utf8.contains(UInt8(ascii: "*")) }) {
            number |= 1 << 60
        }
        if isPattern {
            number |= 1 << 51 | UInt64(UInt32(clamping: route.regexPriority)) << 19
        } else {
            number |= UInt64(paths.first?.utf8.count ?? 0) & 0x7_FFFF
        }
        return number
    }

    /// Whether `self` is asked before `other`. Equal numbers: the larger identifier first.
    func precedes(_ other: RoutePart, _ numbers: (own: UInt64, other: UInt64)) -> Bool {
        numbers.own == numbers.other ? id > other.id : numbers.own > numbers.other
    }
}
