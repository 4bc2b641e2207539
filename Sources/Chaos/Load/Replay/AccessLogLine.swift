// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// One request of an access log.
struct AccessLogLine {
    /// Nanoseconds since 1970 at which it began, as far as the line says.
    var time: Int64
    var isWholeSecond: Bool
    var method: String
    var target: String

    /// - Parameter line: without its line feed.
    /// - Returns: nil for a line that is a log's, and holds no HTTP request.
    /// - Throws: what is no log line, with the characters before it.
    init?(_ line: Substring) throws(SyntaxMistake) {
        let isJSON = line.first { $0 != " " && $0 != "\t" } == "{"
        guard let parsed = try (isJSON ? Self.json(line) : Self.combined(line)) else { return nil }
        self = parsed
    }

    private init(time: LogTime, method: String, target: String) {
        self.time = time.nanoseconds
        isWholeSecond = time.isWholeSecond
        self.method = method
        self.target = target
    }

    // MARK: Combined

    /// `192.0.2.1 - - [10/Oct/2000:13:55:36 -0700] "GET /a?b HTTP/1.1" 200 2326 "referrer" "agent"`; what follows the
    /// request does not matter.
    private static func combined(_ line: Substring) throws(SyntaxMistake) -> AccessLogLine? {
        guard let open = line.firstIndex(of: "["), let close = line[open...].firstIndex(of: "]") else {
            throw SyntaxMistake(
                0, "this is no line of an access log: no [time] in it",
                advice: "combined and common format and JSON lines are read")
        }
        let text = line[line.index(after: open)..<close]
        let column = line.distance(from: line.startIndex, to: open) + 1
        guard let time = LogTime(combined: text) else {
            throw SyntaxMistake(
                column, "`\(text)` is no time of a log", advice: "it looks like 10/Oct/2000:13:55:36 -0700")
        }
        guard let quote = line[close...].firstIndex(of: "\""),
            let end = line[line.index(after: quote)...].firstIndex(of: "\"")
        else {
            throw SyntaxMistake(
                line.distance(from: line.startIndex, to: close) + 1, "no \"request\" follows the time",
                advice: "it looks like \"GET /a HTTP/1.1\"")
        }
        return try requestLine(
            line[line.index(after: quote)..<end], time: time,
            offset: line.distance(from: line.startIndex, to: quote) + 1)
    }

    /// `GET /a?b HTTP/1.1`. Servers write `-`, nothing, or escaped bytes for what was no request.
    private static func requestLine(
        _ text: Substring, time: LogTime, offset: Int
    ) throws(SyntaxMistake) -> AccessLogLine? {
        if text.isEmpty || text == "-" || text.contains("\\x") { return nil }
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 2 || words.count == 3, isMethod(words[0]) else {
            throw SyntaxMistake(
                offset, "`\(text.prefix(60))` is no request", advice: "it looks like GET /a HTTP/1.1")
        }
        guard let target = target(words[1]) else {
            throw SyntaxMistake(
                offset + words[0].count + 1, "`\(words[1].prefix(60))` is no path", advice: "a path starts with /")
        }
        return AccessLogLine(time: time, method: String(words[0]), target: target)
    }

    private static func isMethod(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x41...0x5a).contains($0) || $0 == 0x2d || $0 == 0x5f }
    }

    /// The path and query of a target in origin or absolute form; nil for anything that cannot be sent to a server.
    private static func target(_ text: Substring) -> String? {
        var text = text
        if let scheme = text.firstRange(of: "://"), text[..<scheme.lowerBound].allSatisfy(\.isLetter) {
            let rest = text[scheme.upperBound...]
            text = rest.firstIndex { $0 == "/" || $0 == "?" }.map { rest[$0...] } ?? "/"
            if text.first == "?" { text = Substring("/" + text) }
        }
        guard text.first == "/", text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f && $0 < 0x80 }) else { return nil }
        return String(text)
    }

    // MARK: JSON

    /// One object a line. Kong: `{"started_at":1714564800123,"request":{"method":"GET","uri":"/a"}}`. Others have the
    /// same at the top, or `"request":"GET /a HTTP/1.1"`.
    private static func json(_ line: Substring) throws(SyntaxMistake) -> AccessLogLine? {
        let value: JSONValue
        do throws(Problem) { value = try JSONValue(parsing: line.utf8) } catch {
            // Its own line is 1, whatever the line of the log.
            let message = error.message.firstRange(of: " (line ").map { error.message[..<$0.lowerBound] }
            throw SyntaxMistake(
                Self.column(of: error) - 1, String(message ?? error.message[...]), advice: error.advice)
        }
        let times = [
            "started_at", "time", "timestamp", "@timestamp", "ts", "time_iso8601", "time_local", "msec", "date",
        ]
        guard let key = times.first(where: { value[$0] != nil }), let stamp = value[key] else {
            throw SyntaxMistake(0, "the line has no time", advice: "one of \(times.joined(separator: ", "))")
        }
        guard var time = LogTime(stamp) else {
            throw SyntaxMistake(
                column(of: key, in: line), "`\(key)` is no time: \(stamp)",
                advice: "write seconds or milliseconds since 1970, or 2024-05-01T12:00:00.123Z")
        }
        // Servers log a request when it is over; Kong says when it began.
        if key != "started_at" { time.subtract(duration(of: value)) }
        if let text = value["request"]?.stringValue {
            return try requestLine(text[...], time: time, offset: column(of: "request", in: line))
        }
        let request = value["request"]?.objectValue == nil ? value : value["request"] ?? value
        func first(_ keys: [String]) -> String? { keys.lazy.compactMap { request[$0]?.stringValue }.first }
        let method = first(["method", "request_method", "verb"]) ?? "GET"
        guard let path = first(["uri", "request_uri", "path", "target", "url"]) else {
            throw SyntaxMistake(0, "the line has no path", advice: "one of uri, request_uri, path, url")
        }
        guard isMethod(method[...]) else {
            throw SyntaxMistake(
                column(of: "method", in: line), "`\(method.prefix(60))` is no method", advice: "write GET")
        }
        guard let target = target(path[...]) else {
            throw SyntaxMistake(
                column(of: path, in: line), "`\(path.prefix(60))` is no path", advice: "a path starts with /")
        }
        return AccessLogLine(time: time, method: method, target: target)
    }

    /// How long the request took, in seconds (nginx's `request_time`) or milliseconds, if the line says so.
    private static func duration(of value: JSONValue) -> Nanoseconds {
        func number(_ key: String) -> Double? {
            value[key].flatMap { $0.doubleValue ?? $0.stringValue.flatMap { Double($0) } }
        }
        if let seconds = number("request_time") { return Nanoseconds(seconds: seconds) }
        if let milliseconds = number("latency_ms") ?? number("duration_ms") {
            return Nanoseconds(seconds: milliseconds / 1000)
        }
        return .zero
    }

    /// Characters before a word of the line; 0 when it is not in it as it stands.
    private static func column(of word: String, in line: Substring) -> Int {
        line.firstRange(of: word).map { line.distance(from: line.startIndex, to: $0.lowerBound) } ?? 0
    }

    /// The JSON reader says "line 1, column 17" in its message.
    private static func column(of problem: Problem) -> Int {
        guard let range = problem.message.firstRange(of: "column ") else { return 1 }
        return Int(problem.message[range.upperBound...].prefix(while: \.isNumber)) ?? 1
    }
}
