// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Testing

@testable import Chaos

@Suite struct AccessLogTests {
    private func read(_ text: String) throws(Problems) -> AccessLog { try AccessLog(parsing: text, file: "access.log") }

    @Test func `the combined format is read, and whole seconds are spread`() throws {
        let log = try read(
            """
            192.0.2.1 - - [10/Oct/2000:13:55:36 -0700] "GET /a?b=c HTTP/1.1" 200 2326 "http://x/" "Mozilla \\"x\\""
            192.0.2.1 - bob [10/Oct/2000:13:55:36 -0700] "POST /b HTTP/1.1" 201 5

            192.0.2.1 - - [10/Oct/2000:22:55:38 +0200] "GET http://host/c HTTP/1.1" 200 1 0.003
            192.0.2.1 - - [10/Oct/2000:13:55:37 -0700] "-" 400 0
            192.0.2.1 - - [10/Oct/2000:13:55:37 -0700] "\\x16\\x03\\x01" 400 0
            """)
        #expect(log.entries.map(\.method) == ["GET", "POST", "GET"])
        #expect(log.entries.map(\.target) == ["/a?b=c", "/b", "/c"])
        #expect(log.entries.map(\.start) == [.zero, .milliseconds(500), .seconds(2)])
        #expect(log.skipped == 2)
        #expect(log.start(of: 2, speed: 2) == .seconds(1) && log.length(speed: 1) == .milliseconds(2001))
    }

    @Test func `JSON lines of Kong, nginx and others are read, and sorted by their start`() throws {
        let log = try read(
            """
            {"started_at":1714564800500,"request":{"method":"GET","uri":"/kong?x=1"},"latencies":{"request":20}}
            {"time":"2024-05-01T12:00:00.250Z","method":"PUT","path":"/first"}
            {"time_iso8601":"2024-05-01T14:00:01+02:00","request":"DELETE /nginx HTTP/1.1","request_time":"0.400"}
            {"ts":1714564801.5,"url":"http://host/last"}
            """)
        #expect(log.entries.map(\.target) == ["/first", "/kong?x=1", "/nginx", "/last"])
        #expect(
            log.entries.map(\.start) == [.zero, .milliseconds(250), .milliseconds(350), .milliseconds(1250)])
        #expect(log.entries.map(\.method) == ["PUT", "GET", "DELETE", "GET"])
    }

    @Test(arguments: [
        ("hello", "1:1: this is no line of an access log: no [time] in it"),
        ("a - - [yesterday] \"GET / HTTP/1.1\" 200 1", "1:8: `yesterday` is no time of a log"),
        ("a - - [32/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.1\" 200 1", "1:8: `32/Oct/2000:13:55:36 -0700` is no time"),
        ("a - - [10/Oct/2000:13:55:36 -0700] GET", "1:35: no \"request\" follows the time"),
        ("a - - [10/Oct/2000:13:55:36 -0700] \"GET a HTTP/1.1\" 200 1", "1:41: `a` is no path; a path starts with /"),
        ("a - - [10/Oct/2000:13:55:36 -0700] \"get\" 200 1", "1:37: `get` is no request"),
        ("\n{\"time\":\"soon\",\"path\":\"/\"}", "2:3: `time` is no time: \"soon\""),
        ("{\"path\":\"/\"}", "1:1: the line has no time; one of started_at"),
        ("{\"ts\":1714564801}", "1:1: the line has no path; one of uri"),
        ("{\"ts\":1714564801,", "1:18: not valid JSON: "),
        ("", "1:1: the log has no request to replay; the file is empty"),
    ])
    func `what is no line of a log is told with its place`(text: String, message: String) {
        do {
            _ = try read(text)
            Issue.record("it was read")
        } catch {
            #expect(error.description.hasPrefix("access.log:" + message), "\(error)")
        }
    }

    @Test func `at most twenty mistakes are told`() {
        do {
            _ = try read(String(repeating: "x\n", count: 1000))
            Issue.record("it was read")
        } catch {
            #expect(error.list.count == 20)
        }
    }

    @Test(arguments: [
        "\u{0}", "[", "[]", "{}", "{\"time\":{}}", "{\"ts\":-1e300,\"path\":\"/\"}", "[\"", "{\"ts\":1e18,\"uri\":5}",
    ])
    func `strange lines are refused and nothing worse`(text: String) {
        #expect(throws: Problems.self) { try read(text) }
    }

    @Test func `the starts of a replay come in their order`() throws {
        let log = try read(
            "{\"ts\":10.5,\"path\":\"/a\"}\n{\"ts\":12.0,\"path\":\"/b\"}\n{\"ts\":11.0,\"path\":\"/c\"}")
        var pacer = ReplayPacer(log, speed: 0.5)
        let starts = (0..<4).map { _ in pacer.nextStart() }
        #expect(starts == [.zero, .seconds(1), .seconds(3), nil])
        #expect(log.longestGap(speed: 0.5) == .seconds(2))
    }
}
