// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
package import Wire

/// The head of a message in transit. Its bytes stay as they came where no fault edits them.
package struct MessageHead: Sendable {
    package enum Kind: Hashable, Sendable {
        case request
        /// A response to HEAD has no body, whatever its fields say.
        case response(status: Int, answersHead: Bool)
    }

    /// Start line, field lines and the empty line.
    package private(set) var bytes: ByteBuffer
    package let kind: Kind
    package let framing: BodyFraming
    package let keepsAlive: Bool
    /// The faults that hit the exchange, each with its number of the draw.
    package let hits: [String: Int]

    package init(
        _ bytes: ByteBuffer, kind: Kind, framing: BodyFraming, keepsAlive: Bool = true, hits: [String: Int] = [:]
    ) {
        self.bytes = bytes
        self.kind = kind
        self.framing = framing
        self.keepsAlive = keepsAlive
        self.hits = hits
    }

    // MARK: Lines

    /// The start line, the field lines and the empty line, each with its line feed.
    package var lines: [ByteBuffer] {
        var (rest, lines) = (bytes, [ByteBuffer]())
        while let feed = rest.readableBytesView.firstIndex(of: 0x0a),
            let line = rest.readSlice(length: feed + 1 - rest.readerIndex)
        {
            lines.append(line)
        }
        return lines
    }

    private mutating func setLines(_ lines: [ByteBuffer]) {
        bytes = ByteBuffer()
        for line in lines { bytes.writeImmutableBuffer(line) }
    }

    private static func isField(_ line: ByteBuffer, _ name: String) -> Bool {
        let view = line.readableBytesView
        guard let colon = view.firstIndex(of: UInt8(ascii: ":")) else { return false }
        return String(decoding: view[..<colon], as: UTF8.self).lowercased() == name.lowercased()
    }

    // MARK: Editing

    /// Takes every field of this name out.
    package mutating func drop(_ name: String) { setLines(lines.filter { !Self.isField($0, name) }) }

    /// Adds a field at the end of the head.
    package mutating func add(_ name: String, _ value: String) {
        var lines = lines
        lines.insert(ByteBuffer(string: "\(name): \(value)\r\n"), at: max(0, lines.count - 1))
        setLines(lines)
    }

    /// Gives the first field of this name another value, or adds one; others of the name go.
    package mutating func set(_ name: String, _ value: String) {
        var lines = lines
        guard let place = lines.firstIndex(where: { Self.isField($0, name) }) else { return add(name, value) }
        lines[place] = ByteBuffer(string: "\(name): \(value)\r\n")
        let kept = lines.enumerated().filter { $0.offset == place || !Self.isField($0.element, name) }
        setLines(kept.map(\.element))
    }
}
