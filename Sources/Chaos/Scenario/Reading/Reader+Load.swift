// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

extension Reader {
    static let loadKeys = Vocabulary.load.names

    /// - Parameter entries: gateways, and programs in front of them.
    mutating func loads(_ node: DocumentNode?, entries: [String]) -> [LoadSpec] {
        var loads: [LoadSpec] = []
        for (index, item) in list(node, "`load`").enumerated() {
            guard let load = load(item, fallback: LoadSpec.defaultID(index), entries: entries) else { continue }
            if loads.contains(where: { $0.id == load.id }) {
                report(item["id"]?.location ?? item.location, "there are two loads `\(load.id)`", advice: "rename one")
            }
            loads.append(load)
        }
        return loads
    }

    private mutating func load(_ node: DocumentNode, fallback: String, entries: [String]) -> LoadSpec? {
        guard let fields = fields(node, "a load", keys: Self.loadKeys) else { return nil }
        let id = fields["id"].flatMap { identifier($0, "the `id` of a load") } ?? fallback
        let what = "the load `\(id)`"
        var to = entries.first ?? "gateway"
        if let node = fields["to"] { to = name(node, kind: "gateway", among: entries) ?? to }
        let shape =
            fields["replay"] != nil
            ? replay(fields, what, files) : fields["clients"] == nil ? open(fields, what) : closed(fields, what)
        if let shape, shape.isSilent {
            report(
                fields.member("rate")?.value.location ?? fields.member("stages")?.value.location ?? fields.location,
                "\(what) sends nothing: its rate is 0/s throughout", advice: "write rate: 50/s")
        }
        let mix = mix(fields, what)
        var timeout = Nanoseconds.seconds(10)
        if let node = fields["timeout"] {
            timeout = duration(node, "`timeout` of \(what)", allowsZero: false) ?? timeout
        }
        var warmup = Nanoseconds.zero
        if let node = fields["warmup"] { warmup = duration(node, "`warmup` of \(what)") ?? warmup }
        let (maximum, reuses) = connections(fields["connections"], what)
        checkSessions(fields, mix, shape, what)
        guard let shape, !mix.isEmpty else { return nil }
        return LoadSpec(
            id: id, to: to, shape: shape, mix: mix, timeout: timeout, maximumConnections: maximum,
            reusesConnections: reuses, warmup: warmup, location: node.location)
    }

    /// What a load of WebSocket messages cannot be.
    private mutating func checkSessions(
        _ fields: Fields, _ mix: [LoadSpec.WeightedRequest], _ shape: LoadSpec.Shape?, _ what: String
    ) {
        guard mix.contains(where: \.request.isWebSocket) else { return }
        if fields["mix"] != nil {
            report(
                fields.keyLocation("mix"), "`websocket` in the mix of \(what)", advice: "give it a load of its own")
        }
        if fields["connections"] != nil {
            report(
                fields.keyLocation("connections"), "`connections` beside `websocket`: each client has one session",
                advice: "remove it")
        }
        if let shape {
            if case .closed = shape { return }
            report(
                fields.keyLocation("request"),
                "\(what) sends WebSocket messages in an open loop: a session has one message under way at a time",
                advice: "give `clients` and `think` instead of a rate")
        }
    }

    /// An id or a mark: letters, digits, `_` and inner `-`, so that expressions can name it.
    mutating func identifier(_ node: DocumentNode, _ what: String) -> String? {
        guard let text = word(node, what) else { return nil }
        if (try? Lexer.tokens(of: text))?.map(\.kind) == [.name(text), .end] { return text }
        report(
            node.location, "\(what) cannot be `\(text)`", advice: "use letters, digits, _ and inner -, a letter first")
        return nil
    }

    private mutating func connections(_ node: DocumentNode?, _ what: String) -> (maximum: Int?, reuses: Bool) {
        guard let node, let fields = fields(node, "`connections`", keys: Vocabulary.loadConnections.names) else {
            return (nil, true)
        }
        return (
            fields["max"].flatMap { integer($0, "`max` connections of \(what)", in: 1...1_000_000) },
            fields["reuse"].flatMap { boolean($0, "`reuse` of \(what)") } ?? true
        )
    }

    // MARK: Shape

    private mutating func open(_ fields: Fields, _ what: String) -> LoadSpec.Shape? {
        for key in ["think", "requests"] where fields[key] != nil {
            report(fields.keyLocation(key), "`\(key)` belongs to a closed loop", advice: "give `clients`, or remove it")
        }
        var arrivals = LoadSpec.Arrivals.even
        if let node = fields["arrivals"] { arrivals = choice(node, "`arrivals` of \(what)") ?? arrivals }
        if let node = fields["stages"] {
            for key in ["rate", "for"] where fields[key] != nil {
                report(fields.keyLocation(key), "`\(key)` beside `stages`", advice: "put it into a stage")
            }
            let items = list(node, "`stages`")
            let stages = items.compactMap { stage($0, what) }
            if items.isEmpty { report(node.location, "`stages` of \(what) is empty") }
            return stages.isEmpty ? nil : .open(stages: stages, arrivals: arrivals)
        }
        guard fields["rate"] != nil else {
            report(
                fields.location, "\(what) has no rate", advice: "give `rate` and `for`, `stages`, `clients` or `replay`"
            )
            return nil
        }
        return stage(fields, what).map { .open(stages: [$0], arrivals: arrivals) }
    }

    private mutating func stage(_ node: DocumentNode, _ what: String) -> LoadSpec.Stage? {
        guard let fields = fields(node, "a stage", keys: Vocabulary.stage.names) else { return nil }
        guard fields["burst"] != nil else {
            if fields["every"] != nil { report(fields.keyLocation("every"), "`every` belongs to `burst`") }
            return stage(fields, what)
        }
        if fields["rate"] != nil { report(fields.keyLocation("rate"), "a stage has `rate` or `burst`, not both") }
        guard let sizeNode = required("burst", in: fields, "a stage"),
            let size = integer(sizeNode, "`burst` of \(what)", in: 1...1_000_000),
            let everyNode = required("every", in: fields, "a burst", advice: "write every: 5s"),
            let period = duration(everyNode, "`every` of \(what)", allowsZero: false),
            let length = length(fields, "a burst")
        else { return nil }
        return .burst(size: size, period: period, length: length)
    }

    private mutating func stage(_ fields: Fields, _ what: String) -> LoadSpec.Stage? {
        let length = length(fields, what)
        guard let node = required("rate", in: fields, "a stage", advice: "write rate: 50/s"),
            let (from, to) = rates(node, "`rate` of \(what)"), let length
        else { return nil }
        return .rate(from: from, to: to, length: length)
    }

    private mutating func length(_ fields: Fields, _ what: String) -> Nanoseconds? {
        required("for", in: fields, what, advice: "write for: 45s").flatMap {
            duration($0, "`for` of \(what)", allowsZero: false)
        }
    }

    /// `50/s` or `10/s..200/s`.
    private mutating func rates(_ node: DocumentNode, _ what: String) -> (Rate, Rate)? {
        guard let text = node.scalar, text.contains("..") else { return rate(node, what).map { ($0, $0) } }
        let syntax: BoundSyntax
        do {
            syntax = try BoundSyntax(text, allowsMark: false, place: Self.place(in: node))
        } catch {
            problems.add(error)
            return nil
        }
        guard case .range(let lower?, let upper?) = syntax.shape, let low = fold(lower), let high = fold(upper) else {
            return nil
        }
        guard case .literal(.rate(let from)) = low, case .literal(.rate(let to)) = high else {
            report(node.location, "\(what) must go from a rate to a rate", advice: "write 10/s..200/s")
            return nil
        }
        return check(from, node, what) && check(to, node, what) ? (from, to) : nil
    }

    private mutating func closed(_ fields: Fields, _ what: String) -> LoadSpec.Shape? {
        for key in ["rate", "stages", "arrivals"] where fields[key] != nil {
            report(fields.keyLocation(key), "`\(key)` belongs to an open loop", advice: "remove it, or `clients`")
        }
        let clients = fields["clients"].flatMap { integer($0, "`clients` of \(what)", in: 1...100_000) }
        let think = fields["think"].flatMap { duration($0, "`think` of \(what)") } ?? .zero
        let requests = fields["requests"].flatMap { integer($0, "`requests` of \(what)", in: 1...1_000_000_000) }
        let length = fields["for"].flatMap { duration($0, "`for` of \(what)", allowsZero: false) }
        if fields["requests"] == nil, fields["for"] == nil {
            report(fields.location, "\(what) never ends", advice: "give `for` or `requests`")
        }
        guard let clients, requests != nil || length != nil else { return nil }
        return .closed(clients: clients, think: think, requests: requests, length: length)
    }

    // MARK: Requests

    private mutating func mix(_ fields: Fields, _ what: String) -> [LoadSpec.WeightedRequest] {
        guard let mix = fields["mix"] else {
            guard let node = fields["request"] else { return [.init(weight: 1, request: .plain)] }
            return request(node, what).map { [.init(weight: 1, request: $0)] } ?? []
        }
        if fields["request"] != nil {
            report(fields.keyLocation("request"), "\(what) has `request` and `mix`", advice: "keep one")
        }
        let items = list(mix, "`mix` of \(what)")
        if items.isEmpty, mix.items != nil { report(mix.location, "`mix` of \(what) is empty") }
        return items.compactMap { item in
            guard let fields = self.fields(item, "an item of `mix`", keys: Vocabulary.weighted.names),
                let node = required("request", in: fields, "an item of `mix`")
            else { return nil }
            var weight = 1.0
            if let node = fields["weight"] { weight = number(node, "`weight`") ?? 1 }
            if weight <= 0 { report(fields.keyLocation("weight"), "`weight` must be more than 0") }
            return request(node, what).map { .init(weight: weight, request: $0) }
        }
    }

    private mutating func request(_ node: DocumentNode, _ what: String) -> RequestTemplate? {
        guard let fields = fields(node, "`request` of \(what)", keys: Vocabulary.request.names) else {
            return nil
        }
        scope.hasRequestNumber = true
        defer { scope.hasRequestNumber = false }
        var request = RequestTemplate.plain
        if let node = fields["method"], let method = word(node, "`method`") {
            if !method.unicodeScalars.allSatisfy({ ("A"..."Z").contains($0) }) {
                report(
                    node.location, "`method` must be in capitals, not `\(method)`",
                    advice: "write \(method.uppercased())")
            }
            request.method = method
        }
        if let node = fields["path"], let path = template(node, "`path`") {
            if case .text(let start)? = path.parts.first, !start.hasPrefix("/") {
                report(node.location, "`path` must start with /, not `\(start)`", advice: "write /\(start)")
            }
            request.path = path
        }
        for member in members(fields["headers"], "`headers`") {
            guard let value = template(member.value, "the header `\(member.key)`") else { continue }
            if !member.key.isFieldName { report(member.keyLocation, "`\(member.key)` cannot name a header") }
            if value.parts.contains(where: { if case .text(let text) = $0 { text.hasLineBreak } else { false } }) {
                report(member.value.location, "the header `\(member.key)` cannot hold a line break")
            }
            request.headers.append(.init(name: member.key, value: value))
        }
        request.body = fields["body"].flatMap { template($0, "`body`") }
        if let node = fields["websocket"] { request.isWebSocket = boolean(node, "`websocket`") ?? false }
        if request.isWebSocket, fields["method"] != nil {
            report(
                fields.keyLocation("method"), "`method` beside `websocket`: a session begins with GET",
                advice: "remove it")
        }
        return request
    }
}

extension String {
    /// A token (RFC 9110 section 5.6.2).
    fileprivate var isFieldName: Bool {
        !isEmpty
            && unicodeScalars.allSatisfy { scalar in
                Lexer.isLetter(scalar) || Lexer.isDigit(scalar) || "!#$%&'*+-.^_`|~".unicodeScalars.contains(scalar)
            }
    }

    /// It would end the field and begin another one.
    fileprivate var hasLineBreak: Bool { utf8.contains { $0 == 0x0A || $0 == 0x0D || $0 == 0 } }
}

extension LoadSpec.Shape {
    /// No request is ever planned.
    fileprivate var isSilent: Bool {
        guard case .open(let stages, _) = self, !stages.isEmpty else { return false }
        return stages.allSatisfy { stage in
            // Replayed loads have their requests elsewhere.
            guard case .rate(let from, let to, let length) = stage, length > .zero else { return false }
            return from.perSecond == 0 && to.perSecond == 0
        }
    }
}

extension RequestTemplate {
    /// What a load sends that says nothing: GET /.
    static let plain = RequestTemplate(method: "GET", path: TextTemplate("/"), headers: [], body: nil)
}
