// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

extension DNSMessage {
    /// The message as it goes over the wire; names are compressed.
    ///
    /// - Parameter limit: a longer one is cut to its question, marked as truncated.
    package func encoded(limit: Int = 65_535) -> [UInt8] {
        var writer = MessageWriter()
        writer.write(self)
        guard writer.bytes.count > limit else { return writer.bytes }
        var cut = self
        cut.isTruncated = true
        (cut.answers, cut.authorities, cut.additionals) = ([], [], [])
        var shorter = MessageWriter()
        shorter.write(cut)
        return shorter.bytes
    }

    fileprivate var flags: UInt16 {
        var flags = UInt16(opcode & 15) << 11 | UInt16(code.rawValue)
        if isResponse { flags |= 0x8000 }
        if isAuthoritative { flags |= 0x0400 }
        if isTruncated { flags |= 0x0200 }
        if recursionDesired { flags |= 0x0100 }
        if recursionAvailable { flags |= 0x0080 }
        return flags
    }
}

private struct MessageWriter {
    private(set) var bytes: [UInt8] = []
    /// Where a name, or the end of one, stands already.
    private var places: [DomainName: Int] = [:]

    mutating func write(_ message: DNSMessage) {
        write(message.id)
        write(message.flags)
        for count in [
            message.questions.count, message.answers.count, message.authorities.count, message.additionals.count,
        ] {
            write(UInt16(clamping: count))
        }
        for question in message.questions {
            write(question.name)
            write(question.type.rawValue)
            write(question.questionClass)
        }
        for record in message.answers + message.authorities + message.additionals { write(record) }
    }

    private mutating func write(_ value: UInt16) {
        bytes.append(UInt8(value >> 8))
        bytes.append(UInt8(truncatingIfNeeded: value))
    }

    /// - Parameter compresses: no pointer may stand in the data of SRV (RFC 2782).
    private mutating func write(_ name: DomainName, compresses: Bool = true) {
        var rest = name
        while let label = rest.labels.first {
            if compresses, let place = places[rest] { return write(0xc000 | UInt16(truncatingIfNeeded: place)) }
            if bytes.count < 0x4000 { places[rest] = places[rest] ?? bytes.count }
            bytes.append(UInt8(truncatingIfNeeded: label.count))
            bytes += label
            rest = rest.parent ?? .root
        }
        bytes.append(0)
    }

    private mutating func write(_ record: DNSRecord) {
        write(record.name)
        write(record.data.type.rawValue)
        write(record.recordClass)
        write(UInt16(truncatingIfNeeded: record.ttl >> 16))
        write(UInt16(truncatingIfNeeded: record.ttl))
        let place = bytes.count
        write(0)
        switch record.data {
        case .a(let data), .aaaa(let data), .other(_, let data): bytes += data
        case .cname(let name): write(name)
        case .srv(let priority, let weight, let port, let target):
            for value in [priority, weight, port] { write(value) }
            write(target, compresses: false)
        }
        let length = UInt16(clamping: bytes.count - place - 2)
        bytes[place] = UInt8(length >> 8)
        bytes[place + 1] = UInt8(truncatingIfNeeded: length)
    }
}
