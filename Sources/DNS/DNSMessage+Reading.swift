// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// Bytes that are no message: what is wrong, and at which byte.
package struct DNSFormatError: Error, Hashable, Sendable, CustomStringConvertible {
    package var reason: String
    package var offset: Int

    package var description: String { "\(reason) at byte \(offset)" }
}

extension DNSMessage {
    /// Reads one whole message. Strict: every length is checked, names may only point backwards, and nothing may
    /// follow.
    package init(parsing bytes: [UInt8]) throws(DNSFormatError) {
        var reader = MessageReader(bytes)
        self.init(id: try reader.integer16())
        let flags = try reader.integer16()
        isResponse = flags & 0x8000 != 0
        opcode = UInt8(flags >> 11 & 15)
        isAuthoritative = flags & 0x0400 != 0
        isTruncated = flags & 0x0200 != 0
        recursionDesired = flags & 0x0100 != 0
        recursionAvailable = flags & 0x0080 != 0
        code = ResponseCode(rawValue: UInt8(flags & 15))
        let counts = [
            try reader.integer16(), try reader.integer16(), try reader.integer16(), try reader.integer16(),
        ]
        for _ in 0..<counts[0] { questions.append(try reader.question()) }
        for _ in 0..<counts[1] { answers.append(try reader.record()) }
        for _ in 0..<counts[2] { authorities.append(try reader.record()) }
        for _ in 0..<counts[3] { additionals.append(try reader.record()) }
        guard reader.isAtEnd else { throw reader.error("bytes follow the message") }
    }
}

/// A place in a message. It reads forward and never past the end; only names jump, and only backwards.
private struct MessageReader {
    private let bytes: [UInt8]
    private var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { offset == bytes.count }

    func error(_ reason: String) -> DNSFormatError { DNSFormatError(reason: reason, offset: offset) }

    private mutating func byte() throws(DNSFormatError) -> UInt8 {
        guard offset < bytes.count else { throw error("the message ends too early") }
        defer { offset += 1 }
        return bytes[offset]
    }

    mutating func integer16() throws(DNSFormatError) -> UInt16 {
        let high = try byte()
        return UInt16(high) << 8 | UInt16(try byte())
    }

    private mutating func integer32() throws(DNSFormatError) -> UInt32 {
        let high = try integer16()
        return UInt32(high) << 16 | UInt32(try integer16())
    }

    private mutating func take(_ count: Int) throws(DNSFormatError) -> [UInt8] {
        guard count <= bytes.count - offset else { throw error("the message ends too early") }
        defer { offset += count }
        return Array(bytes[offset..<offset + count])
    }

    /// RFC 1035 section 4.1.4. Every jump goes further back than the one before, so that it ends.
    private mutating func name() throws(DNSFormatError) -> DomainName {
        var labels: [[UInt8]] = []
        var length = 1
        var position = offset
        var lowest = offset
        var after: Int?
        while true {
            guard position < bytes.count else { throw error("a name runs past the end") }
            let head = Int(bytes[position])
            switch head {
            case 0:
                offset = after ?? position + 1
                guard let name = DomainName(labels: labels) else { throw error("a name is longer than 255 bytes") }
                return name
            case 1...DomainName.longestLabel:
                guard position + 1 + head <= bytes.count else { throw error("a label runs past the end") }
                length += head + 1
                guard length <= DomainName.longestName else { throw error("a name is longer than 255 bytes") }
                labels.append(Array(bytes[position + 1...position + head]))
                position += head + 1
            case 0xc0...:
                guard position + 1 < bytes.count else { throw error("a pointer runs past the end") }
                let target = (head & 0x3f) << 8 | Int(bytes[position + 1])
                guard target < lowest else { throw error("a name points forward") }
                if after == nil { after = position + 2 }
                lowest = target
                position = target
            default: throw error("a label has an unknown type")
            }
        }
    }

    mutating func question() throws(DNSFormatError) -> DNSQuestion {
        var question = DNSQuestion(try name(), RecordType(rawValue: try integer16()))
        question.questionClass = try integer16()
        return question
    }

    mutating func record() throws(DNSFormatError) -> DNSRecord {
        let name = try name()
        let type = RecordType(rawValue: try integer16())
        let recordClass = try integer16()
        let ttl = try integer32()
        let length = Int(try integer16())
        guard length <= bytes.count - offset else { throw error("a record runs past the end") }
        let end = offset + length
        let data = try data(of: type, length: length)
        guard offset == end else { throw error("the data of \(type) does not have its length") }
        // A time with its highest bit set is none (RFC 2181 section 8).
        var record = DNSRecord(name, ttl: type != .opt && ttl > UInt32(Int32.max) ? 0 : ttl, data)
        record.recordClass = recordClass
        return record
    }

    private mutating func data(of type: RecordType, length: Int) throws(DNSFormatError) -> DNSRecord.Data {
        switch type {
        case .a where length == 4: return .a(try take(4))
        case .aaaa where length == 16: return .aaaa(try take(16))
        case .a, .aaaa: throw error("an address of \(length) bytes")
        case .cname: return .cname(try name())
        case .srv:
            let (priority, weight, port) = (try integer16(), try integer16(), try integer16())
            return .srv(priority: priority, weight: weight, port: port, target: try name())
        default: return .other(type, try take(length))
        }
    }
}
