// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import OrderedCollections

/// A toxic as a client asks for it, or shows it: what is put on the link, and the words it was asked for in.
struct ToxicRequest: Sendable {
    var name: String
    var type: ToxicType
    /// As the client wrote it.
    var stream: String
    var toxicity: Double
    var values: ToxicValues
    /// Not Toxiproxy's: on which requests it works.
    var scope: InstalledToxic.Scope?
    var match: RequestMatch?
    var nth: Int?
    var count: Int?

    /// Reads the body of `POST /proxies/{proxy}/toxics`; the order of the checks is Toxiproxy's.
    ///
    /// - Parameter exists: whether there is a toxic of a name already.
    init(_ body: JSONValue, exists: (String) -> Bool) throws(ToxiproxyError) {
        guard body.objectValue != nil || body == .null else {
            throw GoJSON.mismatch(body, "toxics.ToxicWrapper")
        }
        let object = GoObject(value: body, structName: "ToxicWrapper")
        if let attributes = object.member("attributes"), attributes.objectValue == nil {
            // Before the type is known Go reads them into its noop.
            throw .badRequestBody(
                "json: cannot unmarshal \(GoObject.kind(of: attributes)) into Go struct field ToxicWrapper.attributes "
                    + "of type toxics.NoopToxic")
        }
        let type = try object.text("type") ?? ""
        let name = try object.text("name") ?? ""
        stream = try object.text("stream") ?? "downstream"
        toxicity = try object.number("toxicity") ?? 1
        guard Self.direction(stream) != nil else { throw .invalidStream }
        self.name = name.isEmpty ? "\(type)_\(stream)" : name
        guard let known = ToxicType.named(type) else { throw .invalidToxicType }
        self.type = known
        guard !exists(self.name) else { throw .toxicAlreadyExists }
        values = ToxicValues(known.attributes)
        try readAttributes(object)
        try readScope(object)
    }

    /// Takes over what the body of an update names.
    mutating func update(_ body: JSONValue) throws(ToxiproxyError) {
        guard body.objectValue != nil || body == .null else {
            throw GoJSON.mismatch(
                body,
                #"struct { Attributes interface {} "json:\"attributes\""; Toxicity float32 "json:\"toxicity\"" }"#)
        }
        let object = GoObject(value: body, structName: "")
        try readAttributes(object)
        if let toxicity = try object.number("toxicity") { self.toxicity = toxicity }
        try readScope(object)
    }

    /// A fault that somebody else put on the link.
    init(_ installed: InstalledToxic) {
        let (type, attributes) = installed.toxic.shown
        name = installed.name
        self.type = ToxicType.named(type) ?? ToxicType(type, "Toxic") { [toxic = installed.toxic] _ in toxic }
        stream = installed.stream == .both ? "both" : installed.stream == .up ? "upstream" : "downstream"
        toxicity = installed.toxicity
        values = ToxicValues(attributes)
        scope = installed.scope
        (match, nth, count) = (installed.match, installed.nth, installed.count)
    }

    private mutating func readAttributes(_ object: GoObject) throws(ToxiproxyError) {
        guard let given = object.member("attributes") else { return }
        guard given.objectValue != nil else {
            throw .badRequestBody(
                "json: cannot unmarshal \(GoObject.kind(of: given)) into Go struct field .attributes of type "
                    + "toxics.\(type.structName)")
        }
        let attributes = GoObject(value: given, structName: type.structName, path: "attributes.")
        for attribute in type.attributes {
            if let value = try attributes.attribute(attribute) { values.set(attribute.name, value) }
        }
        try check()
    }

    /// What is ours is checked, because nobody else's client depends on its being taken.
    private func check() throws(ToxiproxyError) {
        func wrong(_ name: String, _ wanted: String) -> ToxiproxyError {
            ToxiproxyError("invalid attribute: \(name) must be \(wanted)", status: 400)
        }
        switch type.name {
        case "blackhole" where BlackholeToxic.Stage(rawValue: values.text("stage")) == nil:
            throw wrong("stage", "connect or data")
        case "half_close" where HalfCloseToxic.Side(rawValue: values.text("side")) == nil:
            throw wrong("side", "client or server")
        case "status" where !(200...599).contains(values.int("code")): throw wrong("code", "from 200 to 599")
        case "goaway" where HTTP2ErrorNumber(values.text("code")) == nil,
            "rst_stream" where HTTP2ErrorNumber(values.text("code")) == nil:
            throw wrong("code", "the name or the number of an error of HTTP/2")
        case "rst_stream"
        where !values.text("at").isEmpty && ResetStreamToxic.Stage(rawValue: values.text("at")) == nil:
            throw wrong("at", "request, answer or body")
        case "set_header" where !Self.isToken(values.text("name")),
            "drop_header" where !Self.isToken(values.text("name")):
            throw wrong("name", "the name of a header")
        default: break
        }
    }

    private static func isToken(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: ":") }
    }

    private mutating func readScope(_ object: GoObject) throws(ToxiproxyError) {
        if let word = try object.text("decide") {
            guard let scope = InstalledToxic.Scope(rawValue: word) else {
                throw ToxiproxyError("decide was invalid, can be either connection or request", status: 400)
            }
            self.scope = scope
        }
        nth = try object.number("nth", "int").flatMap { Int(exactly: $0) }.map { max(1, $0) } ?? nth
        count = try object.number("count", "int").flatMap { Int(exactly: $0) }.map { max(1, $0) } ?? count
        guard let given = object.member("match") else { return }
        let fields = GoObject(value: given, structName: "ToxicWrapper", path: "match.")
        var match = RequestMatch(method: try fields.text("method")?.uppercased(), path: try fields.text("path"))
        for (name, value) in fields.member("header")?.objectValue ?? [:] {
            match.headers.append(RequestMatch.Header(name: name, value: value.stringValue))
        }
        self.match = match
    }

    static func direction(_ text: String) -> ToxicStream? {
        switch text.lowercased() {
        case "upstream": .up
        case "downstream": .down
        default: nil
        }
    }

    /// As it is put on the link.
    var installed: InstalledToxic {
        let toxic = type.make(values)
        let stream = stream == "both" ? .both : Self.direction(stream) ?? .down
        // A fault that knows connections only is none of requests.
        let wanted = match != nil ? .request : scope ?? (toxic.isAboutRequests ? .request : .connection)
        return InstalledToxic(
            name: name, toxic: toxic, stream: stream, toxicity: toxicity,
            scope: toxic.isOnMessages ? .request : toxic.canWorkOnRequests ? wanted : .connection,
            match: match, nth: nth, count: count)
    }

    var needsMessages: Bool { installed.scope == .request || installed.toxic.isOnFrames }

    /// As Toxiproxy shows it, with what is ours behind it.
    var json: JSONValue {
        var shown: OrderedDictionary<String, JSONValue> = [
            "attributes": .object(values.values), "name": .string(name), "type": .string(type.name),
            "stream": .string(stream), "toxicity": GoJSON.float32(toxicity),
        ]
        if let match {
            var fields: OrderedDictionary<String, JSONValue> = [:]
            if let method = match.method { fields["method"] = .string(method) }
            if let path = match.path { fields["path"] = .string(path) }
            if !match.headers.isEmpty {
                fields["header"] = .object(
                    OrderedDictionary(
                        match.headers.map { ($0.name, $0.value.map(JSONValue.string) ?? .null) },
                        uniquingKeysWith: { _, last in last }))
            }
            shown["match"] = .object(fields)
        }
        if let scope, match == nil, (scope == .request) != type.make(values).isAboutRequests {
            shown["decide"] = .string(scope.rawValue)
        }
        if let nth { shown["nth"] = .integer(nth) }
        if let count { shown["count"] = .integer(count) }
        return .object(shown)
    }
}
