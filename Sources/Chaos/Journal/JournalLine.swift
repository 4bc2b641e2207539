// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import OrderedCollections

/// One line of a journal being written: a flat JSON object, field after field.
struct JournalLine {
    private(set) var bytes: [UInt8] = []

    init(kind: JournalEvent.Kind, at instant: Instant?) {
        bytes.reserveCapacity(256)
        append("{\"kind\":\"")
        append(kind.rawValue)
        append("\"")
        guard let instant else { return }
        field("t", instant.t)
        if instant.lo != 0 { field("lo", instant.lo) }
        if instant.hi != 0 { field("hi", instant.hi) }
    }

    mutating func field(_ name: String, _ value: Int64) {
        key(name)
        append(String(value))
    }

    mutating func field(_ name: String, _ value: Int) { field(name, Int64(value)) }

    mutating func field(_ name: String, _ value: Bool) {
        key(name)
        append(value ? "true" : "false")
    }

    mutating func field(_ name: String, _ value: String) {
        key(name)
        var text = ""
        JSONValue.quote(value, to: &text)
        append(text)
    }

    mutating func field(_ name: String, _ value: JSONValue) {
        key(name)
        append(value.description)
    }

    /// Fields without a value are left out.
    mutating func field(_ name: String, _ value: Int64?) { if let value { field(name, value) } }
    mutating func field(_ name: String, _ value: Int?) { if let value { field(name, value) } }
    mutating func field(_ name: String, _ value: String?) { if let value { field(name, value) } }

    /// The line with its line feed.
    consuming func finished() -> [UInt8] {
        append("}\n")
        return bytes
    }

    private mutating func key(_ name: String) {
        append(",\"")
        append(name)
        append("\":")
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }
}

/// The fields of a line being read; a missing or wrong one is a `Problem` that names it.
struct JournalFields {
    private let members: OrderedDictionary<String, JSONValue>

    init(_ value: JSONValue) throws(Problem) {
        guard case .object(let members) = value else { throw Problem(at: nil, "not a JSON object") }
        self.members = members
    }

    subscript(name: String) -> JSONValue? {
        let value = members[name]
        return value == .null ? nil : value
    }

    func text(_ name: String) throws(Problem) -> String {
        guard let text = self[name]?.stringValue else { throw Self.problem(name, "text") }
        return text
    }

    func integer(_ name: String) throws(Problem) -> Int {
        guard let value = self[name]?.intValue else { throw Self.problem(name, "a whole number") }
        return value
    }

    func time(_ name: String) throws(Problem) -> Int64 { Int64(try integer(name)) }
    func instant() throws(Problem) -> Instant {
        Instant(try time("t"), lo: Int64(self["lo"]?.intValue ?? 0), hi: Int64(self["hi"]?.intValue ?? 0))
    }

    func optionalTime(_ name: String) -> Int64? { self[name]?.intValue.map(Int64.init) }
    func optionalInteger(_ name: String) -> Int? { self[name]?.intValue }
    func optionalText(_ name: String) -> String? { self[name]?.stringValue }
    func flag(_ name: String) -> Bool { self[name]?.boolValue ?? false }

    /// A word of a closed set.
    func word<Word: RawRepresentable>(_ name: String, _: Word.Type = Word.self) throws(Problem) -> Word
    where Word.RawValue == String {
        let text = try text(name)
        guard let word = Word(rawValue: text) else { throw Problem(at: nil, "\"\(name)\" cannot be \"\(text)\"") }
        return word
    }

    func optionalWord<Word: RawRepresentable>(_ name: String, _: Word.Type = Word.self) throws(Problem) -> Word?
    where Word.RawValue == String {
        self[name] == nil ? nil : try word(name)
    }

    private static func problem(_ name: String, _ wanted: String) -> Problem {
        Problem(at: nil, "\"\(name)\" must be \(wanted)")
    }
}
