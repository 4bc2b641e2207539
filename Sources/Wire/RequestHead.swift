// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// The head of a request, as ranges into the bytes it came in. Owned by its connection, which uses the one object for
/// every request: valid until the exchange has ended.
package final class RequestHead {
    /// The head's bytes, from the first byte of the request line to the empty line.
    package private(set) var bytes = ByteBuffer()
    package private(set) var method = HTTPMethod.get
    package private(set) var methodRange = ByteRange.empty
    /// The target as it was sent.
    package private(set) var target = ByteRange.empty
    /// The path of the target, without query; `/` for an absolute target that has none; empty for `*` and CONNECT.
    package private(set) var path = ByteRange.empty
    /// The query with its `?`, or empty.
    package private(set) var query = ByteRange.empty
    package private(set) var version = HTTPVersion.http11
    /// The host with its port: of an absolute target (RFC 9112 section 3.2.2), else of the Host field.
    package private(set) var authority = ByteRange.empty
    package private(set) var fields = HeadFields()
    package private(set) var framing = BodyFraming.none
    private var scanner = RequestHead.newScanner
    private static var newScanner: HeadScanner { HeadScanner(leadingEmptyLines: WireLimits.leadingEmptyLines) }

    package init() {}

    /// The client would send another request on this connection.
    package var keepsAlive: Bool {
        version == .http11 ? !fields.connectionCloses : fields.connectionKeepsAlive && !fields.connectionCloses
    }

    package var expectsContinue: Bool { fields.expectsContinue && version == .http11 && framing != .none }

    /// Forgets the message, keeps the memory; for the next one.
    package func reset() {
        bytes = ByteBuffer()
        fields.reset()
        scanner = Self.newScanner
        // Also what a refusal of the next request asks: whether it answers HEAD, and in which version.
        (method, methodRange, version) = (.get, .empty, .http11)
        (target, path, query, authority, framing) = (.empty, .empty, .empty, .empty, .none)
    }

    /// Reads a head at the front of `buffer` and takes it off.
    package func read(from buffer: inout ByteBuffer, limits: WireLimits) -> HeadScan {
        let result = buffer.withUnsafeReadableBytes { bytes in
            let scan = scanner.scan(bytes, limits: limits, fields: &fields) { readRequestLine($0, $1) }
            switch scan {
            case .complete: return conclude(bytes).map { .failed($0) } ?? scan
            case .needsMore: return scanner.beginsWithGarbage(bytes) ? .failed(.badMethod) : scan
            case .failed: return scan
            }
        }
        if case .complete(let length) = result {
            bytes = buffer.readSlice(length: length) ?? ByteBuffer()
        }
        return result
    }

    /// `method SP request-target SP HTTP-version` (RFC 9112 section 3), single spaces only.
    private func readRequestLine(_ bytes: UnsafeRawBufferPointer, _ line: Range<Int>) -> WireError? {
        var i = line.lowerBound
        while i < line.upperBound, ByteClass.isMember(bytes[i], of: ByteClass.token) { i += 1 }
        guard i < line.upperBound, i > line.lowerBound, bytes[i] == 0x20 else {
            return i < line.upperBound && bytes[i] == 0x0d ? .bareCarriageReturn : .badMethod
        }
        methodRange = ByteRange(start: line.lowerBound, end: i)
        method = HTTPMethod(bytes[methodRange])
        let targetStart = i + 1
        i = targetStart
        var question = -1
        while i < line.upperBound, ByteClass.isMember(bytes[i], of: ByteClass.target) {
            if bytes[i] == UInt8(ascii: "?"), question < 0 { question = i }
            i += 1
        }
        guard i < line.upperBound else { return .badRequestLine }
        guard bytes[i] == 0x20 else { return bytes[i] == 0x0d ? .bareCarriageReturn : .badTarget }
        guard i > targetStart else { return .badRequestLine }
        target = ByteRange(start: targetStart, end: i)
        if let error = readVersion(UnsafeRawBufferPointer(rebasing: bytes[i + 1..<line.upperBound])) { return error }
        return splitTarget(bytes, question)
    }

    private func readVersion(_ text: UnsafeRawBufferPointer) -> WireError? {
        guard text.count == 8, text[..<5].elementsEqual("HTTP/".utf8), text[6] == UInt8(ascii: "."),
            (0x30...0x39).contains(text[5]), (0x30...0x39).contains(text[7])
        else { return .badVersion }
        guard text[5] == UInt8(ascii: "1") else { return .unsupportedVersion }
        switch text[7] {
        case UInt8(ascii: "0"): version = .http10
        case UInt8(ascii: "1"): version = .http11
        default: return .badVersion
        }
        return nil
    }

    /// The four forms of RFC 9112 section 3.2.
    private func splitTarget(_ bytes: UnsafeRawBufferPointer, _ question: Int) -> WireError? {
        let end = target.upperBound
        let pathEnd = question < 0 ? end : question
        query = question < 0 ? .empty : ByteRange(start: question, end: end)
        if method == .connect {
            authority = target
            return Authority.isValid(bytes[target], needsPort: true) ? nil : .badTarget
        }
        if bytes[target.lowerBound] == UInt8(ascii: "/") {
            path = ByteRange(start: target.lowerBound, end: pathEnd)
            return nil
        }
        if method == .options, target.count == 1, bytes[target.lowerBound] == UInt8(ascii: "*") { return nil }
        return splitAbsoluteTarget(bytes, pathEnd)
    }

    private func splitAbsoluteTarget(_ bytes: UnsafeRawBufferPointer, _ pathEnd: Int) -> WireError? {
        let text = bytes[target]
        var start = 0
        for scheme: StaticString in ["http", "https"] {
            let length = scheme.utf8CodeUnitCount
            guard text.count > length + 3, UnsafeRawBufferPointer(rebasing: text[..<length]).equalsIgnoringCase(scheme),
                text[length..<length + 3].elementsEqual("://".utf8)
            else { continue }
            start = target.lowerBound + length + 3
        }
        guard start > 0 else { return .badTarget }
        var end = start
        while end < pathEnd, bytes[end] != UInt8(ascii: "/") { end += 1 }
        authority = ByteRange(start: start, end: end)
        guard Authority.isValid(bytes[authority]) else { return .badTarget }
        // An empty path is "/" (RFC 9110 section 4.2.3): that of "//" does for it.
        path = end < pathEnd ? ByteRange(start: end, end: pathEnd) : ByteRange(start: start - 1, end: start)
        return nil
    }

    /// What can be judged only when all fields are there: framing (RFC 9112 section 6.3) and Host (section 3.2).
    private func conclude(_ bytes: UnsafeRawBufferPointer) -> WireError? {
        if let problem = fields.problem { return problem }
        if fields.hostCount > 1 { return .repeatedHost }
        if fields.hostCount == 0, version == .http11 { return .missingHost }
        // An empty Host is refused, as nginx does: every http URI has a host (RFC 9110 section 4.2.1).
        if fields.hostCount > 0, !Authority.isValid(bytes[fields.host]) { return .badHost }
        if authority.isEmpty { authority = fields.host }
        if fields.contentLengthCount > 1 { return .repeatedContentLength }
        guard fields.transferEncodingCount > 0 else {
            if let length = fields.contentLength, length > 0 { framing = .length(length) }
            return nil
        }
        if fields.contentLengthCount > 0 { return .lengthWithTransferEncoding }
        if version == .http10 { return .transferEncodingInOldVersion }
        switch fields.transferCoding {
        case .chunked: framing = .chunked
        case .unknown: return .unknownTransferCoding
        case .bad, .none: return .badTransferEncoding
        }
        return nil
    }
}

extension RequestHead {
    /// The client offers to leave HTTP for a WebSocket (RFC 6455 section 4.1), the one protocol that Kong passes on.
    package var asksForWebSocket: Bool {
        guard fields.hasUpgrade, fields.connectionUpgrades, version == .http11, framing == .none,
            let upgrade = range(of: .upgrade)
        else { return false }
        return bytes.withUnsafeReadableBytes { $0[upgrade].equalsIgnoringCase("websocket") }
    }

    /// Where the value of the first field of this kind stands, or nil.
    package func range(of known: KnownField) -> ByteRange? { fields.list.first { $0.known == known }?.value }
}

// MARK: As text, for those who are in no hurry

extension RequestHead {
    package func text(_ range: ByteRange) -> String {
        bytes.withUnsafeReadableBytes { String(decoding: $0[range], as: UTF8.self) }
    }

    package var methodText: String { text(methodRange) }
    package var pathText: String { text(path) }
    /// The query without its `?`; nil when the target has none.
    package var queryText: String? { query.isEmpty ? nil : String(text(query).dropFirst()) }

    /// The value of the first field of this name (in any case), or nil.
    package func value(of name: String) -> String? { values(of: name).first }

    /// The value of the first field of this kind, or nil.
    package func value(of known: KnownField) -> String? {
        fields.list.first { $0.known == known }.map { text($0.value) }
    }

    /// The values of all fields of this name, in their order.
    package func values(of name: String) -> [String] {
        fields.list.filter { text($0.name).lowercased() == name.lowercased() }.map { text($0.value) }
    }

    /// All fields in their order.
    package var allFields: [(name: String, value: String)] {
        fields.list.map { (text($0.name), text($0.value)) }
    }
}
