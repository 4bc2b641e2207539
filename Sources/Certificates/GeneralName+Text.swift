// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

internal import SwiftASN1
internal import X509

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension GeneralName {
    /// An address when it reads as one, else a host name.
    ///
    /// - Throws: `CertificateProblem` for a name that is empty or not ASCII.
    init(text: String) throws {
        if let address = Self.addressBytes(text) {
            self = .ipAddress(ASN1OctetString(contentBytes: address[...]))
            return
        }
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw CertificateProblem("'\(text)' is neither a host name nor an address; write ASCII letters")
        }
        self = .dnsName(text)
    }

    static func isAddress(_ text: String) -> Bool { addressBytes(text) != nil }

    /// Four or sixteen bytes, or nil.
    private static func addressBytes(_ text: String) -> [UInt8]? {
        for (family, count) in [(AF_INET, 4), (AF_INET6, 16)] {
            var bytes = [UInt8](repeating: 0, count: count)
            if inet_pton(family, text, &bytes) == 1 { return bytes }
        }
        return nil
    }

    /// As a certificate's reader would write it; nil for kinds that TLS does not look at.
    var text: String? {
        switch self {
        case .dnsName(let name): return name
        case .ipAddress(let address):
            let family = address.bytes.count == 4 ? AF_INET : AF_INET6
            guard address.bytes.count == 4 || address.bytes.count == 16 else { return nil }
            var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
            let bytes = Array(address.bytes)
            guard inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else { return nil }
            return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        default: return nil
        }
    }
}
