// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// Which bytes may stand where (RFC 9110 section 5.6.2, RFC 9112 section 3), as bits of two words: there is no table to
/// load and nothing to initialise.
enum ByteClass {
    /// Bit n of `low` stands for byte n, bit n of `high` for byte 64 + n; `rest` for all of 0x80 and above.
    struct Members {
        let low: UInt64
        let high: UInt64
        let rest: Bool
    }

    /// Letters, digits and `!#$%&'*+-.^_`|~`: a method or a field name.
    @inline(__always) static var token: Members {
        Members(low: 0x03ff_6cfa_0000_0000, high: 0x57ff_ffff_c7ff_fffe, rest: false)
    }
    /// Everything of a request target: visible ASCII, and bytes of 0x80 and above as nginx takes them; never a space.
    @inline(__always) static var target: Members {
        Members(low: 0xffff_fffe_0000_0000, high: 0x7fff_ffff_ffff_ffff, rest: true)
    }
    /// Everything of a field value: visible ASCII, space, tab, 0x80 and above.
    @inline(__always) static var value: Members {
        Members(low: 0xffff_ffff_0000_0200, high: 0x7fff_ffff_ffff_ffff, rest: true)
    }
    /// Everything of a registered name (RFC 3986 section 3.2.2): letters, digits and `-._~!$&'()*+,;=%`.
    @inline(__always) static var host: Members {
        Members(low: 0x2bff_7ff2_0000_0000, high: 0x47ff_fffe_87ff_fffe, rest: false)
    }

    @inline(__always)
    static func isMember(_ byte: UInt8, of members: Members) -> Bool {
        guard byte < 0x80 else { return members.rest }
        return (byte < 64 ? members.low : members.high) &>> UInt64(byte & 63) & 1 == 1
    }

    /// True when all bytes are those of a field value and none is a tab: eight at a time, as nearly all values are.
    /// What is not so has to be looked at byte by byte.
    @inline(__always)
    static func arePlainValue(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        var place = range.lowerBound
        while place + 8 <= range.upperBound {
            let word = bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)
            // The top bit of each byte: set in the first where the byte is below 0x20, in the second where it is 0x7f.
            let controls = (word &- ones &* 0x20) & ~word
            let delete = word ^ (ones &* 0x7f)
            let deletes = (delete &- ones) & ~delete
            if (controls | deletes) & tops != 0 { return false }
            place += 8
        }
        while place < range.upperBound {
            if bytes[place] < 0x20 || bytes[place] == 0x7f { return false }
            place += 1
        }
        return true
    }
}
