// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore

/// An IP address as a number: IPv4 and IPv6 are never equal, whatever their bits.
struct IPAddress: Hashable, Sendable {
    let isIPv6: Bool
    let high: UInt64
    /// All of an IPv4 address.
    let low: UInt64

    /// Nil for what is no IP address (a Unix domain socket).
    init?(_ address: SocketAddress) {
        let bytes: [UInt8] = address.withSockAddr { pointer, size in
            Array(UnsafeRawBufferPointer(start: UnsafeRawPointer(pointer), count: size))
        }
        // struct sockaddr_in: family, port, 4 bytes; struct sockaddr_in6: family, port, flow, 16 bytes.
        switch address {
        case .v4 where bytes.count >= 8:
            (isIPv6, high, low) = (false, 0, Self.number(bytes[4..<8]))
        case .v6 where bytes.count >= 24:
            (isIPv6, high, low) = (true, Self.number(bytes[8..<16]), Self.number(bytes[16..<24]))
        default: return nil
        }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
}

/// The addresses that share a prefix, as `trusted_ips` of kong.conf names them: `10.0.0.0/8`, `::1`.
struct AddressRange: Hashable, Sendable {
    private let isIPv6: Bool
    private let high: UInt64
    private let low: UInt64
    private let highMask: UInt64
    private let lowMask: UInt64

    /// Reads an address with or without `/prefix length`; nil for anything else.
    init?(_ text: Substring) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let socket = try? SocketAddress(ipAddress: String(parts[0]), port: 0), let address = IPAddress(socket)
        else { return nil }
        let width = address.isIPv6 ? 128 : 32
        var length = width
        if parts.count == 2 {
            guard let given = Int(parts[1]), (0...width).contains(given), parts[1].first != "+" else { return nil }
            length = given
        }
        isIPv6 = address.isIPv6
        highMask = Self.mask(isIPv6 ? min(64, length) : 0)
        lowMask = isIPv6 ? Self.mask(max(0, length - 64)) : Self.mask(length) >> 32
        high = address.high & highMask
        low = address.low & lowMask
    }

    /// The first `length` of 64 bits.
    private static func mask(_ length: Int) -> UInt64 { length == 0 ? 0 : ~0 << (64 - UInt64(length)) }

    func contains(_ address: IPAddress) -> Bool {
        address.isIPv6 == isIPv6 && address.high & highMask == high && address.low & lowMask == low
    }
}
