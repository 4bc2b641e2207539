// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// Writes pieces one after the other into memory that was set aside for all of them at once. A piece costs a comparison
/// and a copy; nothing is allocated, nothing is counted.
///
/// - Precondition: whoever sets the memory aside knows an upper bound of what will be written; beyond it a piece stops
///   the process rather than write over what is not ours.
package struct ByteCursor {
    private var next: UnsafeMutableRawPointer
    private let end: UnsafeMutableRawPointer

    fileprivate init(_ start: UnsafeMutableRawPointer, count: Int) {
        next = start
        end = start + count
    }

    fileprivate func written(since start: UnsafeMutableRawPointer) -> Int { next - start }

    @inline(__always)
    private mutating func advance(by count: Int) -> UnsafeMutableRawPointer {
        precondition(count <= end - next, "a head is longer than was foreseen")
        let place = next
        next += count
        return place
    }

    @inline(__always)
    package mutating func write(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return }
        advance(by: bytes.count).copyMemory(from: base, byteCount: bytes.count)
    }

    @inline(__always)
    package mutating func write(_ text: StaticString) {
        advance(by: text.utf8CodeUnitCount).copyMemory(from: text.utf8Start, byteCount: text.utf8CodeUnitCount)
    }

    @inline(__always)
    package mutating func write(_ text: String) {
        var text = text
        text.withUTF8 { write(UnsafeRawBufferPointer($0)) }
    }

    @inline(__always)
    package mutating func write(_ bytes: ByteBuffer) { bytes.withUnsafeReadableBytes { write($0) } }

    @inline(__always)
    package mutating func write(_ byte: UInt8) { advance(by: 1).storeBytes(of: byte, as: UInt8.self) }

    /// Decimal digits.
    package mutating func writeDecimal(_ value: Int) {
        if value < 0 { write(UInt8(ascii: "-")) }
        var rest = value.magnitude
        var count = 1
        var power: UInt = 10
        // 10^19 is the largest power that a UInt holds.
        while count < 19, rest >= power {
            count += 1
            power &*= 10
        }
        if count == 19, rest >= power { count = 20 }
        var place = advance(by: count) + count
        for _ in 0..<count {
            place -= 1
            place.storeBytes(of: 0x30 + UInt8(truncatingIfNeeded: rest % 10), as: UInt8.self)
            rest /= 10
        }
    }

    /// All 16 lower-case hexadecimal digits.
    @inline(__always)
    package mutating func writeHexadecimal(_ value: UInt64) {
        let place = advance(by: 16)
        var rest = value
        for digit in (0..<16).reversed() {
            let nibble = UInt8(truncatingIfNeeded: rest & 15)
            (place + digit).storeBytes(of: nibble < 10 ? 0x30 + nibble : 0x57 + nibble, as: UInt8.self)
            rest >>= 4
        }
    }
}

extension ByteBuffer {
    /// Appends what `body` writes.
    ///
    /// - Parameter count: no less than it will write.
    @inline(__always)
    package mutating func append(atMost count: Int, _ body: (inout ByteCursor) -> Void) {
        writeWithUnsafeMutableBytes(minimumWritableBytes: count) { memory in
            // There is memory where there was asked for some.
            guard let start = memory.baseAddress else { return 0 }
            var cursor = ByteCursor(start, count: count)
            body(&cursor)
            return cursor.written(since: start)
        }
    }
}
