// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// What OpenSSL has to complain about, or what the peer did.
package struct OpenSSLError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: Hashable, Sendable {
        /// A certificate, a key or a limit that cannot be used.
        case setUp
        /// The handshake failed; the peer's alert, if it sent one (RFC 8446 section 6).
        case handshake(alert: Int?)
        /// The connection was broken after the handshake: damaged records, an alert.
        case broken(alert: Int?)
        /// The peer closed its socket without saying that it had said everything (RFC 8446 section 6.1).
        case truncated
        /// The connection was closed before what was written could be sent.
        case closed
    }

    package var code: Code
    package var description: String

    package init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// Takes the oldest error off this thread's queue and empties it.
    static func take(_ what: String, code: (Int?) -> Code) -> OpenSSLError {
        let number = ERR_get_error()
        ERR_clear_error()
        guard number != 0 else { return OpenSSLError(code(nil), "\(what): no reason given") }
        var text = [CChar](repeating: 0, count: 256)
        ERR_error_string_n(number, &text, text.count)
        let reason = Int(gatecrash_error_reason(number))
        // Alerts of the peer are reasons from 1000 on (ssl.h, SSL_AD_REASON_OFFSET).
        let alert = (1000..<1256).contains(reason) ? reason - 1000 : nil
        let words = ERR_reason_error_string(number).map { String(cString: $0) }
        return OpenSSLError(code(alert), "\(what): \(words ?? string(text))")
    }

    private static func string(_ text: [CChar]) -> String {
        String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
