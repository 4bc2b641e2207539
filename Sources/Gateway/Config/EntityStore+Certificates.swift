// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

/// Certificates with the server names they are for (kong/db/dao/certificates.lua, snis.lua, ca_certificates.lua).
extension EntityStore {
    /// The server names of a certificate, sorted.
    package func serverNames(ofCertificate id: String) -> [String] {
        rows(.snis, of: id).compactMap { $0["name"]?.stringValue }.sorted()
    }

    /// Makes the server names of a certificate those of a list: what is new is added, what is not in it goes.
    ///
    /// - Parameter names: the `snis` of a request.
    package mutating func setServerNames(
        _ names: JSONValue, ofCertificate id: String, stamp: inout RowStamp
    ) throws(StoreError) {
        if names.isNull { return }
        let wanted = try checkedServerNames(names, certificate: id)
        for row in rows(.snis, of: id) where !wanted.contains(row["name"]?.stringValue ?? "") {
            try delete(.snis, id: row["id"]?.stringValue ?? "")
        }
        for name in wanted where row(.snis, idOrName: name) == nil {
            _ = try insert(.snis, ["name": .string(name), "certificate": ["id": .string(id)]], stamp: &stamp)
        }
    }

    private func checkedServerNames(_ names: JSONValue, certificate id: String) throws(StoreError) -> [String] {
        let schema = FieldSchema(.set(of: .string(TextRules.wildcardServerName)))
        if let violation = schema.violation(of: names) { throw .schemaViolation(.fields(["snis": violation])) }
        var wanted: [String] = []
        for name in (names.arrayValue ?? []).compactMap(\.stringValue) where !wanted.contains(name) {
            if let other = row(.snis, idOrName: name)?["certificate"]?["id"]?.stringValue, other != id {
                throw .schemaViolation(
                    .field("snis", "\(name) already associated with existing certificate '\(other)'"))
            }
            wanted.append(name)
        }
        return wanted
    }

    /// - Throws: when something that does not go with a row still names it.
    func checkUsers(of kind: EntityKind, id: String) throws(StoreError) {
        switch kind {
        case .certificates:
            for user in [EntityKind.services, .upstreams]
            where rows(user).contains(where: { $0["client_certificate"]?["id"] == .string(id) }) {
                throw .restricted(parent: kind, child: user)
            }
        case .caCertificates:
            let user = rows(.services).first {
                ($0["ca_certificates"]?.arrayValue ?? []).contains { $0.stringValue?.lowercased() == id }
            }
            guard let user = user?["id"]?.stringValue else { return }
            throw .referencedByOthers("ca certificate \(id) is still referenced by services (id = \(user))")
        case .services, .routes, .upstreams, .targets, .snis: return
        }
    }
}
