// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// A request as the gateway must write it, and no other way: the naivest reader that can be, which knows one form of
/// everything and objects to all else. What it reads, everybody reads the same.
package struct CanonicalRequest: Equatable {
    package var method: String
    package var target: String
    /// In their order, as written, without those that frame the body.
    package var fields: [String]
    /// "Content-Length: 5", "Transfer-Encoding: chunked" or empty.
    package var framing: String
    package var body: [UInt8]
    package var trailers: [String]

    package struct Objection: Error, CustomStringConvertible {
        package let description: String
    }

    /// Takes whole requests off the front of `bytes`; what is left has no end yet.
    package static func readAll(_ bytes: inout ByteBuffer) throws -> [CanonicalRequest] {
        var requests: [CanonicalRequest] = []
        while let request = try read(&bytes) { requests.append(request) }
        return requests
    }

    private static func read(_ bytes: inout ByteBuffer) throws -> CanonicalRequest? {
        var rest = Array(bytes.readableBytesView)[...]
        var lines: [String] = []
        while true {
            guard let line = try line(&rest) else { return nil }
            if line.isEmpty { break }
            lines.append(line)
        }
        guard let start = lines.first else { throw Objection(description: "an empty line where a request begins") }
        let words = start.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard words.count == 3, words[2] == "HTTP/1.1", !words[0].isEmpty, words[1].hasPrefix("/") || words[1] == "*"
        else { throw Objection(description: "request line: \(start.debugDescription)") }
        var request = CanonicalRequest(
            method: words[0], target: words[1], fields: [], framing: "", body: [], trailers: [])
        for line in lines.dropFirst() { try request.add(line) }
        guard try request.readBody(&rest) else { return nil }
        bytes.moveReaderIndex(forwardBy: bytes.readableBytes - rest.count)
        return request
    }

    /// One line without its CRLF, one byte a character; nil when it has not come whole.
    private static func line(_ rest: inout ArraySlice<UInt8>) throws -> String? {
        guard let end = rest.firstIndex(where: { $0 == 0x0a || $0 == 0x0d || $0 == 0 }) else { return nil }
        guard end + 1 < rest.endIndex else { return nil }
        guard rest[end] == 0x0d, rest[end + 1] == 0x0a else { throw Objection(description: "a bare CR, LF or NUL") }
        defer { rest = rest[(end + 2)...] }
        return text(rest[..<end])
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
    }

    private mutating func add(_ line: String) throws {
        guard let colon = line.firstIndex(of: ":"), colon > line.startIndex,
            !line[..<colon].contains(where: { " \t\"(),/;<=>?@[\\]{}".contains($0) })
        else { throw Objection(description: "field: \(line.debugDescription)") }
        let name = line[..<colon].lowercased().replacing("_", with: "-")
        guard name == "content-length" || name == "transfer-encoding" else {
            fields.append(line)
            return
        }
        let isLength = line.wholeMatch(of: /Content-Length: (0|[1-9][0-9]{0,17})/) != nil
        guard framing.isEmpty, isLength || line == "Transfer-Encoding: chunked" else {
            throw Objection(description: "framing: \(framing.debugDescription), \(line.debugDescription)")
        }
        framing = line
    }

    private mutating func readBody(_ rest: inout ArraySlice<UInt8>) throws -> Bool {
        if framing.hasPrefix("C") {
            let count = Int(framing.dropFirst("Content-Length: ".count)) ?? 0
            guard rest.count >= count else { return false }
            body = Array(rest.prefix(count))
            rest = rest.dropFirst(count)
        }
        if framing.hasPrefix("T") {
            while true {
                guard let line = try Self.line(&rest) else { return false }
                guard line.wholeMatch(of: /0|[1-9a-f][0-9a-f]{0,14}/) != nil, let size = Int(line, radix: 16) else {
                    throw Objection(description: "chunk size: \(line.debugDescription)")
                }
                if size == 0 { break }
                guard rest.count >= size + 2 else { return false }
                body += rest.prefix(size)
                rest = rest.dropFirst(size)
                guard try Self.line(&rest) == "" else { throw Objection(description: "chunk of \(size) bytes: no end") }
            }
            while true {
                guard let line = try Self.line(&rest) else { return false }
                if line.isEmpty { return true }
                trailers.append(line)
            }
        }
        return true
    }

    /// What the client sent of it: everything but what the gateway adds to each request.
    package func withoutGatewayFields() throws -> String {
        let patterns: [Regex<Substring>] = [
            /Connection: keep-alive(?:, Upgrade)?/, /X-Forwarded-For: (?:.*, )?127\.0\.0\.9/, /X-Forwarded-Proto: http/,
            /X-Forwarded-Host: .*/, /X-Forwarded-Port: 8000/, /X-Forwarded-Path: .*/, /X-Real-IP: 127\.0\.0\.9/,
            /Via: (?:.*, )?1\.[01] kong\/3\.10\.0/, /X-Kong-Request-Id: [0-9a-f]{32}/,
        ]
        let added = patterns.map { pattern in fields.filter { $0.wholeMatch(of: pattern) != nil } }
        for found in added where found.count != 1 {
            throw Objection(description: "a field of the gateway is there \(found.count) times: \(found) in \(fields)")
        }
        let own = Set(added.map { $0[0] })
        var text = "\(method) \(target) HTTP/1.1\r\n"
        for field in fields where !own.contains(field) { text += "\(field)\r\n" }
        if !framing.isEmpty { text += "\(framing)\r\n" }
        text += "\r\n"
        guard framing.hasPrefix("T") else { return text + Self.text(body[...]) }
        if !body.isEmpty { text += "\(String(body.count, radix: 16))\r\n\(Self.text(body[...]))\r\n" }
        return text + "0\r\n" + trailers.map { "\($0)\r\n" }.joined() + "\r\n"
    }
}
