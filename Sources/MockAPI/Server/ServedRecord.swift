// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Wire

/// The record of one request, as a line of JSON:
///
///     {"kind":"served","t":123,"id":"users-17","n":12,"method":"GET","path":"/health","status":200,"connection":3}
///
/// `t` is CLOCK_MONOTONIC in nanoseconds when the head had come in, `id` the header X-Chaos-Id or null, `n` counts the
/// mock's requests from 1, `status` is 0 when no answer follows. A path is cut after 512 bytes and an id after 128, so
/// that a line stays below the 4095 bytes of a record sink however much of it must be escaped.
struct ServedRecord {
    private static let longestPath = 512
    private static let longestID = 128
    private static let longestMethod = 32

    static func line(
        of head: RequestHead, receivedAt: NIODeadline, number: Int, status: Int, connection: Int
    ) -> ByteBuffer {
        var line = ByteBuffer()
        line.reserveCapacity(256)
        line.writeStaticString(#"{"kind":"served","t":"#)
        line.writeDecimal(Int64(receivedAt.uptimeNanoseconds))
        head.bytes.withUnsafeReadableBytes { bytes in
            line.writeStaticString(#","id":"#)
            if let id = head.fields.list.first(where: { $0.known == .xChaosID }) {
                quote(bytes[id.value].prefix(longestID), to: &line)
            } else {
                line.writeStaticString("null")
            }
            line.writeStaticString(#","n":"#)
            line.writeDecimal(number)
            line.writeStaticString(#","method":"#)
            quote(bytes[head.methodRange].prefix(longestMethod), to: &line)
            line.writeStaticString(#","path":"#)
            quote(bytes[head.path].prefix(longestPath), to: &line)
        }
        line.writeStaticString(#","status":"#)
        line.writeDecimal(status)
        line.writeStaticString(#","connection":"#)
        line.writeDecimal(connection)
        line.writeStaticString("}")
        return line
    }

    /// The line of one message of a WebSocket: its method is WS, and its id stands in its first line, as in a header:
    /// `X-Chaos-Id: users-17`. The echo is its answer, so its status is 200.
    static func line(
        ofMessage message: ByteBuffer, path: String, receivedAt: NIODeadline, number: Int, connection: Int
    ) -> ByteBuffer {
        var line = ByteBuffer()
        line.reserveCapacity(256)
        line.writeStaticString(#"{"kind":"served","t":"#)
        line.writeDecimal(Int64(receivedAt.uptimeNanoseconds))
        line.writeStaticString(#","id":"#)
        message.withUnsafeReadableBytes { bytes in
            let name = "X-Chaos-Id: ".utf8
            if bytes.starts(with: name) {
                let end = bytes.firstIndex { $0 == 0x0a || $0 == 0x0d } ?? bytes.count
                quote(bytes[name.count..<end].prefix(longestID), to: &line)
            } else {
                line.writeStaticString("null")
            }
        }
        line.writeStaticString(#","n":"#)
        line.writeDecimal(number)
        line.writeStaticString(#","method":"WS","path":"#)
        Array(path.utf8).withUnsafeBytes { quote($0[...].prefix(longestPath), to: &line) }
        line.writeStaticString(#","status":200,"connection":"#)
        line.writeDecimal(connection)
        line.writeStaticString("}")
        return line
    }

    /// Bytes that are no printable ASCII are written as the code points of the same number: a record is JSON whatever
    /// a stranger sent.
    private static func quote(_ bytes: Slice<UnsafeRawBufferPointer>, to line: inout ByteBuffer) {
        line.writeStaticString("\"")
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): line.writeBytes([UInt8(ascii: "\\"), byte])
            case 0x20...0x7e: line.writeInteger(byte)
            default:
                line.writeStaticString(byte < 0x10 ? "\\u000" : "\\u00")
                line.writeHexadecimal(Int(byte))
            }
        }
        line.writeStaticString("\"")
    }
}
