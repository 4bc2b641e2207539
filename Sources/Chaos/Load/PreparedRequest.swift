// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Wire

/// A request as its bytes, ready to be sent any number of times: what benches and the loads of scenarios send.
struct PreparedRequest: Sendable {
    var bytes: ByteBuffer
    var method: HTTPMethod

    /// - Parameters:
    ///   - method: in capitals.
    ///   - target: path and query.
    ///   - headers: without Content-Length and Connection; a `Host` of their own wins over the authority.
    ///   - closes: asks the server to close behind its answer.
    init(
        method: String, target: String, authority: String, headers: [(name: String, value: String)], body: ByteBuffer,
        closes: Bool
    ) {
        bytes = Self.head(method: method, target: target, authority: authority, headers: headers, closes: closes)
        bytes.writeImmutableBuffer(Self.rest(method: method, body: body))
        self.method = HTTPMethod(named: method)
    }

    init(bytes: ByteBuffer, method: HTTPMethod) {
        self.bytes = bytes
        self.method = method
    }

    /// Start line and fields; more fields may follow.
    static func head(
        method: String, target: String, authority: String, headers: [(name: String, value: String)], closes: Bool
    ) -> ByteBuffer {
        var head = HeadWriter(method: method, target: target)
        if !headers.contains(where: { $0.name.lowercased() == "host" }) { head.add("Host", authority) }
        for header in headers { head.add(header.name, header.value) }
        if closes { head.add("Connection", "close" as StaticString) }
        return head.buffer
    }

    /// What follows the fields: the one that frames the body, the empty line, the body. Methods that mean a body have a
    /// length also without one (RFC 9110 section 8.6).
    static func rest(method: String, body: ByteBuffer) -> ByteBuffer {
        var rest = ByteBuffer()
        if body.readableBytes > 0 || ["POST", "PUT", "PATCH"].contains(method) {
            rest.writeStaticString("Content-Length: ")
            rest.writeDecimal(body.readableBytes)
            rest.writeStaticString("\r\n")
        }
        rest.writeStaticString("\r\n")
        rest.writeImmutableBuffer(body)
        return rest
    }
}

extension HTTPMethod {
    init(named name: String) {
        switch name {
        case "GET": self = .get
        case "HEAD": self = .head
        case "POST": self = .post
        case "PUT": self = .put
        case "DELETE": self = .delete
        case "CONNECT": self = .connect
        case "OPTIONS": self = .options
        case "TRACE": self = .trace
        case "PATCH": self = .patch
        default: self = .other
        }
    }
}
