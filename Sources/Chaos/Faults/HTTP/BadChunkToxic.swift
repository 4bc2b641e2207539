// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore

/// The body comes in chunks (RFC 9112 section 7.1), and after the first the size of the next is no number. The
/// connection is closed behind it. Messages without a body are spared.
struct BadChunkMachine: MessageToxic {
    private var hasBody = false
    private var isPlain = false
    private var isBroken = false

    mutating func take(_ part: MessagePart, at now: NIODeadline) -> [MessagePart] {
        switch part {
        case .head(var head):
            hasBody = head.framing != .none
            isPlain = head.framing != .chunked
            guard hasBody, isPlain else { return [.head(head)] }
            head.drop("Content-Length")
            head.add("Transfer-Encoding", "chunked")
            return [.head(head)]
        case .body(let bytes):
            if isBroken { return [] }
            isBroken = true
            var text = ByteBuffer()
            // A body that was in chunks already starts anew: where its own chunks end is not known here.
            if isPlain {
                text.writeString(String(bytes.readableBytes, radix: 16) + "\r\n")
                text.writeImmutableBuffer(bytes)
                text.writeString("\r\n")
            }
            text.writeString("no-size\r\n")
            return [.raw(.bytes(text))]
        case .end: return hasBody ? [.raw(.end(.severed)), .end] : [.end]
        case .raw: return [part]
        }
    }
}
