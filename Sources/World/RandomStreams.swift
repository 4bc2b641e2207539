// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// The source of all chance of one world. A stream is derived from the seed and its name alone: the n-th draw of
/// `stream("mock api-1")` depends on nothing that any other stream did, so that removing one part of a scenario does
/// not change what the others draw.
package struct RandomStreams: Sendable, Hashable {
    package let seed: UInt64

    package init(seed: UInt64) { self.seed = seed }

    /// - Parameter name: what draws, and what for: "load users arrivals", "link gateway->api-1 toxicity".
    package func stream(_ name: String) -> RandomStream { RandomStream(seed: seed, name: name) }
}

/// xoshiro256** (Blackman and Vigna 2018), keyed by a seed and a name. Fast, good and the same on every platform; not
/// for secrets.
package struct RandomStream: RandomNumberGenerator, Sendable, Hashable {
    private var state: (UInt64, UInt64, UInt64, UInt64) {
        get { (a, b, c, d) }
        set { (a, b, c, d) = newValue }
    }
    private var a: UInt64, b: UInt64, c: UInt64, d: UInt64

    package init(seed: UInt64, name: String) {
        // FNV-1a folds the name into the seed; SplitMix64 spreads both over the state, as the authors of xoshiro
        // advise.
        var key = 0xcbf2_9ce4_8422_2325 ^ seed
        for byte in name.utf8 { key = (key ^ UInt64(byte)) &* 0x100_0000_01b3 }
        func splitMix() -> UInt64 {
            key &+= 0x9e37_79b9_7f4a_7c15
            var z = key
            z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
            return z ^ (z >> 31)
        }
        key = splitMix() ^ seed
        (a, b, c, d) = (splitMix(), splitMix(), splitMix(), splitMix())
    }

    package mutating func next() -> UInt64 {
        func rotate(_ x: UInt64, _ k: UInt64) -> UInt64 { (x << k) | (x >> (64 - k)) }
        let result = rotate(b &* 5, 7) &* 9
        let t = b << 17
        c ^= a
        d ^= b
        b ^= c
        a ^= d
        c ^= t
        d = rotate(d, 45)
        return result
    }

    /// Uniform in [0, 1), 53 bits.
    package mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Uniform in 0 ..< bound without bias (Lemire's method).
    /// - Precondition: `bound` > 0.
    package mutating func below(_ bound: UInt64) -> UInt64 {
        precondition(bound > 0, "a draw below 0 has no value")
        while true {
            let product = next().multipliedFullWidth(by: bound)
            if product.low >= bound || product.low >= (0 &- bound) % bound { return product.high }
        }
    }

    /// True with the given probability: never at 0, always at 1.
    package mutating func chance(_ probability: Double) -> Bool { unit() < probability }

    /// Exponentially distributed with the given mean (the gaps of a Poisson process).
    package mutating func exponential(mean: Double) -> Double { -mean * logarithm(1 - unit()) }

    /// Normally distributed, mean 0 and standard deviation 1 (Box and Muller; one of the pair is used).
    package mutating func normal() -> Double {
        let radius = (-2 * logarithm(1 - unit())).squareRoot()
        return radius * cosine(2 * .pi * unit())
    }

    /// `count` random bytes as lower-case hexadecimal digits; one allocation at most, as request ids need many.
    package mutating func hexadecimal(bytes count: Int) -> String {
        String(unsafeUninitializedCapacity: count * 2) { digits in
            var bits: UInt64 = 0
            for i in 0..<count * 2 {
                if i & 15 == 0 { bits = next() }
                let nibble = UInt8(truncatingIfNeeded: bits >> 60)
                digits[i] = nibble < 10 ? 48 + nibble : 87 + nibble
                bits <<= 4
            }
            return count * 2
        }
    }

    /// A version 4 UUID in lower case (RFC 9562 section 5.4).
    package mutating func uuid() -> String {
        var digits = Array(hexadecimal(bytes: 16))
        digits[12] = "4"
        digits[16] = ["8", "9", "a", "b"][Int(next() >> 62)]
        for place in [8, 13, 18, 23] { digits.insert("-", at: place) }
        return String(digits)
    }
}
