// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

#if GATECRASH_DEFECTS
import Defects
#endif

/// Replies, each for as long as it holds. Pure: `now` is an argument.
package struct DNSCache: Sendable {
    private struct Entry {
        var reply: DNSReply
        var expires: NIODeadline
    }

    /// More questions than any configuration asks; what has run out is dropped when it is reached.
    static let sweepAt = 4096
    /// No reply is kept longer (RFC 8767 section 4 recommends a limit of days).
    static let longest = TimeAmount.hours(7 * 24)

    private let settings: DNSSettings
    private var entries: [DNSQuestion: Entry] = [:]
    private var types: [DomainName: RecordType] = [:]

    package init(_ settings: DNSSettings) { self.settings = settings }

    /// The reply to a question, its records' times shortened by what has passed.
    package func reply(to question: DNSQuestion, now: NIODeadline) -> DNSReply? {
        guard let entry = entries[question], entry.expires > now else { return nil }
        guard case .records(let answers, let additionals) = entry.reply else { return entry.reply }
        let left = UInt32(clamping: (entry.expires - now).nanoseconds / 1_000_000_000)
        return .records(
            answers: answers.map { $0.lasting(atMost: left) }, additionals: additionals.map { $0.lasting(atMost: left) }
        )
    }

    /// Keeps a reply and returns it with the times that count.
    package mutating func insert(_ reply: DNSReply, to question: DNSQuestion, now: NIODeadline) -> DNSReply {
        var reply = reply
        if let valid = settings.validTime, case .records(let answers, let additionals) = reply {
            let seconds = UInt32(clamping: valid.nanoseconds / 1_000_000_000)
            reply = .records(
                answers: answers.map { $0.lasting(seconds) }, additionals: additionals.map { $0.lasting(seconds) })
        }
        if entries.count >= Self.sweepAt { entries = entries.filter { $0.value.expires > now } }
        let time = min(lifetime(of: reply), Self.longest)
        entries[question] =
            time > .zero && entries.count < Self.sweepAt * 4 ? Entry(reply: reply, expires: now + time) : nil
        return reply
    }

    private func lifetime(of reply: DNSReply) -> TimeAmount {
        #if GATECRASH_DEFECTS
        if Defect.nameKeptForever.isChosen { return .hours(24) }
        #endif
        switch reply {
        case .records(let answers, _):
            guard let least = answers.map(\.ttl).min() else { return settings.notFoundTime }
            return .seconds(Int64(least))
        case .code(.nameError): return settings.notFoundTime
        case .code, .noAnswer: return settings.errorTime
        }
    }

    // MARK: The last type

    package func lastType(of name: DomainName) -> RecordType? { settings.prefersLast ? types[name] : nil }

    package mutating func learn(_ type: RecordType, of name: DomainName) {
        guard settings.prefersLast, settings.order.contains(type) else { return }
        if types.count >= Self.sweepAt { types = [:] }
        types[name] = type
    }
}

extension DNSRecord {
    fileprivate func lasting(_ seconds: UInt32) -> DNSRecord {
        var record = self
        record.ttl = seconds
        return record
    }

    fileprivate func lasting(atMost seconds: UInt32) -> DNSRecord { lasting(min(ttl, seconds)) }
}
