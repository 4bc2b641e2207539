// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// An HTTP message as it stood on the wire: nothing is interpreted but where it ends.
struct RawMessage: Sendable {
    /// Start line and fields with their line ends, without the empty line.
    var head: String
    var body: [UInt8]
    /// After a chunked body.
    var trailers: [String]

    var startLine: String { lines.first ?? "" }
    var lines: [String] { head.components(endingWith: "\r\n") }
    var text: String { String(decoding: body, as: UTF8.self) }

    var status: Int { Int(startLine.split(separator: " ").dropFirst().first ?? "") ?? 0 }
    var path: String { startLine.split(separator: " ").dropFirst().first.map(String.init) ?? "" }

    /// Values of a field, in their order.
    func all(_ name: String) -> [String] {
        lines.dropFirst().compactMap { line in
            guard let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == name.lowercased() else {
                return nil
            }
            return String(line[line.index(after: colon)...].drop { $0 == " " })
        }
    }

    subscript(name: String) -> String? { all(name).first }
}

extension String {
    fileprivate func components(endingWith separator: Character) -> [String] {
        split(separator: separator, omittingEmptySubsequences: true).map(String.init)
    }
}

extension RawSocket {
    /// A whole message.
    ///
    /// - Parameter hasBody: false for an answer to HEAD.
    func message(hasBody: Bool = true) throws -> RawMessage? {
        guard let head = try messageHead() else { return nil }
        var message = RawMessage(head: head, body: [], trailers: [])
        let isBodyless = [204, 304].contains(message.status) || (100..<200).contains(message.status)
        guard hasBody, !(isBodyless && message.startLine.hasPrefix("HTTP/")) else { return message }
        if message["Transfer-Encoding"]?.lowercased() == "chunked" {
            (message.body, message.trailers) = try chunkedBody()
        } else if let length = message["Content-Length"].flatMap(Int.init) {
            message.body = try bytes(length)
        } else if message.startLine.hasPrefix("HTTP/") {
            message.body = Array(try everything().utf8)
        }
        return message
    }

    func messageHead() throws -> String? {
        guard let head = try line(endingWith: "\r\n\r\n") else { return nil }
        // A Character of Swift holds CR and LF together.
        return String(head.dropLast())
    }

    private func chunkedBody() throws -> ([UInt8], [String]) {
        var body: [UInt8] = []
        while true {
            guard let line = try line(endingWith: "\r\n"), let size = Int(line.dropLast(), radix: 16) else {
                throw Failure.ended(got: pending)
            }
            if size == 0 { break }
            body += try bytes(size)
            _ = try bytes(2)
        }
        var trailers: [String] = []
        while let line = try line(endingWith: "\r\n"), line != "\r\n" { trailers.append(String(line.dropLast())) }
        return (body, trailers)
    }

    /// Sends a request and reads the answer.
    func exchange(_ request: String, hasBody: Bool = true) throws -> RawMessage {
        try send(request)
        guard let answer = try message(hasBody: hasBody) else { throw Failure.ended(got: "") }
        return answer
    }
}
