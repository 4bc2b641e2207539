// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import DNS
import NIOCore
import NIOEmbedded
import Testing
import World

@testable import Gateway

/// When names are looked up again, and what is used in the meantime; in virtual time.
@Suite struct NameTableTests {
    /// A table and a resolver whose next answers a test chooses.
    private final class Rig {
        let loop = EmbeddedEventLoop()
        var replies: [Result<NameAnswer, NameFailure>]
        private(set) var asked: [Int64] = []
        private(set) var changes: [String] = []
        private(set) var table: NameTable!

        init(
            stale: TimeAmount = .seconds(5), fixed: [String: SocketAddress] = [:],
            _ replies: Result<NameAnswer, NameFailure>...
        ) {
            self.replies = replies
            let times = NameTable.Times(unknown: .seconds(30), notFound: .seconds(20), error: .seconds(2), stale: stale)
            let loop = loop
            table = NameTable(
                loop: loop, fixed: fixed, times: times,
                resolve: { [unowned self] _, _ in
                    asked.append(Int64(loop.now.uptimeNanoseconds) / 1_000_000_000)
                    let reply = self.replies.isEmpty ? .failure(.empty) : self.replies.removeFirst()
                    return loop.makeCompletedFuture(reply.mapError { $0 as any Error })
                },
                changed: { [unowned self] name, answer in changes.append("\(name) \(Self.text(answer))") })
        }

        func ask() -> String { Self.text(table.addresses(of: "X.test", port: 80)) }

        static func text(_ answer: NameTable.Answer) -> String {
            switch answer {
            case .pending: "pending"
            case .failed(let failure): "\(failure)"
            case .found(let addresses, let type): "\(type) " + addresses.map { $0.address.text }.joined(separator: " ")
            }
        }
    }

    private static func found(_ last: Int, lifetime: TimeAmount?) -> Result<NameAnswer, NameFailure> {
        let bytes = ByteBuffer(bytes: [127, 0, 0, UInt8(last)])
        let address = (try? SocketAddress(packedIPAddress: bytes, port: 80)) ?? .loopback(port: 80)
        var answer = NameAnswer([address])
        answer.lifetime = lifetime
        return .success(answer)
    }

    @Test func `a name is looked up again when its time has run out, and a change is told once`() {
        let rig = Rig(
            Self.found(1, lifetime: .seconds(3)), Self.found(1, lifetime: .seconds(3)), Self.found(2, lifetime: nil),
            Self.found(2, lifetime: .zero), Self.found(2, lifetime: nil))
        #expect(rig.ask() == "pending")
        rig.loop.run()
        #expect(rig.ask() == "A 127.0.0.1:80")
        rig.loop.advanceTime(by: .seconds(6))
        #expect(rig.ask() == "A 127.0.0.2:80")
        rig.loop.advanceTime(by: .seconds(31))
        // At 3 and 6 by the answer's own time, at 36 because none was told, at 37 because zero is too short.
        #expect(rig.asked == [0, 3, 6, 36, 37])
        #expect(rig.changes == ["x.test:80 A 127.0.0.1:80", "x.test:80 A 127.0.0.2:80"])
    }

    @Test func `a server that fails is survived until the answer is stale, then tried at every error time`() {
        let failure = NameFailure.code(.serverFailure)
        let rig = Rig(stale: .seconds(5), Self.found(1, lifetime: .seconds(3)), .failure(failure), .failure(failure))
        rig.replies += [.failure(failure), .failure(failure), Self.found(1, lifetime: nil)]
        _ = rig.ask()
        rig.loop.run()
        rig.loop.advanceTime(by: .seconds(7))
        #expect(rig.ask() == "A 127.0.0.1:80")
        rig.loop.advanceTime(by: .seconds(2))
        #expect(rig.ask() == "dns server error: 2 server failure")
        rig.loop.advanceTime(by: .seconds(2))
        #expect(rig.ask() == "A 127.0.0.1:80")
        #expect(rig.asked == [0, 3, 5, 7, 9, 11])
        #expect(rig.changes.count == 3)
    }

    @Test func `a name that is gone is dropped at once`() {
        let rig = Rig(Self.found(1, lifetime: .seconds(3)), .failure(.code(.nameError)), Self.found(1, lifetime: nil))
        _ = rig.ask()
        rig.loop.run()
        rig.loop.advanceTime(by: .seconds(3))
        #expect(rig.ask() == "dns server error: 3 name error")
        rig.loop.advanceTime(by: .seconds(20))
        #expect(rig.ask() == "A 127.0.0.1:80" && rig.asked == [0, 3, 23])
    }

    @Test func `literals and fixed names are never looked up`() throws {
        let rig = Rig(fixed: ["x.test:80": try SocketAddress(ipAddress: "127.0.0.7", port: 81)])
        #expect(rig.ask() == "A 127.0.0.7:81")
        #expect(Rig.text(rig.table.addresses(of: "::1", port: 80)) == "AAAA [::1]:80")
        #expect(rig.asked.isEmpty)
    }

    @Test func `a name that nobody asks for any more is forgotten`() {
        let rig = Rig(Self.found(1, lifetime: .seconds(3)), Self.found(1, lifetime: .seconds(3)))
        _ = rig.ask()
        rig.loop.run()
        rig.table.beginRound()
        rig.table.endRound()
        rig.loop.advanceTime(by: .seconds(10))
        #expect(rig.asked == [0])
    }
}
