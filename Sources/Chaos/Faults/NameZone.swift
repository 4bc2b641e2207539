// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import DNS
package import NIOCore

/// What the scenario's name server says: records, and the faults that are on. Pure: a query goes in, what becomes of it
/// comes out.
package struct NameZone: Sendable {
    /// The records of one name.
    package struct Entry: Hashable, Sendable {
        /// A, AAAA, SRV or CNAME records; those of other names are hosts that SRV records point to.
        package var records: [DNSRecord]

        package init(_ records: [DNSRecord]) { self.records = records }
    }

    /// What a fault does to one name.
    package enum Fault: Hashable, Sendable {
        case code(ResponseCode)
        case silence
        case entry(Entry)
        /// Records keep what they say, for so many seconds.
        case lifetime(UInt32)
        case delay(TimeAmount)
        /// Of datagrams: the answer goes out so many times.
        case copies(Int)
        /// Of datagrams: the answer waits until the next one has gone, at most so long.
        case hold(TimeAmount)
    }

    /// What becomes of a query.
    package struct Outcome: Hashable, Sendable {
        /// Nil: no answer.
        package var reply: DNSMessage?
        package var delay: TimeAmount
        /// What becomes of it when it is a datagram.
        package var treatment = DatagramTreatment()
        /// For the journal: the question, what it got, and the faults that had a part in it.
        package var question: DNSQuestion?
        package var answer: String
        package var faults: [String]
    }

    private struct Installed {
        var id: String
        var name: DomainName
        var fault: Fault
    }

    private var entries: [DomainName: Entry] = [:]
    private var faults: [Installed] = []

    package init() {}

    package mutating func set(_ entry: Entry, for name: DomainName) { entries[name] = entry }

    /// Puts a fault on a name. Of several the last one counts; delays add up.
    package mutating func install(_ fault: Fault, on name: DomainName, id: String) {
        faults.append(Installed(id: id, name: name, fault: fault))
    }

    package mutating func remove(_ id: String) { faults.removeAll { $0.id == id } }

    // MARK: Answering

    package func answer(_ query: DNSMessage) -> Outcome {
        guard !query.isResponse, query.opcode == 0, query.questions.count == 1, let question = query.questions.first
        else {
            let code: ResponseCode = query.opcode == 0 ? .formatError : .notImplemented
            return Outcome(
                reply: query.isResponse ? nil : DNSMessage(answering: query, code: code), delay: .zero, question: nil,
                answer: code.words, faults: [])
        }
        var reply = DNSMessage(answering: query)
        var outcome = Outcome(reply: nil, delay: .zero, question: question, answer: "", faults: [])
        var name = question.name
        // As many aliases as BIND follows.
        for _ in 0..<16 {
            let on = faults.filter { $0.name == name }
            for fault in on where !outcome.faults.contains(fault.id) { outcome.faults.append(fault.id) }
            var (code, isSilent, entry, lifetime) = (ResponseCode?.none, false, entries[name], UInt32?.none)
            for installed in on {
                switch installed.fault {
                case .code(let given): (code, isSilent) = (given, false)
                case .silence: isSilent = true
                case .entry(let given): (entry, code, isSilent) = (given, nil, false)
                case .lifetime(let seconds): lifetime = seconds
                case .delay(let delay): outcome.delay = outcome.delay + delay
                case .copies(let count): outcome.treatment.copies = count
                case .hold(let time): outcome.treatment.hold = time
                }
            }
            if isSilent {
                outcome.answer = "no answer"
                return outcome
            }
            if let code { return Self.finished(outcome, reply, code: code) }
            guard let entry else {
                return Self.finished(outcome, reply, code: reply.answers.isEmpty ? .nameError : .noError)
            }
            let records = entry.records.map { $0.lasting(lifetime ?? $0.ttl) }
            let own = records.filter { $0.name == name && $0.data.type == question.type }
            reply.answers += own
            reply.additionals += own.isEmpty ? [] : Self.hosts(of: own, in: records)
            guard own.isEmpty, let alias = records.first(where: { $0.name == name && $0.data.type == .cname }),
                case .cname(let target) = alias.data
            else { break }
            reply.answers.append(alias)
            name = target
        }
        return Self.finished(outcome, reply, code: .noError)
    }

    private static func finished(_ outcome: Outcome, _ reply: DNSMessage, code: ResponseCode) -> Outcome {
        var (outcome, reply) = (outcome, reply)
        reply.code = code
        outcome.reply = reply
        outcome.answer =
            code != .noError
            ? code.words : reply.answers.isEmpty ? "no record" : reply.answers.map(text).joined(separator: ", ")
        return outcome
    }

    private static func hosts(of services: [DNSRecord], in records: [DNSRecord]) -> [DNSRecord] {
        let targets = services.compactMap { if case .srv(_, _, _, let target) = $0.data { target } else { nil } }
        return records.filter { targets.contains($0.name) && ($0.data.type == .a || $0.data.type == .aaaa) }
    }

    /// `127.0.0.5`, `one.orders.internal:8080`, `alias.internal`.
    private static func text(_ record: DNSRecord) -> String {
        switch record.data {
        case .a, .aaaa: record.address(port: 0)?.ipAddress ?? "?"
        case .srv(_, _, let port, let target): "\(target):\(port)"
        case .cname(let target): target.description
        case .other(let type, _): type.description
        }
    }
}

extension DNSRecord {
    fileprivate func lasting(_ seconds: UInt32) -> DNSRecord {
        var record = self
        record.ttl = seconds
        return record
    }
}
