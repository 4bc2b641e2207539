// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// Some bytes of a message head, counted from the head's first byte.
package struct ByteRange: Sendable, Hashable {
    package var start: UInt32
    package var count: UInt32

    package init(start: Int, end: Int) {
        self.start = UInt32(truncatingIfNeeded: start)
        self.count = UInt32(truncatingIfNeeded: end - start)
    }

    package static let empty = ByteRange(start: 0, end: 0)

    @inline(__always) package var lowerBound: Int { Int(start) }
    @inline(__always) package var upperBound: Int { Int(start) + Int(count) }
    @inline(__always) package var isEmpty: Bool { count == 0 }
}

extension UnsafeRawBufferPointer {
    /// The bytes of a range. The range must come from the same head.
    @inline(__always)
    package subscript(_ range: ByteRange) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self[range.lowerBound..<range.upperBound])
    }

    /// Equal to `word` (in lower case, of letters, digits and hyphens only), whatever the case of these bytes.
    /// Setting bit 5 folds letters; no other byte that a field may hold falls onto a letter, digit or hyphen by it.
    @inline(__always)
    package func equalsIgnoringCase(_ word: StaticString) -> Bool {
        guard count == word.utf8CodeUnitCount else { return false }
        let letters = word.utf8Start
        for i in 0..<count where (self[i] | 0x20) != letters[i] { return false }
        return true
    }
}
