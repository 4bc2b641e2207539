// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// The keys of one kind of mapping, with what they take and what they mean: the one table that the reader checks keys
/// against and that the JSON Schema is made from, so that neither can know a key that the other does not.
struct KeyTable: Sendable {
    struct Key: Sendable {
        var name: String
        var shape: SchemaShape
        /// For a person who writes a file, in an editor.
        var about: String
        var isRequired: Bool

        init(_ name: String, _ shape: SchemaShape, _ about: String, required isRequired: Bool = false) {
            self.name = name
            self.shape = shape
            self.about = about
            self.isRequired = isRequired
        }
    }

    var about: String
    var keys: [Key]
    /// What must be true of the mapping as a whole.
    var rules: [Rule]
    /// Keys that are many, by a regular expression.
    var patterns: [(pattern: String, shape: SchemaShape)]

    /// Of several keys, or of keys that go together.
    enum Rule: Sendable {
        /// At least one of them.
        case anyOf([String])
        /// Exactly one of them.
        case oneOf([String])
        /// Where the first is, the others must be.
        case needs(String, [String])
        /// Where the first is, one of the others must be.
        case needsAny(String, [String])
        /// These keys belong to mappings that have one of the others.
        case belongs([String], to: [String])
    }

    init(
        _ about: String, _ keys: [Key], rules: [Rule] = [], patterns: [(pattern: String, shape: SchemaShape)] = []
    ) {
        self.about = about
        self.keys = keys
        self.rules = rules
        self.patterns = patterns
    }

    var names: [String] { keys.map(\.name) }
}

/// What a key takes. Scalars are read as text and typed by their key, so that a shape says which texts may be right;
/// the reader alone knows.
indirect enum SchemaShape: Sendable {
    /// Any scalar.
    case text
    /// Text that fits a regular expression (ECMA 262).
    case pattern(String, hint: String)
    case duration
    /// A duration, or a range of them to draw from.
    case durationRange
    case rate
    /// `50/s` or `10/s..200/s`.
    case rateRange
    case ratio
    case whole(ClosedRange<Int>)
    /// A whole number that is not negative, not computed.
    case natural
    case number
    case boolean
    case bound
    /// A bound from a mark, `0ms..100ms after tripped`.
    case relativeBound
    case mark
    case during
    case condition
    /// One of these words, or an expression.
    case words([String])
    case list(SchemaShape)
    case listOf(SchemaShape, count: Int)
    case object(KeyTable)
    /// Free names, each with a value.
    case map(SchemaShape)
    /// Named in `definitions`, so that it is written once.
    case named(String)
    case either([SchemaShape])
    /// Nothing at all, as in `api:`.
    case nothing
    case any
}
