// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing
import World

@testable import Chaos

/// Every fault on HTTP messages, in virtual time and to the byte.
@Suite struct MessageFaultTests {
    private let hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\n\r\nhello"
    private let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"

    private func answered(_ toxic: Toxic, _ response: String) -> MessageBench {
        let bench = MessageBench(toxic)
        bench.request()
        bench.response(response)
        return bench
    }

    // MARK: Status

    @Test func `a status replaces the answer and the connection goes on`() {
        let bench = MessageBench(.status(StatusToxic(code: 503, body: "no")))
        for _ in 1...2 {
            bench.request()
            bench.response(hello)
        }
        let answer =
            "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\n"
            + "Connection: keep-alive\r\n\r\nno"
        #expect(bench.textDown == answer + answer)
        #expect(bench.textUp == String(repeating: "GET /a HTTP/1.1\r\nHost: x\r\n\r\n", count: 2))
        #expect(!bench.down.contains { $0.contains("severed") })
    }

    @Test func `an answer to HEAD has no body, one of 204 none either`() {
        let bench = MessageBench(.status(StatusToxic(code: 500)))
        bench.request("HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n")
        bench.response("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        #expect(bench.textDown.hasSuffix("Content-Length: 22\r\nConnection: keep-alive\r\n\r\n"))
        #expect(
            answered(.status(StatusToxic(code: 204)), hello).textDown
                == "HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n")
    }

    @Test func `a long answer is thrown away as it comes`() {
        let bench = answered(.status(StatusToxic(code: 502)), "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        for _ in 0..<100 { bench.response(String(repeating: "x", count: 1000)) }
        #expect(bench.heldBytes == 0)
        bench.request()
        bench.response(hello)
        #expect(bench.textDown.components(separatedBy: "HTTP/1.1 502 Bad Gateway").count == 3)
    }

    // MARK: Bodies

    /// Where it is cut, the answer, and what of it passes; nil: all of it, and the connection lives.
    @Test(
        arguments: [
            (TruncateToxic.Place.share(0.4), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "hello", "he"),
            (.share(0), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "hello", ""),
            (.bytes(3), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "hello", "hel"),
            (.bytes(5), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "hello", nil),
            (.bytes(6), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", "5\r\nhel"),
            // 15 bytes of chunks: half of them are 7.
            (
                .share(0.5), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n",
                "5\r\nhell"
            ),
        ] as [(TruncateToxic.Place, String, String, String?)])
    func `a body is cut where the fault says`(at: TruncateToxic.Place, head: String, body: String, passed: String?) {
        let bench = answered(.truncate(TruncateToxic(at: at)), head)
        for byte in body { bench.response(String(byte)) }
        #expect(bench.textDown == head + (passed ?? body))
        #expect(bench.down.contains("0ms: severed") == (passed != nil))
    }

    @Test func `a length that is wrong`() {
        #expect(
            answered(.headEdit(.wrongLength(delta: 3)), hello).textDown
                == "HTTP/1.1 200 OK\r\nContent-Length: 8\r\nX-A: 1\r\n\r\nhello")
        #expect(
            answered(.headEdit(.wrongLength(delta: -9)), hello).textDown
                == "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-A: 1\r\n\r\nhello")
        #expect(answered(.headEdit(.wrongLength(delta: 3)), chunked).textDown == chunked)
    }

    @Test func `a chunk whose size is no number`() {
        let bench = answered(.badChunk, hello)
        #expect(
            bench.textDown
                == "HTTP/1.1 200 OK\r\nX-A: 1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nno-size\r\n")
        #expect(bench.down.last == "0ms: severed")
        let again = answered(.badChunk, chunked)
        #expect(again.textDown == "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno-size\r\n")
    }

    @Test func `garbage in the place of the answer, the same for the same seed`() {
        let (bench, again) = (
            answered(.garbage(GarbageToxic(bytes: 64)), hello), answered(.garbage(GarbageToxic(bytes: 64)), hello)
        )
        #expect(bench.bytesDown.readableBytes == 64)
        #expect(bench.bytesDown == again.bytesDown)
        #expect(bench.down.last == "0ms: severed")
    }

    @Test func `a connection is closed in the place of the answer`() {
        let bench = answered(.earlyClose, hello)
        #expect(bench.down == ["0ms: severed"])
        #expect(bench.textUp.hasPrefix("GET /a"))
    }

    @Test func `a body comes in so many pieces over its time`() {
        let bench = answered(
            .slowBody(SlowBodyToxic(chunks: 5, over: .milliseconds(100))),
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
        bench.response("0123456789")
        bench.request()
        bench.response(hello)
        bench.run(to: 1000)
        #expect(bench.down[0].hasSuffix("\r\n\r\n"))
        #expect(bench.down[1...5] == ["20ms: 01", "40ms: 23", "60ms: 45", "80ms: 67", "100ms: 89"])
        // The next answer waits for this one.
        #expect(bench.down[6].hasPrefix("100ms: HTTP/1.1 200 OK"))
        #expect(bench.down.count == 12)
        #expect(bench.down.last == "200ms: o")
    }

    @Test func `a body of unknown length is slow as well`() {
        let bench = answered(.slowBody(SlowBodyToxic(chunks: 3, over: .milliseconds(30))), chunked)
        bench.run(to: 100)
        #expect(bench.textDown == chunked)
        #expect(bench.down.dropFirst() == ["10ms: 5\r\nhe", "20ms: llo\r\n", "30ms: 0\r\n\r\n"])
    }

    // MARK: Heads

    @Test func `lines of the head come one by one`() {
        let bench = answered(.slowHeaders(SlowHeadersToxic(per: .milliseconds(10))), hello)
        bench.run(to: 100)
        #expect(
            bench.down == [
                "0ms: HTTP/1.1 200 OK\r\n", "10ms: Content-Length: 5\r\n", "20ms: X-A: 1\r\n", "30ms: \r\n",
                "30ms: hello",
            ])
    }

    @Test func `headers are flooded, dropped and set`() {
        let flooded = answered(.headEdit(.flood(count: 3, size: 4)), hello).textDown
        let flood = (1...3).map { "X-Flood-\($0): xxxx\r\n" }.joined()
        #expect(flooded == "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\n\(flood)\r\nhello")
        #expect(
            answered(.headEdit(.drop(name: "x-a")), hello).textDown
                == "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        #expect(
            answered(.headEdit(.set(name: "x-a", value: "2")), hello).textDown
                == "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nx-a: 2\r\n\r\nhello")
        #expect(
            answered(.headEdit(.set(name: "New", value: "2")), hello).textDown
                == "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\nNew: 2\r\n\r\nhello")
    }

    @Test func `requests can be edited on their way up`() {
        let bench = MessageBench(.headEdit(.set(name: "X-B", value: "2")), .up)
        bench.request("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi")
        #expect(bench.textUp == "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nX-B: 2\r\n\r\nhi")
    }

    @Test func `an edit comes before what is slow, in whatever order they were put`() {
        let bench = MessageBench(
            InstalledToxic(name: "slow", toxic: .slowHeaders(SlowHeadersToxic(per: .milliseconds(10)))),
            InstalledToxic(name: "drop", toxic: .headEdit(.drop(name: "X-A"))))
        bench.request()
        bench.response(hello)
        bench.run(to: 100)
        #expect(bench.down == ["0ms: HTTP/1.1 200 OK\r\n", "10ms: Content-Length: 5\r\n", "20ms: \r\n", "20ms: hello"])
    }

    // MARK: Which requests

    @Test func `a fault on bytes works on the requests that match`() {
        let bench = MessageBench(
            InstalledToxic(
                name: "x", toxic: .latency(LatencyToxic(.constant(.milliseconds(50)))), stream: .down,
                match: RequestMatch(method: "POST", path: "/orders", headers: [.init(name: "x-test", value: "1")])))
        bench.request("POST /orders/1 HTTP/1.1\r\nHost: x\r\nX-Test: 1\r\nContent-Length: 0\r\n\r\n")
        bench.response(hello)
        bench.run(to: 50)
        #expect(bench.down.last == "50ms: hello")
        for line in ["GET /orders/1", "POST /other", "POST /orders"] {
            bench.request("\(line) HTTP/1.1\r\nHost: x\r\n\r\n")
            bench.response(hello)
            #expect(bench.down.last == "50ms: \(hello)")
        }
    }

    @Test func `the third request alone, and the first two`() {
        func statuses(_ toxic: InstalledToxic) -> [String] {
            let bench = MessageBench(toxic)
            for _ in 1...4 {
                bench.request()
                bench.response(hello)
            }
            return bench.textDown.components(separatedBy: "HTTP/1.1 ").dropFirst().map { String($0.prefix(3)) }
        }
        let toxic = Toxic.status(StatusToxic(code: 500))
        #expect(statuses(InstalledToxic(name: "x", toxic: toxic, nth: 3)) == ["200", "200", "500", "200"])
        #expect(statuses(InstalledToxic(name: "x", toxic: toxic, count: 2)) == ["500", "500", "200", "200"])
    }

    @Test func `a reset in the middle of a body`() {
        let bench = MessageBench(
            InstalledToxic(name: "x", toxic: .reset(ResetToxic(bytes: 40)), stream: .down, scope: .request))
        bench.request()
        bench.response("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + String(repeating: "x", count: 100))
        #expect(bench.bytesDown.readableBytes == 40)
        #expect(bench.down.last == "0ms: reset")
    }

    @Test func `a fault that comes in the middle of an exchange works from the next request on`() {
        let bench = MessageBench()
        bench.request()
        bench.install(InstalledToxic(name: "x", toxic: .status(StatusToxic(code: 500))))
        bench.response(hello)
        #expect(bench.textDown == hello)
        bench.request()
        bench.response(hello)
        #expect(bench.textDown.hasPrefix(hello + "HTTP/1.1 500"))
    }

    @Test func `a fault that goes in the middle of an exchange leaves a whole message`() {
        let bench = MessageBench(.status(StatusToxic(code: 500, body: "no")))
        bench.request()
        bench.response("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe")
        bench.remove()
        bench.response("llo")
        bench.request()
        bench.response(hello)
        #expect(bench.textDown.hasSuffix("no" + hello))
    }

    @Test func `what a slow body held passes when the fault goes`() {
        let bench = answered(.slowBody(SlowBodyToxic(chunks: 2, over: .hours(1))), hello)
        #expect(bench.heldBytes == 5)
        bench.remove()
        #expect(bench.textDown == hello)
        #expect(bench.nextDeadline == nil)
        bench.request()
        bench.response(hello)
        #expect(bench.textDown == hello + hello)
    }

    // MARK: What is no plain exchange

    @Test func `what is no HTTP passes as it is`() {
        let bench = MessageBench(.status(StatusToxic(code: 500)))
        bench.push("\u{16}\u{3}\u{1} hello", .up)
        bench.push("garbage", .down)
        bench.push("more", .up)
        #expect(bench.textUp == "\u{16}\u{3}\u{1} hellomore")
        #expect(bench.textDown == "garbage")
    }

    @Test func `an upgraded connection passes as it is`() {
        let bench = MessageBench(.status(StatusToxic(code: 500)))
        bench.request("GET /ws HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
        bench.response("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nframe")
        bench.push("GET /a HTTP/1.1\r\nHost: x\r\n\r\n", .up)
        #expect(bench.textDown.hasSuffix("frame"))
        #expect(bench.requests == ["GET /ws"])
    }

    @Test func `an interim answer passes and the final one is hit`() {
        let bench = MessageBench(.status(StatusToxic(code: 500, body: "no")))
        bench.request()
        bench.response("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + hello)
        #expect(bench.textDown.hasPrefix("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 500"))
    }

    @Test func `a body that ends with the connection`() {
        let bench = MessageBench(.slowBody(SlowBodyToxic(chunks: 1, over: .milliseconds(10))))
        bench.request()
        bench.response("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello")
        bench.close(.down)
        bench.run(to: 50)
        #expect(bench.down.suffix(2) == ["10ms: hello", "10ms: finished"])
    }

    // MARK: Fuzz

    private static let harmless: [Toxic] = [
        .latency(LatencyToxic(.uniform(middle: .milliseconds(5), jitter: .milliseconds(5)))),
        .bandwidth(BandwidthToxic(bytesPerSecond: 20_000)), .slicer(SlicerToxic(size: 5, variation: 4)),
        .slowBody(SlowBodyToxic(chunks: 7, over: .milliseconds(40))),
        .slowHeaders(SlowHeadersToxic(per: .milliseconds(2))), .loss(LossToxic(rate: 0.05)),
        .stall(StallToxic(atByte: 30, length: .milliseconds(3))),
    ]

    @Test(arguments: 1...300)
    func `messages arrive whole and in order, in whatever pieces they come`(seed: UInt64) {
        var random = RandomStream(seed: seed, name: "message fuzz")
        let bench = MessageBench()
        for number in 0..<random.below(4) {
            let toxic = Self.harmless[Int(random.below(UInt64(Self.harmless.count)))]
            bench.install(
                InstalledToxic(
                    name: "\(number)", toxic: toxic, stream: .both, toxicity: random.unit(), scope: .request))
        }
        var (up, down) = ("", "")
        for number in 0..<random.below(8) + 1 {
            let body = String(repeating: "x", count: Int(random.below(300)))
            up += "POST /\(number) HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
            down +=
                random.chance(0.5)
                ? "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
                : "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + (body.isEmpty ? "" : "\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n") + "0\r\n\r\n"
        }
        for (text, stream) in [(up, ToxicStream.up), (down, .down)] {
            var rest = ByteBuffer(string: text)
            while rest.readableBytes > 0 {
                let count = min(rest.readableBytes, Int(random.below(120)) + 1)
                guard let piece = rest.readSlice(length: count) else { break }
                bench.push(piece, stream)
                bench.run(to: Int64(bench.now.uptimeNanoseconds / 1_000_000) + Int64(random.below(5)))
            }
        }
        bench.close(.up)
        bench.close(.down)
        while let next = bench.nextDeadline { bench.run(to: Int64(next.uptimeNanoseconds / 1_000_000) + 1) }
        #expect(bench.textUp == up)
        #expect(bench.textDown == down)
        #expect(bench.heldBytes == 0)
        #expect(bench.up.last?.hasSuffix("finished") == true)
    }
}
