// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing
import World

@testable import Chaos

/// Every fault on HTTP/2, in virtual time and frame by frame, between two ends that compress their headers.
@Suite struct FrameFaultTests {
    private func toxic(
        _ toxic: Toxic, stream: ToxicStream = .down, scope: InstalledToxic.Scope? = nil, match: RequestMatch? = nil,
        nth: Int? = nil, count: Int? = nil
    ) -> InstalledToxic {
        InstalledToxic(
            name: "x", toxic: toxic, stream: stream, scope: scope, match: match, nth: nth, count: count)
    }

    private let field = [("x-test", "one")]

    // MARK: Without a fault

    @Test(arguments: [1, 2, 7, 1000])
    func `frames pass as they are`(pieces: Int) {
        let bench = FrameBench()
        bench.pieces = pieces
        bench.begin()
        bench.request(1, fields: field, body: "hi")
        bench.answer(1, fields: field)
        bench.request(3, fields: field)
        bench.answer(3, body: nil)
        bench.send(6, [1, 2, 3, 4, 5, 6, 7, 8], from: bench.client)
        bench.send(6, flags: 1, [1, 2, 3, 4, 5, 6, 7, 8], from: bench.server)
        #expect(
            bench.server.seen == [
                "HEADERS 1 :method=POST :path=/a x-test=one", "DATA 1 \"hi\" end",
                "HEADERS 3 :method=GET :path=/a x-test=one end", "PING",
            ])
        #expect(
            bench.client.seen == [
                "HEADERS 1 :status=200 x-test=one", "DATA 1 \"hello\" end", "HEADERS 3 :status=200 end", "PING ack",
            ])
    }

    @Test func `a server that speaks first is heard`() {
        let bench = FrameBench(toxic(.goAway(GoAwayToxic())))
        bench.send(4, from: bench.server)
        bench.push(ByteBuffer(string: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), from: bench.client)
        bench.send(4, from: bench.client)
        bench.request(1)
        bench.answer(1)
        #expect(
            bench.client.seen == [
                "SETTINGS", "GOAWAY last 1 code 0", "HEADERS 1 :status=200", "DATA 1 \"hello\" end", "severed",
            ])
    }

    @Test func `on HTTP of version 1 nothing happens and nothing is decided`() {
        let bench = FrameBench(
            toxic(.goAway(GoAwayToxic())), toxic(.pingFlood(PingFloodToxic(count: 3)), scope: .connection))
        bench.push(ByteBuffer(string: "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"), from: bench.client)
        bench.push(ByteBuffer(string: "HTTP/1.1 204 No Content\r\n\r\n"), from: bench.server)
        #expect(bench.decided.isEmpty)
        #expect(bench.client.seen.isEmpty)
        #expect(bench.nextDeadline == nil)
    }

    @Test func `faults on messages do nothing on HTTP of version 2`() {
        let bench = FrameBench(begun: toxic(.status(StatusToxic(code: 503))))
        bench.request(1)
        bench.answer(1)
        #expect(bench.decided.isEmpty)
        #expect(bench.client.seen == ["HEADERS 1 :status=200", "DATA 1 \"hello\" end"])
    }

    // MARK: GOAWAY

    @Test func `a connection that goes away answers what is open and ends`() {
        let bench = FrameBench(begun: toxic(.goAway(GoAwayToxic()), nth: 2))
        bench.request(1)
        bench.request(3, fields: field)
        #expect(bench.client.seen == ["GOAWAY last 3 code 0"])
        // One that crosses it on the way is not served, and its body is paid back.
        bench.request(5, fields: field, body: "lost")
        #expect(bench.client.seen.last == "WINDOW_UPDATE 0 +4")
        bench.answer(3)
        #expect(bench.client.seen.last == "DATA 3 \"hello\" end")
        bench.answer(1)
        #expect(bench.client.seen.suffix(2) == ["DATA 1 \"hello\" end", "severed"])
        #expect(
            bench.server.seen == [
                "HEADERS 1 :method=GET :path=/a end", "HEADERS 3 :method=GET :path=/a x-test=one end",
            ])
        #expect(bench.decided == ["x /a spared", "x /a hit"])
    }

    @Test func `a request that is refused with it reaches no server`() {
        let bench = FrameBench(begun: toxic(.goAway(GoAwayToxic(code: .internalError, isAnswered: false)), nth: 2))
        bench.request(1)
        bench.request(3)
        #expect(bench.client.seen == ["GOAWAY last 1 code 2"])
        bench.answer(1)
        #expect(bench.client.seen.last == "severed")
        #expect(bench.server.seen == ["HEADERS 1 :method=GET :path=/a end"])
    }

    @Test func `with nothing open it ends at once`() {
        let bench = FrameBench(begun: toxic(.goAway(GoAwayToxic(isAnswered: false))))
        bench.request(1)
        #expect(bench.client.seen == ["GOAWAY last 0 code 0", "severed"])
        #expect(bench.server.seen.isEmpty)
    }

    @Test func `so many requests a connection, counted from when the fault is there`() {
        let bench = FrameBench(begun: toxic(.goAway(GoAwayToxic(after: 2))))
        #expect(bench.decided == ["x connection hit"])
        for stream in [1, 3] as [UInt32] {
            bench.request(stream)
            bench.answer(stream)
        }
        #expect(
            bench.client.seen == [
                "HEADERS 1 :status=200", "DATA 1 \"hello\" end", "GOAWAY last 3 code 0", "HEADERS 3 :status=200",
                "DATA 3 \"hello\" end", "severed",
            ])
    }

    @Test func `the server's own GOAWAY does not raise the last stream again`() {
        let bench = FrameBench(begun: toxic(.goAway(GoAwayToxic(isAnswered: false)), nth: 2))
        bench.request(1)
        bench.request(3)
        bench.send(7, FrameBench.word(7) + FrameBench.word(0), from: bench.server)
        #expect(bench.client.seen == ["GOAWAY last 1 code 0", "GOAWAY last 1 code 0"])
    }

    @Test func `the open requests it waits for are those that the client still wants`() {
        let bench = FrameBench(begun: toxic(.goAway(GoAwayToxic()), nth: 2))
        bench.request(1)
        bench.request(3)
        bench.send(3, stream: 1, FrameBench.word(8), from: bench.client)
        bench.answer(3)
        #expect(bench.client.seen.last == "severed")
    }

    // MARK: RST_STREAM

    @Test func `a refused stream reaches no server, and what follows is still understood`() {
        let bench = FrameBench(begun: toxic(.resetStream(ResetStreamToxic(code: .refusedStream)), nth: 1))
        bench.request(1, fields: field, body: "lost")
        bench.request(3, fields: field)
        bench.request(5, fields: field + [("x-more", "two")])
        bench.answer(3, fields: field)
        #expect(bench.client.seen.prefix(2) == ["RST_STREAM 1 code 7", "WINDOW_UPDATE 0 +4"])
        #expect(bench.client.seen.suffix(2) == ["HEADERS 3 :status=200 x-test=one", "DATA 3 \"hello\" end"])
        #expect(
            bench.server.seen == [
                "HEADERS 3 :method=GET :path=/a x-test=one end",
                "HEADERS 5 :method=GET :path=/a x-test=one x-more=two end",
            ])
    }

    @Test func `an answer is lost, and those after it are understood`() {
        let bench = FrameBench(begun: toxic(.resetStream(ResetStreamToxic(code: .internalError)), nth: 1))
        bench.request(1, fields: field)
        bench.request(3)
        bench.answer(1, fields: field, body: "lost and paid for")
        bench.answer(3, fields: field)
        #expect(
            bench.client.seen == ["RST_STREAM 1 code 2", "HEADERS 3 :status=200 x-test=one", "DATA 3 \"hello\" end"])
        #expect(bench.server.seen.suffix(2) == ["RST_STREAM 1 code 8", "WINDOW_UPDATE 0 +17"])
    }

    @Test func `a body is lost behind its head, trailers too`() {
        let bench = FrameBench(begun: toxic(.resetStream(ResetStreamToxic(code: .cancel, stage: .body)), nth: 1))
        bench.request(1)
        bench.answer(1, fields: field, body: nil)
        #expect(bench.client.seen == ["RST_STREAM 1 code 8"])
        let other = FrameBench(begun: toxic(.resetStream(ResetStreamToxic(code: .cancel, stage: .body)), nth: 1))
        other.request(1)
        other.request(3)
        other.send(1, flags: 4, stream: 1, other.block([(":status", "200")], from: other.server), from: other.server)
        other.data("lost", 1, from: other.server)
        other.data("", 1, from: other.server)
        other.trailers(1, [("grpc-status", "0")], from: other.server)
        other.answer(3, fields: [("grpc-status", "0")], body: nil)
        #expect(
            other.client.seen == [
                "HEADERS 1 :status=200", "RST_STREAM 1 code 8", "HEADERS 3 :status=200 grpc-status=0 end",
            ])
        #expect(other.server.seen.suffix(2) == ["RST_STREAM 1 code 8", "WINDOW_UPDATE 0 +4"])
    }

    @Test func `an interim answer is no answer`() {
        let bench = FrameBench(begun: toxic(.resetStream(ResetStreamToxic(code: .cancel))))
        bench.request(1)
        bench.send(1, flags: 4, stream: 1, bench.block([(":status", "103")], from: bench.server), from: bench.server)
        #expect(bench.client.seen == ["HEADERS 1 :status=103"])
        bench.answer(1)
        #expect(bench.client.seen.last == "RST_STREAM 1 code 8")
    }

    @Test func `late frames of a reset stream are swallowed`() {
        let bench = FrameBench(begun: toxic(.resetStream(ResetStreamToxic(code: .cancel)), nth: 1))
        let head = bench.block([(":method", "POST"), (":path", "/a")], from: bench.client)
        bench.send(1, flags: 4, stream: 1, head, from: bench.client)
        bench.answer(1)
        let (before, seen) = (bench.server.seen, bench.client.seen)
        bench.send(8, stream: 1, FrameBench.word(100), from: bench.client)
        bench.data("late", 1, from: bench.client)
        bench.send(3, stream: 1, FrameBench.word(8), from: bench.client)
        bench.send(8, stream: 1, FrameBench.word(100), from: bench.server)
        bench.send(3, stream: 1, FrameBench.word(0), from: bench.server)
        #expect(bench.server.seen == before)
        #expect(bench.client.seen == seen + ["WINDOW_UPDATE 0 +4"])
    }

    @Test func `a frame is not put into another`() {
        let bench = FrameBench(begun: toxic(.resetStream(ResetStreamToxic(code: .cancel)), nth: 1))
        let head = bench.block([(":method", "POST"), (":path", "/a")], from: bench.client)
        bench.send(1, flags: 4, stream: 1, head, from: bench.client)
        // Half of a frame of the request is on its way when the answer comes.
        let half = FrameBench.frame(0, stream: 1, Array("half".utf8))
        bench.push(half.getSlice(at: 0, length: 11) ?? half, from: bench.client)
        bench.answer(1)
        #expect(bench.server.seen == ["HEADERS 1 :method=POST :path=/a"])
        bench.push(half.getSlice(at: 11, length: 2) ?? half, from: bench.client)
        #expect(
            bench.server.seen.dropFirst() == ["DATA 1 \"half\"", "RST_STREAM 1 code 8", "WINDOW_UPDATE 0 +5"])
    }

    @Test func `long blocks, padding and priority are understood`() {
        let bench = FrameBench(begun: toxic(.resetStream(ResetStreamToxic(code: .refusedStream)), nth: 1))
        bench.request(1)
        let long = String(repeating: "v", count: 20_000)
        let block = bench.block([(":method", "GET"), (":path", "/b"), ("x-long", long)], from: bench.client)
        let first = [3, 0, 0, 0, 0, 15] + Array(block.prefix(100)) + [0, 0, 0]
        bench.send(1, flags: 0x29, stream: 3, first, from: bench.client)
        bench.send(9, flags: 4, stream: 3, Array(block.dropFirst(100)), from: bench.client)
        #expect(
            bench.server.seen == ["HEADERS 3 end …", "CONTINUATION 3 :method=GET :path=/b x-long=\(long)"])
        #expect(bench.decided == ["x /a hit", "x /b spared"])
    }

    @Test func `the size of a table that a lost block announced is announced by the next`() {
        let bench = FrameBench(begun: toxic(.resetStream(ResetStreamToxic(code: .refusedStream)), nth: 1))
        // 001 and a size of 100: 31 and 69.
        let update: [UInt8] = [0x3f, 69]
        let head = [(":method", "GET"), (":path", "/a")]
        bench.send(1, flags: 5, stream: 1, update + bench.block(head, from: bench.client), from: bench.client)
        bench.request(3)
        #expect(bench.server.seen.last == "HEADERS 3 :method=GET :path=/a end")
        #expect(bench.server.lastFragment.starts(with: update))
    }

    @Test func `only the requests that match`() {
        let bench = FrameBench(
            begun: toxic(
                .resetStream(ResetStreamToxic(code: .refusedStream)),
                match: RequestMatch(
                    method: "POST", path: "/orders", headers: [RequestMatch.Header(name: "X-Test", value: "one")])))
        bench.request(1, "/orders", fields: field)
        bench.request(3, "/orders?x=1", fields: field, body: "a")
        bench.request(5, "/items", fields: field, body: "a")
        bench.request(7, "/orders", fields: [("x-test", "two")], body: "a")
        #expect(bench.decided == ["x /orders hit"])
        #expect(bench.client.seen.first == "RST_STREAM 3 code 7")
    }

    // MARK: PING

    @Test func `a flood is answered, and nobody else sees the answers`() {
        let bench = FrameBench(begun: toxic(.pingFlood(PingFloodToxic(count: 3))))
        #expect(bench.client.seen == ["PING", "PING", "PING"])
        for ping in bench.client.pings {
            let opaque = FrameBench.word(UInt32(ping >> 32)) + FrameBench.word(UInt32(truncatingIfNeeded: ping))
            bench.send(6, flags: 1, opaque, from: bench.client)
        }
        #expect(bench.server.seen.isEmpty)
        bench.send(6, flags: 1, [0, 0, 0, 0, 0, 0, 0, 1], from: bench.client)
        #expect(bench.server.seen == ["PING ack"])
    }

    @Test func `pings come at their rate, not before each side has begun, and stop with the fault`() {
        let bench = FrameBench(toxic(.pingFlood(PingFloodToxic(rate: 100)), stream: .both))
        bench.begin()
        bench.run(to: 95)
        #expect(bench.client.seen.filter { $0 == "PING" }.count == 9)
        #expect(bench.server.seen.filter { $0 == "PING" }.count == 9)
        bench.remove()
        bench.run(to: 1000)
        #expect(bench.client.seen.count == 9)
    }

    @Test func `who does not answer gets no more than so many`() {
        let bench = FrameBench(begun: toxic(.pingFlood(PingFloodToxic(rate: 100_000))))
        bench.run(to: 1000)
        #expect(bench.client.seen.count == FrameStreams.mostPings)
    }

    // MARK: What is no HTTP/2

    @Test func `a block that cannot be read makes the rest pass as it is`() {
        let bench = FrameBench(begun: toxic(.goAway(GoAwayToxic())))
        bench.send(1, flags: 5, stream: 1, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff], from: bench.client)
        bench.request(3)
        #expect(bench.server.seen == ["HEADERS 1 undecodable end", "HEADERS 3 :method=GET :path=/a end"])
        #expect(bench.decided.isEmpty)
    }

    @Test func `data in the middle of a block makes the rest pass as it is`() {
        let bench = FrameBench(begun: toxic(.goAway(GoAwayToxic())))
        bench.send(1, flags: 0, stream: 1, [0x82], from: bench.client)
        bench.data("odd", 1, from: bench.client)
        bench.data("more", 1, from: bench.client)
        #expect(bench.server.seen == ["HEADERS 1 …", "DATA 1 \"odd\"", "DATA 1 \"more\""])
    }

    @Test func `an end passes behind half a frame`() {
        let bench = FrameBench(begun: toxic(.goAway(GoAwayToxic())))
        bench.push(ByteBuffer(bytes: [0, 0, 4, 8]), from: bench.client)
        bench.close(bench.client, .reset)
        #expect(bench.server.seen == ["reset"])
    }
}
