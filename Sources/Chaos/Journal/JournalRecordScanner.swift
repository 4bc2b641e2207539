// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// Reads the two kinds of line of which a journal has millions, requests and mocks' records, straight from their bytes.
///
/// It knows the lines that this program writes: flat, texts without escapes, known keys. Anything else is nil, and the
/// general reader (`JSONLineScanner`) has the word, also on what is wrong with it.
struct JournalRecordScanner {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    private init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    static func event(_ line: UnsafeRawBufferPointer) -> JournalEvent? {
        var scanner = JournalRecordScanner(line)
        if scanner.skip(#"{"kind":"request","t":"#) { return scanner.request().map { .request($0) } }
        if scanner.skip(#"{"kind":"served","t":"#) { return scanner.served().map { .served($0) } }
        return nil
    }

    private mutating func request() -> JournalEvent.Request? {
        guard let planned = integer() else { return nil }
        var request = JournalEvent.Request(load: "", n: 0, planned: Int64(planned), outcome: .ok)
        var (hasLoad, hasNumber, hasOutcome) = (false, false, false)
        while let key = key() {
            switch key {
            case "load":
                guard let text = text() else { return nil }
                (request.load, hasLoad) = (text, true)
            case "n":
                guard let number = integer() else { return nil }
                (request.n, hasNumber) = (number, true)
            case "method":
                guard let text = text() else { return nil }
                request.method = text
            case "path":
                guard let text = text() else { return nil }
                request.path = text
            case "sent", "first", "end":
                guard let after = integer() else { return nil }
                let time = Int64(planned).clampedAdding(Int64(after))
                if key == "sent" {
                    request.sent = time
                } else if key == "end" {
                    request.end = time
                } else {
                    request.firstByte = time
                }
            case "status", "bytes", "connection":
                guard let number = integer() else { return nil }
                if key == "status" {
                    request.status = number
                } else if key == "bytes" {
                    request.bytes = number
                } else {
                    request.connection = number
                }
            case "outcome":
                guard let outcome = text().flatMap(JournalEvent.Request.Outcome.init(rawValue:)) else { return nil }
                (request.outcome, hasOutcome) = (outcome, true)
            case "failure":
                guard let failure = text().flatMap(JournalEvent.Request.Failure.init(rawValue:)) else { return nil }
                request.failure = failure
            case "origin":
                guard let origin = text().flatMap(JournalEvent.Request.Origin.init(rawValue:)) else { return nil }
                request.origin = origin
            case "warmup":
                guard skip("true") else { return nil }
                request.isWarmup = true
            default: return nil
            }
        }
        return isOver && hasLoad && hasNumber && hasOutcome ? request : nil
    }

    private mutating func served() -> JournalEvent.Served? {
        guard let time = integer() else { return nil }
        var served = JournalEvent.Served(
            at: Instant(Int64(time)), node: "", chaosID: nil, n: 0, method: "", path: "", status: 0)
        var (hasNode, hasNumber, hasStatus) = (false, false, false)
        while let key = key() {
            switch key {
            case "node":
                guard let text = text() else { return nil }
                (served.node, hasNode) = (text, true)
            case "id":
                guard let text = text() else { return nil }
                served.chaosID = text
            case "method":
                guard let text = text() else { return nil }
                served.method = text
            case "path":
                guard let text = text() else { return nil }
                served.path = text
            case "n":
                guard let number = integer() else { return nil }
                (served.n, hasNumber) = (number, true)
            case "status":
                guard let number = integer() else { return nil }
                (served.status, hasStatus) = (number, true)
            case "connection":
                guard let number = integer() else { return nil }
                served.connection = number
            default: return nil
            }
        }
        return isOver && hasNode && hasNumber && hasStatus ? served : nil
    }

    // MARK: Bytes

    /// The closing brace, and nothing behind it.
    private var isOver: Bool { position == bytes.count - 1 && bytes[position] == UInt8(ascii: "}") }

    private mutating func skip(_ text: StaticString) -> Bool {
        let length = text.utf8CodeUnitCount
        guard position + length <= bytes.count else { return false }
        for offset in 0..<length where bytes[position + offset] != text.utf8Start[offset] { return false }
        position += length
        return true
    }

    /// `,"key":`; nil where there is none.
    private mutating func key() -> String? {
        guard skip(",\""), let end = quote() else { return nil }
        let key = String(decoding: bytes[position..<end], as: UTF8.self)
        position = end + 1
        return skip(":") ? key : nil
    }

    private mutating func text() -> String? {
        guard skip("\""), let end = quote(), let text = String(validating: bytes[position..<end], as: UTF8.self) else {
            return nil
        }
        position = end + 1
        return text
    }

    /// Where the text that begins here ends; nil with an escape or a control character before that.
    private func quote() -> Int? {
        var place = position
        while place < bytes.count {
            switch bytes[place] {
            case UInt8(ascii: "\""): return place
            case UInt8(ascii: "\\"), 0..<0x20: return nil
            default: place += 1
            }
        }
        return nil
    }

    /// Of at most 18 digits, without needless zeros.
    private mutating func integer() -> Int? {
        let isNegative = position < bytes.count && bytes[position] == UInt8(ascii: "-")
        let start = position + (isNegative ? 1 : 0)
        var place = start
        var value = 0
        while place < bytes.count, bytes[place] &- UInt8(ascii: "0") < 10 {
            guard place - start < 18 else { return nil }
            value = value * 10 + Int(bytes[place] - UInt8(ascii: "0"))
            place += 1
        }
        guard place > start, place - start == 1 || bytes[start] != UInt8(ascii: "0"), place < bytes.count,
            bytes[place] == UInt8(ascii: ",") || bytes[place] == UInt8(ascii: "}")
        else { return nil }
        position = place
        return isNegative ? -value : value
    }
}
