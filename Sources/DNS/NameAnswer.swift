// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

#if GATECRASH_DEFECTS
import Defects
#endif

/// What a host name leads to: at least one address.
package struct NameAnswer: Hashable, Sendable {
    package struct Address: Hashable, Sendable {
        package var address: SocketAddress
        /// Of the SRV record that led here; nil without one.
        package var weight: Int?

        package init(_ address: SocketAddress, weight: Int? = nil) {
            self.address = address
            self.weight = weight
        }
    }

    package var addresses: [Address]
    /// How it was found: A, AAAA or SRV.
    package var type: RecordType
    /// For how long it holds; nil when the resolver does not tell.
    package var lifetime: TimeAmount?

    package init(_ addresses: [Address], type: RecordType, lifetime: TimeAmount? = nil) {
        self.addresses = addresses
        self.type = type
        self.lifetime = lifetime
    }

    /// What a resolver without record types found.
    package init(_ addresses: [SocketAddress]) {
        let isVersion6 = if case .v6? = addresses.first { true } else { false }
        self.init(addresses.map { Address($0) }, type: isVersion6 ? .aaaa : .a)
    }
}

/// Why a host name leads nowhere, in the words of Kong's client.
package struct NameFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        /// There is no such name: what was known of it before is wrong.
        case noSuchName
        /// The name has no record of a wanted type.
        case empty
        /// The server answered with an error.
        case refused(ResponseCode)
        /// No server answered.
        case noAnswer
        /// The text is no name at all, or its aliases never end.
        case unusable
    }

    package var kind: Kind
    package var description: String

    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }

    /// Kong answers 503 for these, 500 for the others (kong/error_handlers.lua).
    package var meansNoRecord: Bool { kind == .noSuchName || kind == .empty }

    package static func code(_ code: ResponseCode) -> NameFailure {
        #if GATECRASH_DEFECTS
        if Defect.serverFailureMeansGone.isChosen { return NameFailure(.noSuchName, code.words) }
        #endif
        return NameFailure(
            code == .nameError ? .noSuchName : .refused(code), "dns server error: \(code.rawValue) \(code.words)")
    }

    package static let empty = NameFailure(.empty, "dns client error: 101 empty record received")
}
