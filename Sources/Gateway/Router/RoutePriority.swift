// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// Which of several matching routes wins in the flavour traditional_compatible (kong/router/transform.lua,
/// get_priority): a number of 64 bits, the larger one wins.
///
///     63…61  how many kinds of attributes the route has: methods, hosts, headers, paths, snis
///     60     it has hosts, and none of them is a wildcard
///     59…52  how many header names
///     51     its paths are regular expressions
///     50…19  regex_priority, if they are
///     18…0   the length of the path, if they are not
///
/// Of equal numbers the lexically larger id wins.
package struct RoutePriority: Hashable, Comparable, Sendable {
    package let value: UInt64
    package let id: String

    /// - Parameters:
    ///   - path: of the part of the route that this is about: one length of prefixes, or all regular expressions.
    package init(_ route: Route, path: PathKind) {
        var kinds = [route.methods.isEmpty, route.hosts.isEmpty, route.headers.isEmpty, route.snis.isEmpty]
            .count { !$0 }
        var value: UInt64 = 0
        switch path {
        case .none: break
        case .prefix(let length):
            kinds += 1
            value |= UInt64(min(length, 0x7FFFF))
        case .regex:
            kinds += 1
            value |= 1 << 51 | UInt64(min(max(route.regexPriority, 0), 0xFFFF_FFFF)) << 19
        }
        if !route.hosts.isEmpty, route.hosts.allSatisfy({ !$0.contains("*") }) { value |= 1 << 60 }
        value |= UInt64(min(route.headers.count, 255)) << 52
        self.value = value | UInt64(kinds) << 61
        id = route.id
    }

    package enum PathKind: Hashable, Sendable {
        case none
        case prefix(length: Int)
        case regex
    }

    package static func < (a: Self, b: Self) -> Bool { a.value != b.value ? a.value < b.value : a.id < b.id }
}
