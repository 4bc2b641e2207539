// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import NIOCore

extension AdminAPI {
    /// `POST /config`: replaces everything, or nothing. A large one is read and compiled in the background; the data
    /// plane notices nothing of it until it is swapped in.
    func loadConfiguration(
        _ request: AdminRequest, _ query: [FormArgument], _ finish: @escaping (AdminResponse) -> Void
    ) throws(AdminRefusal) {
        try checkDatabaseless()
        let loader = loader
        read(size: request.body.count) {
            Result { () throws(AdminRefusal) in
                let loaded = try Self.loaded(request, by: loader)
                return (loaded: loaded, answer: ByteBuffer(bytes: loaded.reading.store.flattened()))
            }
        } then: { [self] result in
            switch result {
            case .success((let loaded, let answer)):
                if query.first("check_hash") == "1", loaded.prepared.configuration.hash == store.hash {
                    return finish(AdminResponse(304))
                }
                replace(with: loaded)
                var response = AdminResponse(201)
                response.body = .written(answer)
                finish(response)
            case .failure(let refusal): finish(refusal.response)
            }
        }
    }

    private func checkDatabaseless() throws(AdminRefusal) {
        if settings.isDatabaseless { return }
        throw AdminRefusal(400, "this endpoint is only available when Kong is configured to not use a database")
    }

    private static func loaded(
        _ request: AdminRequest, by loader: ConfigurationLoader
    ) throws(AdminRefusal) -> LoadedConfiguration {
        let document = try document(request)
        do throws(DeclarativeError) {
            switch document {
            case .node(let node): return try loader.load(node)
            case .text(let text): return try loader.load(text, file: file)
            }
        } catch {
            throw AdminRefusal(
                400, code: 14, name: "invalid declarative configuration",
                message: "declarative config is invalid: \(LuaText.compact(error.fields))", ("fields", error.fields))
        }
    }

    private enum ConfigurationDocument {
        case text(String)
        case node(DocumentNode)
    }

    /// What mistakes in a document that has no file begin with.
    private static let file = "config"

    /// The document that a request brings: as its JSON body, in the field `config` of that or of a form, or as YAML.
    private static func document(_ request: AdminRequest) throws(AdminRefusal) -> ConfigurationDocument {
        let types = request.values(of: "content-type")
        if types.count == 1, types[0].hasPrefix("application/json"),
            let text = String(validating: request.body, as: UTF8.self), let node = DocumentNode(json: text, file: file)
        {
            guard case .scalar(let text, isPlain: false)? = node["config"]?.content else { return .node(node) }
            return try nonempty(text)
        }
        switch try AdminBody(request, acceptsYAML: true) {
        case .yaml(let yaml): return try nonempty(yaml)
        case .json(let value): return try nonempty(value["config"]?.stringValue ?? value.description)
        case .form(let arguments): return try nonempty(arguments.first("config")?.stringValue ?? "")
        case .none: return try nonempty("")
        }
    }

    private static func nonempty(_ text: String) throws(AdminRefusal) -> ConfigurationDocument {
        if text.isEmpty { throw AdminRefusal(400, "expected a declarative configuration") }
        return .text(text)
    }

    /// `GET /config`: a text that `POST /config` and `--config` read. JSON is YAML too.
    func exportedConfiguration() throws(AdminRefusal) -> AdminResponse {
        try checkDatabaseless()
        var document: JSONValue = ["_format_version": "3.0", "_transform": false]
        for kind in EntityKind.allCases {
            let rows = store.rows(kind).map { row in
                row.objectValue.map { JSONValue.object($0.filter { !$0.value.isNull }) } ?? row
            }
            if !rows.isEmpty { document[kind.rawValue] = .array(rows) }
        }
        return AdminResponse(200, ["config": .string(document.text(indent: 2) + "\n")])
    }
}
