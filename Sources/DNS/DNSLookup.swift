// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore

/// What came of asking one question.
package enum DNSReply: Hashable, Sendable {
    /// The records of an answer without error, aliases on the way included, and what the server added of its own
    /// accord.
    case records(answers: [DNSRecord], additionals: [DNSRecord])
    case code(ResponseCode)
    /// No server answered: why.
    case noAnswer(String)
}

/// The rule by which a host name becomes addresses (lua-resty-dns-client, `resolve` and `toip`): the types of the
/// order one after the other, aliases followed, SRV records' own names looked up in turn.
///
/// A pure function of the replies known so far: it either comes to a result or names the question that it needs next.
/// It never asks the same thing twice, so it ends.
package struct DNSLookup: Sendable {
    package enum Progress: Hashable, Sendable {
        case ask(DNSQuestion)
        case found(NameAnswer)
        case failed(NameFailure)
    }

    /// Aliases and SRV names that may follow each other (BIND's limit).
    static let longestChain = 16

    private let name: DomainName
    private let port: Int
    private let order: [RecordType]

    /// - Parameters:
    ///   - order: the types to ask for, of SRV, A, AAAA and CNAME.
    ///   - last: the type that led somewhere the last time; it comes first.
    package init(_ name: DomainName, port: Int, order: [RecordType], last: RecordType? = nil) {
        self.name = name
        self.port = port
        self.order = (last.map { [$0] } ?? []) + order.filter { $0 != last }
    }

    /// - Parameter reply: what is known of a question, nil when it was not asked yet.
    package func evaluate(_ reply: (DNSQuestion) -> DNSReply?) -> Progress {
        evaluate(name, port: port, types: order, depth: 0, reply)
    }

    private func evaluate(
        _ name: DomainName, port: Int, types: [RecordType], depth: Int, _ reply: (DNSQuestion) -> DNSReply?
    ) -> Progress {
        guard depth <= Self.longestChain else {
            return .failed(NameFailure(.unusable, "dns client error: \(self.name) leads in a circle"))
        }
        var failure = NameFailure.empty
        for type in types {
            let question = DNSQuestion(name, type)
            guard let known = reply(question) else { return .ask(question) }
            switch known {
            case .records(let answers, let additionals):
                let progress = read(
                    answers, additionals: additionals, of: question, port: port, types: types, depth: depth, reply)
                if case .failed(let reason)? = progress { failure = reason } else if let progress { return progress }
            case .code(let code): failure = .code(code)
            // Whoever does not answer for one type will not for the next.
            case .noAnswer(let words): return .failed(NameFailure(.noAnswer, words))
            }
        }
        return .failed(failure)
    }

    /// - Returns: nil when there is nothing of this type: the next one is tried.
    private func read(
        _ answers: [DNSRecord], additionals: [DNSRecord], of question: DNSQuestion, port: Int, types: [RecordType],
        depth: Int, _ reply: (DNSQuestion) -> DNSReply?
    ) -> Progress? {
        var (name, lifetime) = (question.name, UInt32.max)
        if question.type != .cname {
            for _ in 0...Self.longestChain {
                let own = answers.filter { $0.name == name && $0.data.type == question.type && $0.recordClass == 1 }
                if !own.isEmpty {
                    lifetime = min(lifetime, own.map(\.ttl).min() ?? 0)
                    return question.type == .srv
                        ? services(own, additionals, lifetime: lifetime, port: port, depth: depth, reply)
                        : addresses(own, lifetime: lifetime, port: port)
                }
                guard let alias = Self.alias(of: name, in: answers) else { break }
                (name, lifetime) = (alias.target, min(lifetime, alias.ttl))
            }
            // The server left it to us to follow the alias.
            guard name != question.name else { return nil }
        } else if let alias = Self.alias(of: name, in: answers) {
            (name, lifetime) = (alias.target, alias.ttl)
        } else {
            return nil
        }
        let rest = question.type == .cname ? types : [question.type]
        let onward = evaluate(name, port: port, types: rest, depth: depth + 1, reply)
        guard case .found(var answer) = onward else { return onward }
        answer.lifetime = min(answer.lifetime ?? .seconds(Int64(lifetime)), .seconds(Int64(lifetime)))
        return .found(answer)
    }

    private static func alias(of name: DomainName, in answers: [DNSRecord]) -> (target: DomainName, ttl: UInt32)? {
        for record in answers where record.name == name && record.recordClass == 1 {
            if case .cname(let target) = record.data { return (target, record.ttl) }
        }
        return nil
    }

    private func addresses(_ records: [DNSRecord], lifetime: UInt32, port: Int) -> Progress? {
        var found: [NameAnswer.Address] = []
        for record in records {
            guard let address = record.address(port: port) else { continue }
            let entry = NameAnswer.Address(address)
            if !found.contains(entry) { found.append(entry) }
        }
        guard !found.isEmpty, let type = records.first?.data.type else { return nil }
        return .found(NameAnswer(found, type: type, lifetime: .seconds(Int64(lifetime))))
    }

    /// The records of the best priority, each with the addresses of its name (kong/runloop/balancer/targets.lua).
    private func services(
        _ records: [DNSRecord], _ additionals: [DNSRecord], lifetime: UInt32, port: Int, depth: Int,
        _ reply: (DNSQuestion) -> DNSReply?
    ) -> Progress {
        let entries = records.compactMap { record in
            if case .srv(let priority, let weight, let port, let target) = record.data {
                (priority: priority, weight: weight, port: port, target: target)
            } else {
                nil
            }
        }
        let best = entries.map(\.priority).min()
        // An SRV record's own name is a host, never a service again (RFC 2782).
        let types = order.filter { $0 == .a || $0 == .aaaa }
        var (found, lifetime, failure) = (
            [NameAnswer.Address](), TimeAmount.seconds(Int64(lifetime)), NameFailure.empty
        )
        for entry in entries where entry.priority == best && entry.target != .root {
            let port = entry.port == 0 ? port : Int(entry.port)
            let progress = evaluate(
                entry.target, port: port, types: types.isEmpty ? [.a] : types, depth: depth + 1
            ) { question in
                let added = additionals.filter { $0.name == question.name && $0.data.type == question.type }
                return added.isEmpty ? reply(question) : .records(answers: added, additionals: [])
            }
            switch progress {
            case .ask: return progress
            case .failed(let reason): failure = reason
            case .found(let answer):
                lifetime = min(lifetime, answer.lifetime ?? lifetime)
                found += answer.addresses.map { NameAnswer.Address($0.address, weight: Int(entry.weight)) }
            }
        }
        guard !found.isEmpty else { return .failed(failure) }
        return .found(NameAnswer(found, type: .srv, lifetime: lifetime))
    }
}
