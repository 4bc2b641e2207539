// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What a scan of the bytes so far came to.
package enum HeadScan: Sendable, Hashable {
    case needsMore
    /// The head is complete; it takes this many bytes (with empty lines before it).
    case complete(Int)
    case failed(WireError)
}

/// Finds the lines of a head, one by one, as bytes arrive: no byte is looked at twice, and a bad one is refused at
/// once, not at the end of the head.
///
///     GET /hello HTTP/1.1 CR LF     start line  -> the closure `startLine`
///     Host: example.org CR LF       fields      -> `HeadFields`
///     CR LF                         end
struct HeadScanner: Sendable {
    private var lineStart = 0
    private var searched = 0
    /// How many empty lines before the start line may still be ignored.
    private var emptyLines: Int
    private var hasStartLine = false

    init(leadingEmptyLines: Int) { emptyLines = leadingEmptyLines }

    /// For the fields after a chunked body, which have no start line.
    static var forTrailers: HeadScanner {
        var scanner = HeadScanner(leadingEmptyLines: 0)
        scanner.hasStartLine = true
        return scanner
    }

    /// The first byte of a start line that is not complete yet (CR may begin an empty line): whoever speaks another
    /// protocol, TLS for one, may never send the line feed that would end it.
    func beginsWithGarbage(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard !hasStartLine, lineStart < bytes.count else { return false }
        return bytes[lineStart] != 0x0d && !ByteClass.isMember(bytes[lineStart], of: ByteClass.token)
    }

    /// - Parameters:
    ///   - bytes: everything since the first byte of the message; the same ones again, and more, after `needsMore`.
    ///   - startLine: reads the start line; returns what is wrong with it, or nil.
    @inline(__always)
    mutating func scan(
        _ bytes: UnsafeRawBufferPointer, limits: WireLimits, fields: inout HeadFields,
        startLine: (UnsafeRawBufferPointer, _ line: Range<Int>) -> WireError?
    ) -> HeadScan {
        guard let base = bytes.baseAddress else { return .needsMore }
        while true {
            guard let found = memchr(base + searched, 0x0a, bytes.count - searched) else {
                searched = bytes.count
                return unfinished(bytes, limits)
            }
            let lineFeed = UnsafeRawPointer(found) - base
            if lineFeed + 1 > limits.headBytes { return .failed(.headTooLong) }
            guard lineFeed > lineStart, bytes[lineFeed - 1] == 0x0d else { return .failed(.bareLineFeed) }
            let line = lineStart..<lineFeed - 1
            if line.count > limits.lineBytes { return .failed(hasStartLine ? .lineTooLong : .targetTooLong) }
            lineStart = lineFeed + 1
            searched = lineStart
            if line.isEmpty, hasStartLine { return .complete(lineStart) }
            if line.isEmpty, emptyLines > 0 {
                emptyLines -= 1
            } else if hasStartLine {
                if let error = Self.field(bytes, line, limits, &fields) { return .failed(error) }
            } else {
                hasStartLine = true
                if let error = startLine(bytes, line) { return .failed(error) }
            }
        }
    }

    /// What can be said of a line whose end has not come yet.
    private func unfinished(_ bytes: UnsafeRawBufferPointer, _ limits: WireLimits) -> HeadScan {
        if bytes.count - lineStart > limits.lineBytes + 1 {
            return .failed(hasStartLine ? .lineTooLong : .targetTooLong)
        }
        if bytes.count > limits.headBytes { return .failed(.headTooLong) }
        return .needsMore
    }

    /// Reads one field line (RFC 9112 section 5): `name ":" OWS value OWS`.
    @inline(__always)
    static func field(
        _ bytes: UnsafeRawBufferPointer, _ line: Range<Int>, _ limits: WireLimits, _ fields: inout HeadFields
    ) -> WireError? {
        if fields.list.count >= limits.fieldCount { return .tooManyFields }
        var colon = line.lowerBound
        while colon < line.upperBound, ByteClass.isMember(bytes[colon], of: ByteClass.token) { colon += 1 }
        guard colon < line.upperBound, bytes[colon] == UInt8(ascii: ":"), colon > line.lowerBound else {
            return badName(bytes, line, stoppedAt: colon)
        }
        var (start, end) = (colon + 1, line.upperBound)
        while start < end, bytes[start] == 0x20 || bytes[start] == 0x09 { start += 1 }
        while end > start, bytes[end - 1] == 0x20 || bytes[end - 1] == 0x09 { end -= 1 }
        if !ByteClass.arePlainValue(bytes, start..<end) {
            for i in start..<end where !ByteClass.isMember(bytes[i], of: ByteClass.value) {
                return bytes[i] == 0x0d ? .bareCarriageReturn : .controlByte
            }
        }
        fields.append(
            name: ByteRange(start: line.lowerBound, end: colon), value: ByteRange(start: start, end: end), in: bytes)
        return nil
    }

    private static func badName(_ bytes: UnsafeRawBufferPointer, _ line: Range<Int>, stoppedAt stop: Int) -> WireError {
        if stop == line.upperBound { return .missingColon }
        switch bytes[stop] {
        case UInt8(ascii: ":"): return .emptyFieldName
        case 0x20, 0x09:
            if stop == line.lowerBound { return .foldedLine }
            return bytes[stop..<line.upperBound].contains(UInt8(ascii: ":")) ? .spaceBeforeColon : .missingColon
        case 0x0d: return .bareCarriageReturn
        case 0..<0x20, 0x7f: return .controlByte
        default: return .badFieldName
        }
    }
}
