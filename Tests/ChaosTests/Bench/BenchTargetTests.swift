// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Testing

@testable import Chaos

@Suite struct BenchTargetTests {
    @Test(arguments: [
        ("http://127.0.0.1:8000/hello", "127.0.0.1", 8000, "/hello", "127.0.0.1:8000"),
        ("http://localhost", "localhost", 80, "/", "localhost"),
        ("https://localhost", "localhost", 443, "/", "localhost"),
        ("HTTP://localhost:80?a=b", "localhost", 80, "/?a=b", "localhost"),
        ("http://[::1]:8000/a?b#c", "::1", 8000, "/a?b", "[::1]:8000"),
        ("https://localhost:80/", "localhost", 80, "/", "localhost:80"),
    ])
    func `a URL is read`(url: String, host: String, port: Int, path: String, authority: String) throws {
        let target = try BenchTarget(url)
        #expect(target.host == host && target.port == port && target.path == path && target.authority == authority)
        #expect(target.isTLS == url.lowercased().hasPrefix("https"))
        #expect(target.name == authority)
    }

    @Test func `a URL may have a name`() throws {
        #expect(try BenchTarget("edge-1=http://127.0.0.1:8000/a?b=c").name == "edge-1")
        #expect(try BenchTarget("http://127.0.0.1:8000/?a=http://b").name == "127.0.0.1:8000")
    }

    @Test(arguments: [
        (
            "htpp://127.0.0.1:8000/",
            "htpp://127.0.0.1:8000/: the scheme `htpp` is not known; did you mean http://127.0.0.1:8000/?"
        ),
        ("htps://a/", "htps://a/: the scheme `htps` is not known; did you mean https://a/?"),
        ("ftp://a/", "ftp://a/: the scheme `ftp` is not known; use http:// or https://"),
        ("127.0.0.1:8000/hello", "`127.0.0.1:8000/hello` is no URL; write http://127.0.0.1:8000/hello"),
        ("--", "`--` is no URL; write one such as http://127.0.0.1:8000/hello"),
        ("", "`` is no URL; write one such as http://127.0.0.1:8000/hello"),
        ("http://", "http://: has no host; write one such as http://127.0.0.1:8000/hello"),
        ("http:///a", "http:///a: has no host; write one such as http://127.0.0.1:8000/hello"),
        ("http://a b/", "http://a b/: `a b` is no host; write one such as http://127.0.0.1:8000/hello"),
        ("http://a:0/", "http://a:0/: `0` is no port; a port is from 1 to 65535"),
        (
            "http://a:99999999999999999999/",
            "http://a:99999999999999999999/: `99999999999999999999` is no port; a port is from 1 to 65535"
        ),
        ("http://a:/", "http://a:/: `` is no port; a port is from 1 to 65535"),
        (
            "http://me:secret@a/",
            "http://me:secret@a/: credentials in a URL are not sent; use --header 'Authorization: …'"
        ),
        ("http://a/b c", "http://a/b c: a path cannot hold a space; write it percent-encoded"),
        ("http://a/\u{e4}", "http://a/\u{e4}: a path cannot hold `\u{e4}`; write it percent-encoded"),
    ])
    func `a wrong URL is explained in one line`(url: String, message: String) {
        #expect(throws: Problem.self) { try BenchTarget(url) }
        do { _ = try BenchTarget(url) } catch { #expect("\(error)" == message) }
    }
}

@Suite struct BenchFlagTests {
    private func mistakes(_ change: (inout BenchFlags) -> Void) -> [String] {
        var flags = BenchFlags()
        flags.urls = ["http://127.0.0.1:1/"]
        change(&flags)
        do {
            _ = try flags.plan(cores: 4)
            return []
        } catch {
            return error.sorted.map(\.description)
        }
    }

    @Test func `what nobody says has a default`() throws {
        var flags = BenchFlags()
        flags.urls = ["http://127.0.0.1:1/a", "http://127.0.0.1:1/b"]
        let (plan, subjects) = try flags.plan(cores: 2)
        #expect(plan.shape == .closed && plan.connections == 64 && plan.rounds == 5 && plan.duration == .seconds(2))
        #expect(plan.requests == nil && plan.method == "GET" && plan.reusesConnections && plan.threads == 1)
        #expect(subjects.map(\.target.name) == ["127.0.0.1:1", "127.0.0.1:1-2"])
        flags.rate = "100"
        flags.body = .init(string: "x")
        flags.requests = "10"
        let open = try flags.plan(cores: 2).plan
        #expect(open.shape == .open(Rate(perSecond: 100), .even) && open.connections == 1000)
        #expect(open.method == "POST" && open.duration == nil && open.requests == 10)
    }

    @Test func `every mistake is told at once, in one line each`() {
        let told = mistakes {
            $0.connections = "0"
            $0.duration = "5"
            $0.rate = "fast"
            $0.headers = ["NoColon", "Content-Length: 3", "Bad Name: x"]
            $0.expectations = ["p99 < 5"]
            $0.processes = ["nginx"]
            $0.keepsAlive = "maybe"
            $0.method = "get"
        }
        #expect(told.count == 10, "\(told.joined(separator: "\n"))")
        #expect(told.contains("--duration: `5` has no unit; write 5s"))
        #expect(told.contains { $0.hasPrefix("--rate: `fast`") })
        #expect(told.contains("--method: `get` is no method; write GET"))
        #expect(told.contains("--keepalive: `maybe` is neither on nor off; write on or off"))
        #expect(told.allSatisfy { !$0.contains("\n") })
    }

    @Test func `options that contradict each other are refused`() {
        #expect(
            mistakes { $0.arrivals = "even" } == [
                "--arrivals: a closed loop has no arrivals; give --rate, or leave it out"
            ])
        #expect(mistakes { $0.speed = "2x" } == ["--speed belongs to --replay; leave it out"])
        #expect(
            mistakes { $0.expectations = ["overhead < 2"] }
                == ["--expect 'overhead < 2': one server has no overhead over another; give two URLs, or none"])
        #expect(
            mistakes { $0.expectations = ["edge.p99 < 2ms"] }
                == ["--expect 'edge.p99 < 2ms': there is no `edge`; there is 127.0.0.1:1"])
    }
}
