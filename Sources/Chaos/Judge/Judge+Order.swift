// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

extension JudgeContext {
    /// Instants in an order. Two are in order when neither what is unknown nor the room of an edge can turn them round.
    func judgeOrder(_ marks: [MarkExpression]) throws(Unjudgeable) -> Finding {
        var results: [Verdict.Result] = []
        var trouble: [String] = []
        for (a, b) in zip(marks, marks.dropFirst()) {
            let first = try value(of: a)
            let second = try value(of: b)
            let result = Self.order(first, second)
            results.append(result)
            if result != .pass {
                let early = "\(b) (\(readable(second.sighting.at)))"
                let late = "\(a) (\(readable(first.sighting.at)))"
                let apart = readable(first.sighting.at - second.sighting.at)
                trouble.append(
                    result == .fail ? "\(early) came \(apart) before \(late)" : "\(a) and \(b) are too close to tell")
            }
        }
        let wanted = marks.map(\.description).joined(separator: ", ")
        let result = Verdict.Result.worst(results)
        let seen = trouble.isEmpty ? "in order" : trouble.joined(separator: "; ")
        var finding = Finding(
            result: result, seen: seen, allowed: wanted, sentence: "\(seen), allowed the order \(wanted)")
        if result != .pass {
            let instants = marks.compactMap { instant(of: $0)?.at.count }
            finding.reasons = Diagnosis(context: self).reasons(from: instants.min() ?? 0, through: instants.max() ?? 0)
        }
        return finding
    }

    private typealias Place = (sighting: Sighting, room: ClosedRange<Int64>?)

    private static func order(_ a: Place, _ b: Place) -> Verdict.Result {
        // Where there is room, any instant of it will do.
        let aEarly = a.room?.lowerBound ?? a.sighting.latest.count
        let bLate = b.room?.upperBound ?? b.sighting.earliest.count
        if aEarly <= bLate { return .pass }
        let aFirst = a.room?.lowerBound ?? a.sighting.earliest.count
        let bLast = b.room?.upperBound ?? b.sighting.latest.count
        return aFirst > bLast ? .fail : .inconclusive
    }
}
