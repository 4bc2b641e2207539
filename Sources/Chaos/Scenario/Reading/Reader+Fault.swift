// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

extension Reader {
    /// `link: wire, fault: …` and what stands beside it.
    mutating func fault(_ fields: Fields, _ node: DocumentNode, _ topology: Topology) -> LinkFault? {
        let isBroken = node.scalar.map { scope.brokenLinks.contains($0) } ?? false
        let link = isBroken ? nil : name(node, kind: "link", among: topology.links.map(\.id))
        let known = faultScope(fields)
        guard let faultNode = required("fault", in: fields, "a step on a link", advice: "write fault: { latency: 3s }"),
            let (fault, location) = fault(faultNode)
        else { return nil }
        checkScope(of: fault, known, fields, at: location)
        if let link = topology.links.first(where: { $0.id == link }), fault.isOnHandshakes {
            let isEncrypted = link.tls != nil || topology.mocks.contains { $0.id == link.to && $0.tls != nil }
            if !isEncrypted {
                report(
                    location, "`\(fault.name)` needs TLS",
                    advice: "give the mock `\(link.to)` tls: {}, or the link `\(link.id)` protocol: tls")
            }
        } else if let link = topology.links.first(where: { $0.id == link }), link.transport == .tcp {
            checkTransport(of: fault, known, fields, link, at: location)
        } else if fault.isOnFrames, let link = topology.links.first(where: { $0.id == link }),
            let mock = topology.mocks.first(where: { $0.id == link.to }), !mock.speaksHTTP2
        {
            report(
                location, "`\(fault.name)` works on HTTP/2, and the mock `\(mock.id)` speaks HTTP/1.1 alone",
                advice: "give the mock `\(mock.group)` http2: true")
        }
        var result = known
        result.fault = fault
        let isOfRequests = fields["decide"] == nil ? fault.isAboutRequests : fault.isOnMessages
        result.scope = isOfRequests || known.match != nil ? .request : known.scope
        if fields["stream"] == nil, fault.isOnMessages || fault.isOnFrames { result.stream = .down }
        return link.map {
            result.link = $0
            return result
        }
    }

    /// What stands beside the fault: where it acts and on what.
    private mutating func faultScope(_ fields: Fields) -> LinkFault {
        var result = LinkFault(link: "", fault: .refuse, stream: .both, toxicity: Ratio(1))
        if let node = fields["stream"] { result.stream = choice(node, "`stream`") ?? result.stream }
        if let node = fields["toxicity"] { result.toxicity = ratio(node, "`toxicity`") ?? result.toxicity }
        if let node = fields["decide"] { result.scope = choice(node, "`decide`") ?? result.scope }
        if let node = fields["match"] { result.match = match(node) }
        if let node = fields["nth"] { result.nth = integer(node, "`nth`", in: 1...1_000_000_000) }
        if let node = fields["count"] { result.count = integer(node, "`count`", in: 1...1_000_000_000) }
        return result
    }

    private mutating func match(_ node: DocumentNode) -> RequestMatch? {
        guard let fields = fields(node, "`match`", keys: ["method", "path", "header"]) else { return nil }
        var match = RequestMatch()
        if let node = fields["method"] { match.method = word(node, "`method` of a match")?.uppercased() }
        if let node = fields["path"], let path = word(node, "`path` of a match") {
            if !path.hasPrefix("/") {
                report(node.location, "`path` of a match must begin with /, not `\(path)`", advice: "write /\(path)")
            }
            match.path = path
        }
        if let node = fields["header"] { match.headers = headers(node) }
        if match == RequestMatch(), node.members?.isEmpty == true {
            report(node.location, "`match` matches everything", advice: "name a method, a path or a header")
        }
        return match
    }

    /// `X-Test` (any value), or a mapping of names to values.
    private mutating func headers(_ node: DocumentNode) -> [RequestMatch.Header] {
        if node.members == nil, node.scalar != nil {
            return word(node, "`header` of a match").map { [RequestMatch.Header(name: $0, value: nil)] } ?? []
        }
        return members(node, "`header` of a match").map { member in
            RequestMatch.Header(name: member.key, value: text(member.value, "the header `\(member.key)`"))
        }
    }

    // MARK: What does not go together

    private mutating func checkScope(of fault: Toxic, _ known: LinkFault, _ fields: Fields, at location: SourceLocation)
    {
        if fault.isOnMessages, fields["decide"] != nil, known.scope == .connection {
            report(
                fields.keyLocation("decide"), "`\(fault.name)` is decided about for every request",
                advice: "remove `decide`")
        }
        let onRequest = ["match", "decide"].first { fields[$0] != nil && ($0 == "match" || known.scope == .request) }
        if let key = onRequest, !fault.canWorkOnRequests {
            let isGoAway = if case .goAway = fault { true } else { false }
            report(
                fields.keyLocation(key),
                isGoAway
                    ? "`after` counts the requests of a connection"
                    : "`\(fault.name)` works on connections, not on requests",
                advice: "remove `\(key)`")
        }
        if known.stream != .down, fields["stream"] != nil, fault.isOnAnswers {
            report(fields.keyLocation("stream"), "`\(fault.name)` works on answers", advice: "remove `stream`")
        }
        switch fault {
        case .halfClose, .halfOpen, .refuse, .cert, .handshake, .version:
            if fields["stream"] != nil {
                report(fields.keyLocation("stream"), "`\(fault.name)` has no `stream`", advice: "remove it")
            }
        default: break
        }
    }

    private mutating func checkTransport(
        of fault: Toxic, _ known: LinkFault, _ fields: Fields, _ link: LinkSpec, at location: SourceLocation
    ) {
        let advice = "give the link `\(link.id)` protocol: http"
        if fault.isOnMessages || fault.isOnFrames {
            report(location, "`\(fault.name)` needs a link that knows HTTP", advice: advice)
        } else if known.match != nil || known.scope == .request,
            let key = ["match", "decide"].first(where: { fields[$0] != nil })
        {
            report(fields.keyLocation(key), "requests are known on a link that knows HTTP only", advice: advice)
        }
    }
}
