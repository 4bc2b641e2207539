// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

#if os(Linux)
import NIOCore

#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

extension SocketAddress {
    typealias Question = (CInt, UnsafeMutablePointer<sockaddr>?, UnsafeMutablePointer<socklen_t>?) -> CInt

    /// One end of a TCP connection; nil when it is gone.
    ///
    /// - Parameter ask: getsockname or getpeername.
    init?(ofSocket descriptor: CInt, _ ask: Question) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let isThere = withUnsafeMutableBytes(of: &storage) { bytes in
            bytes.baseAddress.map { ask(descriptor, $0.assumingMemoryBound(to: sockaddr.self), &length) == 0 } ?? false
        }
        guard isThere else { return nil }
        self.init(storage)
    }

    /// An address as the kernel writes it; nil when it is neither IPv4 nor IPv6.
    init?(_ storage: sockaddr_storage) {
        let found: SocketAddress? = withUnsafeBytes(of: storage) { bytes in
            switch CInt(storage.ss_family) {
            case AF_INET: SocketAddress(bytes.load(as: sockaddr_in.self))
            case AF_INET6: SocketAddress(bytes.load(as: sockaddr_in6.self))
            default: nil
            }
        }
        guard let found else { return nil }
        self = found
    }

    var family: CInt {
        switch self {
        case .v4: AF_INET
        case .v6: AF_INET6
        default: AF_UNIX
        }
    }
}
#endif
