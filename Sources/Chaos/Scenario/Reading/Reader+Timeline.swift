// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

// The time line: when steps are due, and how many steps a written one stands for. What they do is in Reader+Actions.
extension Reader {
    static let stepKeys = Vocabulary.step.names

    mutating func steps(_ node: DocumentNode?, _ topology: Topology) -> [Step] {
        var steps: [Step] = []
        for (index, item) in list(node, "`timeline`").enumerated() {
            steps += self.steps(of: item, number: index + 1, topology)
        }
        return steps
    }

    /// A mark of a step and whether it has an end.
    struct StepMark {
        var name: String
        var hasEnd: Bool
        var location: SourceLocation
        var index: Int
    }

    /// The marks that steps make, without reporting anything: the steps' own reading does that.
    func stepMarks(_ node: DocumentNode?, _ topology: Topology) -> [StepMark] {
        var marks: [StepMark] = []
        for (index, item) in (node?.items ?? []).enumerated() {
            var quiet = self
            guard let name = quiet.stepName(item, number: index + 1) else { continue }
            let place = (item["name"] ?? item["checkpoint"] ?? item).location
            let isUndone = item["for"] != nil || item["kill"] != nil && item["restart"] != nil || Self.loops(item)
            marks.append(StepMark(name: name, hasEnd: isUndone, location: place, index: index))
            for copy in quiet.copyNames(of: item, name: name, topology) ?? [] {
                marks.append(StepMark(name: copy, hasEnd: isUndone, location: place, index: index))
            }
        }
        return marks
    }

    private static func loops(_ item: DocumentNode) -> Bool { item["crash_loop"] != nil }

    /// The name of the mark. A crash loop needs one of its own: its crashes wait for each other.
    private mutating func stepName(_ item: DocumentNode, number: Int) -> String? {
        if let node = item["name"] ?? item["checkpoint"] { return identifier(node, "") }
        return Self.loops(item) ? "step-\(number)" : nil
    }

    /// `flap-1`, `flap-2`, …: nil for an item that is one step.
    private mutating func copyNames(of item: DocumentNode, name: String, _ topology: Topology) -> [String]? {
        copies(of: item, topology).map { count in count < 1 ? [] : (1...count).map { "\(name)-\($0)" } }
    }

    /// How many steps an item stands for; nil = one, under its own name.
    private mutating func copies(of item: DocumentNode, _ topology: Topology) -> Int? {
        var quiet = self
        var count: Int?
        if let times = item["times"] { count = quiet.integer(times, "", in: 1...1_000) ?? 1 }
        if Self.loops(item) { count = quiet.crashLoop(item)?.times ?? 1 }
        if let nodes = quiet.chosenNodes(of: item, topology), case .several(let number) = nodes.shape {
            count = (count ?? 1) * number
        }
        return count.map { min($0, 1_000) }
    }

    // MARK: One item

    private mutating func steps(of node: DocumentNode, number: Int, _ topology: Topology) -> [Step] {
        guard let fields = fields(node, "a step", keys: Self.stepKeys) else { return [] }
        let triggers = triggers(fields)
        if let nameNode = fields["name"] {
            _ = identifier(nameNode, "the `name` of a step")
            if fields["checkpoint"] != nil {
                report(fields.keyLocation("name"), "a checkpoint has its name already", advice: "remove `name`")
            }
        } else if let nameNode = fields["checkpoint"] {
            _ = identifier(nameNode, "the name of a checkpoint")
        }
        var length = fields["for"].flatMap { lengthRange($0, "`for` of a step", allowsZero: false) }
        guard let written = action(fields, number: number, topology, &length) else { return [] }
        if fields["for"] != nil, !written.action.canBeUndone {
            report(fields.keyLocation("for"), "this step cannot be undone", advice: "remove `for`")
        }
        var quiet = self
        let name = quiet.stepName(node, number: number)
        let places = Self.places(written)
        guard !triggers.isEmpty, !places.isEmpty else { return [] }
        if let loop = fields["crash_loop"] == nil ? nil : crashLoop(node) {
            return crashes(loop, written, places, triggers, name ?? "step-\(number)", fields)
        }
        var steps: [Step] = []
        for (turn, trigger) in triggers.enumerated() {
            for place in places {
                var step = Step(
                    name: name, trigger: trigger.trigger, length: length?.upperBound,
                    action: place.action(written, turn: turn), location: node.location)
                step.draw = place.draw(key: name ?? "\(number)", turn: turn)
                if let spread = trigger.spread { step.draw = (step.draw ?? Draw()).adding(spread: spread) }
                if let length, length.lowerBound < length.upperBound {
                    step.draw = (step.draw ?? Draw()).adding(length: length)
                }
                steps.append(step)
            }
        }
        return copies(of: node, topology) == nil ? steps : Self.numbered(steps, family: name)
    }

    /// Several steps of one item: `flap-1`, `flap-2`; together they make `flap` and `flap.end`.
    private static func numbered(_ steps: [Step], family: String?) -> [Step] {
        guard let family else { return steps }
        return steps.enumerated().map { index, step in
            var step = step
            step.name = "\(family)-\(index + 1)"
            step.family = family
            step.isFirst = index == 0
            step.isLast = index == steps.count - 1
            return step
        }
    }

    // MARK: When

    /// A time, and how much later it may be by the seed.
    private struct Due {
        var trigger: Step.Trigger
        var spread: Nanoseconds?
    }

    /// When a step is due, a time for each repetition; empty when that is wrong.
    private mutating func triggers(_ fields: Fields) -> [Due] {
        let given = ["at", "after", "when", "between"].filter { fields[$0] != nil }
        guard given.count == 1 || given.isEmpty && fields["every"] != nil else {
            report(
                given.count > 1 ? fields.keyLocation(given[1]) : fields.location,
                given.isEmpty ? "a step needs a time" : "a step has more than one time",
                advice: given.isEmpty
                    ? "write at: 10s or after: <mark>" : "keep one of \(given.joined(separator: ", "))")
            return []
        }
        if fields["random"] != nil, given != ["between"] {
            report(fields.keyLocation("random"), "`random` belongs to `between`", advice: "write between: [10s, 40s]")
        }
        if given == ["between"] { return between(fields) }
        if given == ["when"] {
            for key in ["every", "times"] where fields[key] != nil {
                report(
                    fields.keyLocation(key), "`\(key)` does not go with `when`", advice: "write a step for each time")
            }
            return fields["when"].flatMap { condition($0, "`when`") }.map { [Due(trigger: .when($0))] } ?? []
        }
        var base: MarkExpression?
        if let node = fields["at"] {
            base = duration(node, "`at` of a step").map { MarkExpression(.start, offset: $0) }
            if base == nil { return [] }
        } else if let node = fields["after"] {
            base = mark(node, "`after` of a step")
            if base == nil { return [] }
        }
        return repetitions(of: base, fields)
    }

    /// `every: 5s, times: 3`: from the given time on, or 5 s, 10 s and 15 s after the start of the load.
    private mutating func repetitions(of base: MarkExpression?, _ fields: Fields) -> [Due] {
        guard let everyNode = fields["every"] else {
            if fields["times"] != nil {
                report(fields.keyLocation("times"), "`times` needs `every`", advice: "write every: 5s, times: 3")
            }
            return base.map { [Due(trigger: .at($0))] } ?? []
        }
        let every = duration(everyNode, "`every` of a step", allowsZero: false)
        let times = required("times", in: fields, "a step with `every`", advice: "write times: 3").flatMap {
            integer($0, "`times` of a step", in: 1...1_000)
        }
        guard let every, let times else { return [] }
        let first = base ?? MarkExpression(.start, offset: every)
        return (0..<times).map {
            Due(trigger: .at(MarkExpression(first.mark, offset: first.offset + every * Int64($0))))
        }
    }

    /// `between: [10s, 40s]`: drawn from the seed, or spread evenly with `random: false`.
    private mutating func between(_ fields: Fields) -> [Due] {
        if fields["every"] != nil {
            report(fields.keyLocation("every"), "`every` does not go with `between`", advice: "write times: 3 alone")
        }
        let times = fields["times"].map { integer($0, "`times` of a step", in: 1...1_000) } ?? 1
        let isRandom = fields["random"].map { boolean($0, "`random`") } ?? true
        guard let node = fields["between"] else { return [] }
        guard let items = node.items, items.count == 2 else {
            report(node.location, "`between` must be a list of two times", advice: "write between: [10s, 40s]")
            return []
        }
        guard let from = mark(items[0], "the start of `between`"), let to = mark(items[1], "the end of `between`"),
            let times, let isRandom
        else { return [] }
        guard from.mark == to.mark else {
            report(
                items[1].location, "both ends of `between` must be measured from one mark",
                advice: "write [\(from), \(from.mark) + 30s]")
            return []
        }
        guard from.offset < to.offset else {
            report(node.location, "`between` ends before it starts", advice: "put the earlier time first")
            return []
        }
        let room = to.offset - from.offset
        if isRandom { return (0..<times).map { _ in Due(trigger: .at(from), spread: room) } }
        return (0..<times).map { turn in
            let share = times == 1 ? 0 : Double(turn) / Double(times - 1)
            let offset = from.offset + Nanoseconds(seconds: room.inSeconds * share)
            return Due(trigger: .at(MarkExpression(from.mark, offset: offset)))
        }
    }

    /// `5s`, or a range from which the seed draws: `5s..8s`.
    mutating func lengthRange(
        _ node: DocumentNode, _ what: String, allowsZero: Bool
    ) -> ClosedRange<Nanoseconds>? {
        guard node.scalar?.contains("..") == true else {
            return duration(node, what, allowsZero: allowsZero).map { $0...$0 }
        }
        guard let bound = bound(node, what, over: [.duration], bare: .exactly) else { return nil }
        guard let limits = bound.constant, case .duration(let low)? = limits.lower,
            case .duration(let high)? = limits.upper, low >= .zero, high > .zero, low <= high
        else {
            report(node.location, "\(what) must be a range of lengths", advice: "write 500ms..4s")
            return nil
        }
        return low...high
    }

    // MARK: Crash loops

    /// `crash_loop: { times: 4, up: 1s, down: 500ms..4s }`
    struct CrashLoop {
        var times: Int
        var up: Nanoseconds
        var down: ClosedRange<Nanoseconds>
    }

    private mutating func crashLoop(_ item: DocumentNode) -> CrashLoop? {
        let what = "`crash_loop`"
        guard let node = item["crash_loop"], let fields = fields(node, what, keys: Vocabulary.crashLoop.names) else {
            return nil
        }
        let times = required("times", in: fields, what, advice: "write times: 4").flatMap {
            integer($0, "`times` of \(what)", in: 1...1_000)
        }
        let up = required("up", in: fields, what, advice: "write up: 1s").flatMap { duration($0, "`up` of \(what)") }
        let down = required("down", in: fields, what, advice: "write down: 500ms..4s").flatMap {
            lengthRange($0, "`down` of \(what)", allowsZero: true)
        }
        guard let times, let up, let down else { return nil }
        return CrashLoop(times: times, up: up, down: down)
    }

    /// A crash after the other: each waits until the one before is over and the node was up for a while.
    private mutating func crashes(
        _ loop: CrashLoop, _ written: WrittenAction, _ places: [NodePlace], _ triggers: [Due], _ name: String,
        _ fields: Fields
    ) -> [Step] {
        for key in ["for", "restart", "every", "times"] where fields[key] != nil {
            report(fields.keyLocation(key), "`\(key)` does not go with `crash_loop`", advice: "remove it")
        }
        guard let first = triggers.first, triggers.count == 1 else { return [] }
        var steps: [Step] = []
        for (order, place) in places.enumerated() {
            for turn in 0..<loop.times {
                let former = MarkName("\(name)-\(order * loop.times + turn).end")
                let trigger = turn == 0 ? first.trigger : .at(MarkExpression(former, offset: loop.up))
                var step = Step(
                    name: nil, trigger: trigger, length: loop.down.upperBound,
                    action: place.action(written, turn: 0), location: fields.location)
                step.draw = place.draw(key: name, turn: 0)
                if turn == 0, let spread = first.spread { step.draw = (step.draw ?? Draw()).adding(spread: spread) }
                if loop.down.lowerBound < loop.down.upperBound {
                    step.draw = (step.draw ?? Draw()).adding(length: loop.down)
                }
                steps.append(step)
            }
        }
        return Self.numbered(steps, family: name)
    }
}

extension Draw {
    fileprivate func adding(spread: Nanoseconds) -> Draw {
        var draw = self
        draw.spread = spread
        return draw
    }

    fileprivate func adding(length: ClosedRange<Nanoseconds>) -> Draw {
        var draw = self
        draw.length = length
        return draw
    }
}
