// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// What is particular about certificates (kong/api/routes/certificates.lua): their server names are written with them,
/// and stand for them in URLs.
extension AdminAPI {
    /// - Throws: 404, also for a server name of another certificate.
    func serverName(_ name: String, ofCertificate certificate: String) throws(AdminRefusal) -> JSONValue {
        let parent = try row(.certificates, certificate)
        let found = try row(.snis, name)
        guard found["certificate"]?["id"] == parent["id"] else { throw .notFound }
        return found
    }

    /// - Throws: 404, also when there is nothing that names a certificate.
    func certificate(of kind: EntityKind, _ name: String) throws(AdminRefusal) -> JSONValue {
        let field = kind == .snis ? "certificate" : "client_certificate"
        guard let id = try row(kind, name)[field]?["id"]?.stringValue else { throw .notFound }
        return try row(.certificates, id)
    }

    func certificateUsers(
        _ certificate: String, _ kind: EntityKind, _ query: [FormArgument]
    ) throws(AdminRefusal) -> JSONValue {
        let id = try id(of: try row(.certificates, certificate))
        let users = store.rows(kind).filter { $0["client_certificate"]?["id"] == .string(id) }
        return try nestedList("/certificates/\(id)/\(kind.rawValue)", users.map { shown($0, kind) }, query)
    }

    func createCertificate(_ input: JSONValue) throws(AdminRefusal) -> JSONValue {
        var input = input
        let names = Self.takeServerNames(from: &input)
        return try change { (store, stamp) throws(StoreError) in
            let row = try store.insert(.certificates, input, stamp: &stamp)
            try store.setServerNames(names, ofCertificate: row["id"]?.stringValue ?? "", stamp: &stamp)
            return row
        }
    }

    /// - Parameter name: an id, or a server name; PUT of one that is not there makes a certificate for it.
    func modifyCertificate(
        _ name: String, _ input: JSONValue, method: String
    ) throws(AdminRefusal) -> JSONValue {
        var input = input
        var names = Self.takeServerNames(from: &input)
        let old = store.row(.certificates, idOrName: name)
        if method == "PATCH", old == nil { throw .notFound }
        if old == nil, !UUIDs.isValid(name) { names = .array([.string(name)] + (names.arrayValue ?? [])) }
        return try change { (store, stamp) throws(StoreError) in
            let row: JSONValue
            if method == "PATCH" {
                row = try store.update(.certificates, id: old?["id"]?.stringValue ?? "", input, stamp: stamp)
            } else if let id = old?["id"]?.stringValue ?? (UUIDs.isValid(name) ? name : nil) {
                row = try store.upsert(.certificates, idOrName: id, input, stamp: &stamp)
            } else {
                row = try store.insert(.certificates, input, stamp: &stamp)
            }
            try store.setServerNames(names, ofCertificate: row["id"]?.stringValue ?? "", stamp: &stamp)
            return row
        }
    }

    /// What is written of a server name under its certificate: it belongs to that one.
    ///
    /// - Throws: 404 for one of another certificate, and for a change of one that is not there.
    func serverNameInput(
        _ name: String, ofCertificate certificate: String, _ input: JSONValue, method: String
    ) throws(AdminRefusal) -> JSONValue {
        let parent = try row(.certificates, certificate)
        if method == "PATCH" {
            _ = try serverName(name, ofCertificate: certificate)
            return input
        }
        if let old = store.row(.snis, idOrName: name), old["certificate"]?["id"] != parent["id"] { throw .notFound }
        var input = input
        input["certificate"] = ["id": parent["id"] ?? .null]
        return input
    }

    /// A form with one name sends text.
    private static func takeServerNames(from input: inout JSONValue) -> JSONValue {
        let names = input["snis"] ?? .null
        input["snis"] = nil
        return names.stringValue.map { .array([.string($0)]) } ?? names
    }
}
