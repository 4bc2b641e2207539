// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// A query or an answer of the domain name system (RFC 1035 section 4), as a value: the client and the server here
/// share it, and neither knows bytes.
package struct DNSMessage: Hashable, Sendable {
    /// What joins an answer with its query.
    package var id: UInt16
    package var isResponse = false
    /// 0 is a standard query.
    package var opcode: UInt8 = 0
    package var isAuthoritative = false
    /// The answer did not fit into a datagram: it is to be asked for over TCP.
    package var isTruncated = false
    package var recursionDesired = false
    package var recursionAvailable = false
    package var code = ResponseCode.noError
    package var questions: [DNSQuestion] = []
    package var answers: [DNSRecord] = []
    package var authorities: [DNSRecord] = []
    package var additionals: [DNSRecord] = []

    package init(id: UInt16) { self.id = id }

    /// A query of a client that wants the server to do the work.
    package init(id: UInt16, asking question: DNSQuestion) {
        self.id = id
        recursionDesired = true
        questions = [question]
    }

    /// The head of an answer to a query.
    package init(answering query: DNSMessage, code: ResponseCode = .noError) {
        self.init(id: query.id)
        isResponse = true
        opcode = query.opcode
        isAuthoritative = true
        recursionDesired = query.recursionDesired
        recursionAvailable = true
        self.code = code
        questions = query.questions
    }

    /// How long a datagram its sender takes: 512 bytes (RFC 1035 section 4.2.1) unless it says more (RFC 6891).
    package var datagramLimit: Int {
        let offered = additionals.first { $0.data.type == .opt }?.recordClass ?? 0
        return max(512, Int(offered))
    }
}

/// RCODE (RFC 1035 section 4.1.1).
package struct ResponseCode: RawRepresentable, Hashable, Sendable {
    /// 0...15.
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue & 15 }

    package static let noError = ResponseCode(rawValue: 0)
    package static let formatError = ResponseCode(rawValue: 1)
    package static let serverFailure = ResponseCode(rawValue: 2)
    package static let nameError = ResponseCode(rawValue: 3)
    package static let notImplemented = ResponseCode(rawValue: 4)
    package static let refused = ResponseCode(rawValue: 5)

    /// As Kong's client calls it (lua-resty-dns, resolver_errstrs).
    package var words: String {
        switch rawValue {
        case 1: "format error"
        case 2: "server failure"
        case 3: "name error"
        case 4: "not implemented"
        case 5: "refused"
        default: "unknown"
        }
    }
}

/// The type of a record, or of what is asked for.
package struct RecordType: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let a = RecordType(rawValue: 1)
    package static let cname = RecordType(rawValue: 5)
    package static let aaaa = RecordType(rawValue: 28)
    package static let srv = RecordType(rawValue: 33)
    package static let opt = RecordType(rawValue: 41)

    private static let names: [(RecordType, String)] = [
        (.a, "A"), (.cname, "CNAME"), (.aaaa, "AAAA"), (.srv, "SRV"), (.opt, "OPT"),
    ]

    package init?(_ text: String) {
        guard let known = Self.names.first(where: { $0.1 == text.uppercased() }), known.0 != .opt else { return nil }
        self = known.0
    }

    package var description: String { Self.names.first { $0.0 == self }?.1 ?? "TYPE\(rawValue)" }
}

package struct DNSQuestion: Hashable, Sendable, CustomStringConvertible {
    package var name: DomainName
    package var type: RecordType
    /// 1 is the Internet.
    package var questionClass: UInt16 = 1

    package init(_ name: DomainName, _ type: RecordType) {
        self.name = name
        self.type = type
    }

    package var description: String { "\(name) \(type)" }
}

package struct DNSRecord: Hashable, Sendable {
    package enum Data: Hashable, Sendable {
        /// Four bytes, and sixteen.
        case a([UInt8])
        case aaaa([UInt8])
        case cname(DomainName)
        case srv(priority: UInt16, weight: UInt16, port: UInt16, target: DomainName)
        /// A type that nobody here asks for.
        case other(RecordType, [UInt8])

        package var type: RecordType {
            switch self {
            case .a: .a
            case .aaaa: .aaaa
            case .cname: .cname
            case .srv: .srv
            case .other(let type, _): type
            }
        }
    }

    package var name: DomainName
    package var recordClass: UInt16 = 1
    /// Seconds.
    package var ttl: UInt32
    package var data: Data

    package init(_ name: DomainName, ttl: UInt32, _ data: Data) {
        self.name = name
        self.ttl = ttl
        self.data = data
    }

    /// The record of an address; nil for one that is none of the Internet.
    package init?(_ name: DomainName, ttl: UInt32, address: SocketAddress) {
        switch address {
        case .v4(let v4): self.init(name, ttl: ttl, .a(withUnsafeBytes(of: v4.address.sin_addr) { Array($0) }))
        case .v6(let v6): self.init(name, ttl: ttl, .aaaa(withUnsafeBytes(of: v6.address.sin6_addr) { Array($0) }))
        case .unixDomainSocket: return nil
        }
    }

    /// The address of an A or AAAA record with a port.
    package func address(port: Int) -> SocketAddress? {
        switch data {
        case .a(let bytes), .aaaa(let bytes): try? SocketAddress(packedIPAddress: ByteBuffer(bytes: bytes), port: port)
        case .cname, .srv, .other: nil
        }
    }
}
