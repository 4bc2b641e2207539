// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

/// One path of a mock that answers in its own way: an entry of the switch ROUTES.
///
///     [{"path": "/orders", "status": 201, "body": {"id": 1}, "headers": {"X-Kind": "order"}, "latency": "20ms"}]
///
/// The first entry that fits a request answers it. Errors, hanging and closing (ERROR_RATE, HANG, CLOSE) befall it as
/// they do any other answer.
package struct MockRoute: Hashable, Sendable {
    package struct Header: Hashable, Sendable {
        package var name: String
        package var value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// As sent, without the query. One that ends in `*` stands for all that begin with what is before it.
    package var path: String
    /// Nil: every method.
    package var method: String?
    /// 200 to 599.
    package var status = 200
    package var contentType = "application/json"
    package var body = ""
    package var headers: [Header] = []
    /// Nil: that of the switch LATENCY.
    package var latency: LatencyDistribution?
    /// As it was given, for showing it.
    package var json: JSONValue = .null

    package init(path: String) { self.path = path }

    /// At most so many entries, so that a search stays short.
    package static let most = 200

    /// - Parameter path: bytes of a request's path, without the query.
    func matches(_ method: String, _ path: some Collection<UInt8>) -> Bool {
        if let wanted = self.method, wanted != method { return false }
        guard self.path.utf8.last == UInt8(ascii: "*") else { return path.elementsEqual(self.path.utf8) }
        return path.starts(with: self.path.utf8.dropLast())
    }
}

// MARK: Reading

extension MockRoute {
    typealias Mistake = LatencyDistribution.Mistake

    static let keys = ["path", "method", "status", "body", "headers", "latency"]
    private static let form = "write [{\"path\": \"/orders\", \"status\": 200, \"body\": {}}]"
    /// Fields that the server writes itself; a second one would contradict it.
    private static let ownFields = ["content-length", "transfer-encoding", "connection", "date", "server"]

    static func list(_ value: JSONValue) throws(Mistake) -> [MockRoute] {
        guard let items = value.arrayValue else { throw Mistake(message: "must be a list of routes", advice: form) }
        guard items.count <= most else { throw Mistake(message: "has more than \(most) routes", advice: nil) }
        var routes: [MockRoute] = []
        for item in items { routes.append(try MockRoute(item)) }
        return routes
    }

    init(_ value: JSONValue) throws(Mistake) {
        guard let members = value.objectValue else {
            throw Mistake(message: "a route must be a mapping", advice: Self.form)
        }
        for key in members.keys where !Self.keys.contains(key) {
            throw Mistake(
                message: "unknown key \(key) of a route",
                advice: nearestKey(to: key, among: Self.keys).map { "did you mean \($0)?" }
                    ?? "the keys are \(Self.keys.joined(separator: ", "))")
        }
        guard let path = value["path"]?.stringValue, path.utf8.first == UInt8(ascii: "/"),
            path.utf8.allSatisfy({ (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "?") })
        else { throw Mistake(message: "a route needs a path that begins with /", advice: Self.form) }
        self.path = path
        json = value
        if let method = value["method"], !method.isNull { self.method = try Self.method(method) }
        if let status = value["status"], !status.isNull {
            guard let number = status.settingText.flatMap(Int.init), (200...599).contains(number) else {
                throw Mistake(message: "\(status) is no status of route \(path)", advice: "give one from 200 to 599")
            }
            self.status = number
        }
        if let latency = value["latency"], !latency.isNull { self.latency = try MockSettings.latency(latency) }
        setBody(value["body"])
        try setHeaders(value["headers"])
    }

    private static func method(_ value: JSONValue) throws(Mistake) -> String {
        guard let text = value.stringValue, !text.isEmpty, text.utf8.allSatisfy({ (0x41...0x5a).contains($0) }) else {
            throw Mistake(message: "\(value) is no method of a route", advice: "write one such as GET, in capitals")
        }
        return text
    }

    /// Text is sent as it is, everything else as JSON.
    private mutating func setBody(_ value: JSONValue?) {
        switch value {
        case nil: body = "{}\n"
        case .string(let text):
            body = text
            contentType = "text/plain; charset=utf-8"
        case .some(let json): body = json.description + "\n"
        }
        if [204, 205, 304].contains(status) { body = "" }
    }

    private mutating func setHeaders(_ value: JSONValue?) throws(Mistake) {
        guard let value, !value.isNull else { return }
        guard let members = value.objectValue else {
            throw Mistake(
                message: "headers of route \(path) must be a mapping", advice: "write {\"X-Kind\": \"order\"}")
        }
        for (name, value) in members {
            let isToken = !name.isEmpty && name.utf8.allSatisfy { Self.isTokenByte($0) }
            guard isToken, let text = value.settingText, text.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) else {
                throw Mistake(message: "\"\(name)\" cannot be a header of route \(path)", advice: "one line of ASCII")
            }
            if Self.ownFields.contains(name.lowercased()) {
                throw Mistake(message: "the header \(name) of route \(path) is the mock's own", advice: "leave it out")
            }
            if name.lowercased() == "content-type" {
                contentType = text
            } else {
                headers.append(Header(name: name, value: text))
            }
        }
    }

    /// RFC 9110 section 5.6.2.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
