// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// Writes the start line and the fields of a message into one buffer. What frames the body and says whether the
/// connection goes on is added by the connection, so that no two places can disagree about it.
package struct HeadWriter: Sendable {
    package var buffer: ByteBuffer
    /// Of a response; 0 for a request.
    package let status: Int

    /// A response's head.
    ///
    /// - Parameters:
    ///   - reason: nil takes the standard one.
    ///   - buffer: is cleared and written into, so that its memory is used again.
    package init(status: Int, reason: String? = nil, reusing buffer: ByteBuffer = ByteBuffer()) {
        self.status = status
        self.buffer = buffer
        self.buffer.clear(minimumCapacity: 512)
        self.buffer.writeStaticString("HTTP/1.1 ")
        self.buffer.writeDecimal(status)
        self.buffer.writeInteger(UInt8(ascii: " "))
        self.buffer.writeString(reason ?? reasonPhrase(of: status))
        self.buffer.writeStaticString("\r\n")
    }

    /// A request's head.
    ///
    /// - Precondition: `method` and `target` hold no space, CR or LF.
    package init(method: String, target: String) {
        status = 0
        buffer = ByteBuffer()
        buffer.reserveCapacity(512)
        buffer.writeString(method)
        buffer.writeInteger(UInt8(ascii: " "))
        buffer.writeString(target)
        buffer.writeStaticString(" HTTP/1.1\r\n")
    }

    /// A head of which the start line is written already.
    package init(startedIn buffer: ByteBuffer, status: Int) {
        self.buffer = buffer
        self.status = status
    }

    @inline(__always)
    package mutating func add(_ name: StaticString, _ value: StaticString) {
        buffer.writeStaticString(name)
        buffer.writeStaticString(": ")
        buffer.writeStaticString(value)
        buffer.writeStaticString("\r\n")
    }

    package mutating func add(_ name: StaticString, _ value: Int) {
        buffer.writeStaticString(name)
        buffer.writeStaticString(": ")
        buffer.writeDecimal(value)
        buffer.writeStaticString("\r\n")
    }

    /// Bytes that cannot stand in a field are replaced by spaces, so that no value can end its line.
    package mutating func add(_ name: String, _ value: String) { buffer.writeField(name, value) }
}

extension ByteBuffer {
    /// A field line. Bytes that cannot stand in a field are replaced by spaces, so that no value can end its line.
    mutating func writeField(_ name: String, _ value: String) {
        writeFieldText(name)
        writeStaticString(": ")
        writeFieldText(value)
        writeStaticString("\r\n")
    }

    private mutating func writeFieldText(_ text: String) {
        if text.utf8.allSatisfy({ ByteClass.isMember($0, of: ByteClass.value) }) {
            writeString(text)
        } else {
            writeBytes(text.utf8.map { ByteClass.isMember($0, of: ByteClass.value) ? $0 : 0x20 })
        }
    }

    /// The decimal digits of a number, with a minus sign when it is negative, without an allocation.
    @inline(__always)
    package mutating func writeDecimal(_ value: some FixedWidthInteger & SignedInteger) {
        if value < 0 {
            writeInteger(UInt8(ascii: "-"))
        }
        writeDigits(UInt64(value.magnitude), radix: 10)
    }

    /// Lower-case hexadecimal digits, as chunk sizes have them.
    package mutating func writeHexadecimal(_ value: Int) { writeDigits(UInt64(value), radix: 16) }

    private mutating func writeDigits(_ value: UInt64, radix: UInt64) {
        // 20 digits hold any 64-bit number.
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var rest = value
            var first = 20
            repeat {
                first -= 1
                let digit = UInt8(truncatingIfNeeded: rest % radix)
                digits[first] = digit < 10 ? 0x30 + digit : 0x57 + digit
                rest /= radix
            } while rest > 0
            writeBytes(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(digits)[first..<20]))
        }
    }
}

/// The standard reason phrase of a status (RFC 9110 section 15), "Unknown" for others.
package func reasonPhrase(of status: Int) -> String {
    switch status {
    case 100: "Continue"
    case 101: "Switching Protocols"
    case 200: "OK"
    case 201: "Created"
    case 202: "Accepted"
    case 204: "No Content"
    case 206: "Partial Content"
    case 301: "Moved Permanently"
    case 302: "Found"
    case 303: "See Other"
    case 304: "Not Modified"
    case 307: "Temporary Redirect"
    case 308: "Permanent Redirect"
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 406: "Not Acceptable"
    case 408: "Request Timeout"
    case 409: "Conflict"
    case 410: "Gone"
    case 411: "Length Required"
    case 412: "Precondition Failed"
    case 413: "Content Too Large"
    case 414: "URI Too Long"
    case 415: "Unsupported Media Type"
    case 416: "Range Not Satisfiable"
    case 417: "Expectation Failed"
    case 422: "Unprocessable Content"
    case 426: "Upgrade Required"
    case 429: "Too Many Requests"
    case 431: "Request Header Fields Too Large"
    case 500: "Internal Server Error"
    case 501: "Not Implemented"
    case 502: "Bad Gateway"
    case 503: "Service Unavailable"
    case 504: "Gateway Timeout"
    case 505: "HTTP Version Not Supported"
    default: "Unknown"
    }
}
