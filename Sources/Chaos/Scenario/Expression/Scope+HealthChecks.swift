// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

extension Scope {
    /// A field of an upstream's `healthchecks`: seconds become durations, the rest keeps its type.
    ///
    /// - Parameter upstream: nil = the first of the configuration.
    func healthCheck(
        of upstream: String?, _ path: [String], at location: SourceLocation
    ) throws(FoldError) -> Value {
        guard let upstreams else {
            throw .mistake(
                Problem(at: location, "`hc` is not known before the topology", advice: "use it in the bounds instead"))
        }
        guard let facts = upstream == nil ? upstreams.first : upstreams.first(where: { $0.name == upstream }) else {
            let problem =
                upstream.map { Problem.unknownName($0, kind: "upstream", known: upstreams.map(\.name), at: location) }
                ?? Problem(at: location, "`hc` needs an upstream", advice: "the Kong document has none")
            throw .mistake(problem)
        }
        var node = facts.healthChecks
        var walked = "hc"
        for key in path {
            guard let next = node[key] else {
                let known = node.objectValue.map { Array($0.keys) } ?? []
                let near = nearestKey(to: key, among: known)
                throw .mistake(
                    Problem(
                        at: location, "`\(walked)` has no `\(key)`",
                        advice: near.map { "did you mean `\($0)`?" }
                            ?? (known.isEmpty ? nil : "it has \(known.joined(separator: ", "))")))
            }
            node = next
            walked += ".\(key)"
        }
        switch node {
        case .bool(let value): return .boolean(value)
        case .string(let value): return .text(value)
        case .integer, .number:
            let value = node.doubleValue ?? 0
            let isTime = path.last == "interval" || path.last == "timeout"
            return isTime ? .duration(Nanoseconds(seconds: value)) : .number(value)
        case .null, .array, .object:
            throw .mistake(
                Problem(
                    at: location, "`\(walked)` is no single value",
                    advice: "name a field: hc.active.unhealthy.interval"))
        }
    }
}
