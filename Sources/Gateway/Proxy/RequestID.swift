// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Wire
package import World

/// What tells one request from all others: `X-Kong-Request-Id`, 32 hexadecimal digits.
package struct RequestID: Sendable, Hashable, CustomStringConvertible {
    private let high: UInt64
    private let low: UInt64

    /// Takes two draws.
    package init(_ random: inout RandomStream) { (high, low) = (random.next(), random.next()) }

    package var description: String { text }

    package var text: String {
        String(unsafeUninitializedCapacity: 32) { digits in
            for place in 0..<32 {
                let word = place < 16 ? high : low
                let nibble = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * (place & 15)) & 15)
                digits[place] = nibble < 10 ? 0x30 + nibble : 0x57 + nibble
            }
            return 32
        }
    }
}

extension ByteCursor {
    /// Writes 32 bytes.
    package mutating func write(_ id: RequestID) { id.write(to: &self) }
}

extension RequestID {
    @inline(__always)
    fileprivate func write(to cursor: inout ByteCursor) {
        cursor.writeHexadecimal(high)
        cursor.writeHexadecimal(low)
    }
}
