// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Certificates
import Document
import OpenSSL

// `tls:` of a mock and of a link's `protocol:`.
extension Reader {
    /// `{}` and `true` are good TLS; `{ cert: expired, min: 1.2, max: 1.3 }` says more. Nil for none.
    mutating func tlsSpec(_ node: DocumentNode, _ what: String) -> TLSSpec? {
        if node.isNull { return TLSSpec() }
        if node.scalar != nil { return boolean(node, what) == true ? TLSSpec() : nil }
        guard let fields = fields(node, what, keys: ["cert", "min", "max"]) else { return nil }
        var spec = TLSSpec()
        if let node = fields["cert"] { spec.certificate = choice(node, "`cert` of \(what)") ?? .valid }
        spec.minimum = fields["min"].flatMap { tlsVersion($0, "`min` of \(what)") }
        spec.maximum = fields["max"].flatMap { tlsVersion($0, "`max` of \(what)") }
        if let minimum = spec.minimum, let maximum = spec.maximum, maximum < minimum {
            report(
                fields.keyLocation("max"),
                "\(what) has no version: \(minimum.rawValue) at least, \(maximum.rawValue) at most")
        }
        return spec
    }

    /// A version is read as it is written: as a number, 1.0 would be 1.
    mutating func tlsVersion(_ node: DocumentNode, _ what: String) -> TLSVersion? {
        guard let text = text(node, what) else { return nil }
        if let version = TLSVersion(rawValue: text) { return version }
        report(node.location, "\(what) cannot be `\(text)`", advice: "write 1.0, 1.1, 1.2 or 1.3")
        return nil
    }
}
