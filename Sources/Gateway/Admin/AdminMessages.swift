// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document
package import NIOCore

/// A request to the Admin API, its body gathered.
package struct AdminRequest: Sendable {
    package var method: String
    /// As sent: percent-encoded, without the query.
    package var path: String
    /// What follows `?`, as sent.
    package var query: String?
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]

    package init(
        method: String, path: String, query: String? = nil, headers: [(name: String, value: String)] = [],
        body: [UInt8] = []
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
    }

    /// All values of a header.
    func values(of header: String) -> [String] {
        headers.filter { $0.name.lowercased() == header.lowercased() }.map(\.value)
    }
}

/// What the Admin API answers. `Content-Length`, `Date` and `Connection` are the connection's to add; it also leaves
/// the body of an answer to HEAD out.
package struct AdminResponse: Sendable {
    package enum Body: Hashable, Sendable {
        case empty
        case json(JSONValue)
        /// JSON in UTF-8.
        case written(ByteBuffer)
        /// In Prometheus' format.
        case text(String)
        /// A stream of events, one JSON object a line, that ends when the client goes.
        case events
    }

    package var status: Int
    package var headers: [(name: String, value: String)]
    package var body: Body

    init(_ status: Int, _ json: JSONValue? = nil) {
        self.status = status
        headers = []
        body = json.map { .json($0) } ?? .empty
    }

    package var json: JSONValue? {
        switch body {
        case .json(let value): value
        case .written(let bytes): try? JSONValue(parsing: Array(buffer: bytes))
        case .empty, .text, .events: nil
        }
    }

    static func message(_ status: Int, _ text: String) -> AdminResponse {
        AdminResponse(status, ["message": .string(text)])
    }

    static var notFound: AdminResponse { message(404, "Not found") }
}

/// A refusal on the way to an answer.
struct AdminRefusal: Error {
    var response: AdminResponse

    init(_ response: AdminResponse) { self.response = response }

    init(_ status: Int, _ message: String) { response = .message(status, message) }

    static var notFound: AdminRefusal { AdminRefusal(AdminResponse.notFound) }

    /// An error with Kong's code (kong/db/errors.lua).
    init(_ status: Int, code: Int, name: String, message: String, _ details: (key: String, value: JSONValue)? = nil) {
        var body: JSONValue = [
            "code": .integer(code), "name": .string(name), "message": .string(message),
        ]
        if let details { body[details.key] = details.value }
        response = AdminResponse(status, body)
    }
}

extension AdminRefusal {
    init(_ error: StoreError) {
        switch error {
        case .schemaViolation(let violation):
            self.init(
                400, code: 2, name: "schema violation", message: violation.summary, ("fields", violation.json))
        case .uniqueViolation(let key):
            self.init(
                409, code: 5, name: "unique constraint violation",
                message: "UNIQUE violation detected on '\(LuaText.compact(key))'", ("fields", key))
        case .primaryKeyViolation(let id):
            let key: JSONValue = ["id": .string(id)]
            self.init(
                400, code: 3, name: "primary key violation",
                message: "primary key violation on key '\(LuaText.compact(key))'", ("fields", key))
        case .foreignKeyViolation(let field, let key, let collection):
            self.init(
                400, code: 4, name: "foreign key violation",
                message:
                    "the foreign key '\(LuaText.compact(key))' does not reference an existing '\(collection)' entity.",
                ("fields", .object([field: key])))
        case .foreignKeyUnresolved(let field, let key, let value, let collection):
            let found = LuaText.compact(.object([key: value]))
            let text = "the foreign key cannot be resolved with '\(found)' for an existing '\(collection)' entity"
            self.init(
                400, code: 13, name: "foreign keys unresolved",
                message: "foreign key unresolved (\(field).\(key): \(text))",
                ("fields", .object([field: .object([key: .string(text)])])))
        case .restricted(let parent, let child):
            self.init(
                400, code: 4, name: "foreign key violation",
                message:
                    "an existing '\(child.rawValue)' entity references this '\(parent.rawValue)' entity",
                ("fields", ["@referenced_by": .string(child.rawValue)]))
        case .referencedByOthers(let text):
            self.init(400, code: 18, name: "referenced by others", message: text)
        case .notFound:
            self = AdminRefusal.notFound
        }
    }

    /// A write to a gateway that has its configuration from a file.
    init(unsupported verb: String, _ kind: EntityKind) {
        self.init(
            405, code: 12, name: "operation unsupported",
            message: "cannot \(verb) '\(kind.rawValue)' entities when not using a database")
    }

    init(badOption name: String, _ text: String) {
        self.init(
            400, code: 11, name: "invalid options", message: "invalid option (\(name): \(text))",
            ("options", .object([name: .string(text)])))
    }

    init(badOffset offset: String, _ reason: String) {
        self.init(
            400, code: 7, name: "invalid offset", message: "'\(offset)' is not a valid offset: \(reason)")
    }

    init(badSize text: String) { self.init(400, code: 9, name: "invalid size", message: text) }
}
