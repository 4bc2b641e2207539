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
        let found: SocketAddress? = withUnsafeMutableBytes(of: &storage) { bytes in
            guard let base = bytes.baseAddress,
                ask(descriptor, base.assumingMemoryBound(to: sockaddr.self), &length) == 0
            else { return nil }
            switch CInt(base.assumingMemoryBound(to: sockaddr.self).pointee.sa_family) {
            case AF_INET: return SocketAddress(base.load(as: sockaddr_in.self))
            case AF_INET6: return SocketAddress(base.load(as: sockaddr_in6.self))
            default: return nil
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
