// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// One field line of a head: where its name and its value (without surrounding white space) stand, and which it is.
package struct Field: Sendable {
    package let name: ByteRange
    package let value: ByteRange
    package let known: KnownField
}

/// The fields of one head in their order, with what framing and routing need to know of them, gathered in the one scan.
///
/// Reused from message to message by its connection: a new head costs no allocation.
package struct HeadFields: Sendable {
    package private(set) var list: ContiguousArray<Field> = []

    private(set) var contentLengthCount = 0
    private(set) var transferEncodingCount = 0
    private(set) var hostCount = 0
    /// The value of the only Content-Length, or nil.
    package private(set) var contentLength: Int64?
    private(set) var transferCoding = TransferCoding.none
    package private(set) var host = ByteRange.empty
    package private(set) var connectionCloses = false
    package private(set) var connectionKeepsAlive = false
    package private(set) var connectionUpgrades = false
    /// Connection names fields of its own, which a proxy must not pass on (RFC 9110 section 7.6.1).
    package private(set) var connectionNamesFields = false
    package private(set) var expectsContinue = false
    package private(set) var hasUpgrade = false
    private(set) var problem: WireError?

    enum TransferCoding { case none, chunked, bad, unknown }

    init() { list.reserveCapacity(32) }

    mutating func reset() {
        list.removeAll(keepingCapacity: true)
        (contentLengthCount, transferEncodingCount, hostCount) = (0, 0, 0)
        (contentLength, transferCoding, host, problem) = (nil, .none, .empty, nil)
        (connectionCloses, connectionKeepsAlive, connectionUpgrades) = (false, false, false)
        (connectionNamesFields, expectsContinue, hasUpgrade) = (false, false, false)
    }

    @inline(__always)
    mutating func append(name: ByteRange, value: ByteRange, in bytes: UnsafeRawBufferPointer) {
        let known = KnownField.recognise(bytes[name])
        list.append(Field(name: name, value: value, known: known))
        if known != .other { note(known, value, bytes) }
    }

    private mutating func note(_ known: KnownField, _ range: ByteRange, _ bytes: UnsafeRawBufferPointer) {
        let value = bytes[range]
        switch known {
        case .host:
            hostCount += 1
            host = range
        case .contentLength:
            contentLengthCount += 1
            contentLength = decimal(value)
            if contentLength == nil { problem = problem ?? .badContentLength }
        case .transferEncoding:
            transferEncodingCount += 1
            transferCoding = transferEncodingCount == 1 ? Self.transferCoding(value) : .bad
        case .connection: noteConnection(value)
        case .expect:
            if value.equalsIgnoringCase("100-continue") {
                expectsContinue = true
            } else {
                problem = problem ?? .unknownExpectation
            }
        case .upgrade: hasUpgrade = true
        case .disguisedFraming: problem = problem ?? .badFieldName
        default: break
        }
    }

    private mutating func noteConnection(_ value: UnsafeRawBufferPointer) {
        forEachListItem(of: value) { option in
            if option.equalsIgnoringCase("close") {
                connectionCloses = true
            } else if option.equalsIgnoringCase("keep-alive") {
                connectionKeepsAlive = true
            } else if option.equalsIgnoringCase("upgrade") {
                connectionUpgrades = true
            } else {
                connectionNamesFields = true
            }
        }
    }

    /// Only one single `chunked` is understood; a list that ends in it names codings that nobody here can undo.
    private static func transferCoding(_ value: UnsafeRawBufferPointer) -> TransferCoding {
        if value.equalsIgnoringCase("chunked") { return .chunked }
        var count = 0
        var chunkedBefore = false
        var lastIsChunked = false
        forEachListItem(of: value) { item in
            chunkedBefore = chunkedBefore || lastIsChunked
            lastIsChunked = item.equalsIgnoringCase("chunked")
            count += 1
        }
        return count > 1 && lastIsChunked && !chunkedBefore ? .unknown : .bad
    }
}

/// Calls `body` for every item of a comma-separated list, without white space around it; empty items are left out.
@inline(__always)
package func forEachListItem(of value: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
    var start = 0
    while start <= value.count {
        var end = start
        while end < value.count, value[end] != UInt8(ascii: ",") { end += 1 }
        let item = trimmed(UnsafeRawBufferPointer(rebasing: value[start..<end]))
        if !item.isEmpty { body(item) }
        start = end + 1
    }
}

/// The bytes without spaces and tabs at both ends.
@inline(__always)
func trimmed(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    var (start, end) = (0, bytes.count)
    while start < end, bytes[start] == 0x20 || bytes[start] == 0x09 { start += 1 }
    while end > start, bytes[end - 1] == 0x20 || bytes[end - 1] == 0x09 { end -= 1 }
    return UnsafeRawBufferPointer(rebasing: bytes[start..<end])
}

/// The value of decimal digits and nothing else; nil when empty, longer than 18 digits or with any other byte.
@inline(__always)
package func decimal(_ bytes: UnsafeRawBufferPointer) -> Int64? {
    guard !bytes.isEmpty, bytes.count <= 18 else { return nil }
    var value: Int64 = 0
    for byte in bytes {
        let digit = byte &- 0x30
        guard digit <= 9 else { return nil }
        value = value * 10 + Int64(digit)
    }
    return value
}
