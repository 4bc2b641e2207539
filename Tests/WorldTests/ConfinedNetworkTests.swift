// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import World

@Suite(.timeLimit(.minutes(1))) struct ConfinedNetworkTests {
    @Test(arguments: [
        ("127.0.0.1", true), ("127.255.0.9", true), ("::1", true), ("::ffff:127.0.0.1", true), ("0.0.0.0", false),
        ("126.255.255.255", false), ("128.0.0.1", false), ("10.0.0.1", false), ("::", false), ("::2", false),
        ("1::1", false), ("::ffff:10.0.0.1", false),
    ])
    func `what loopback is`(text: String, isLoopback: Bool) throws {
        #expect(try SocketAddress(ipAddress: text, port: 80).isLoopback == isLoopback)
    }

    @Test func `names with and without a port`() {
        let remotes = Remotes(["Api.example", "10.0.0.1:80", "[2001:db8::1]:443", "2001:db8::2"])
        #expect(remotes.allow("api.example", port: 1) && remotes.allow("API.EXAMPLE", port: 2))
        #expect(remotes.allow("10.0.0.1", port: 80) && !remotes.allow("10.0.0.1", port: 81))
        #expect(remotes.allow("2001:db8::1", port: 443) && remotes.allow("[2001:db8::1]", port: 443))
        #expect(!remotes.allow("2001:db8::1", port: 80) && remotes.allow("[2001:db8::2]", port: 9))
        #expect(!remotes.allow("sub.api.example", port: 1))
    }

    /// 192.0.2.0/24 is for documentation (RFC 5737): nobody would answer, and nobody is asked.
    @Test func `no connection is opened and no name looked up beyond this machine`() async throws {
        let world = World.real(threads: 1, seed: 1)
        let loop = world.loops.next()
        let network = ConfinedNetwork(world.network, allowing: Remotes())
        let far = try SocketAddress(ipAddress: "192.0.2.1", port: 9)
        let refusal = await #expect(throws: NetworkError.self) {
            _ = try await network.connect(to: far, on: loop, timeout: .seconds(30)) {
                $0.eventLoop.makeSucceededVoidFuture()
            }.get()
        }
        #expect(refusal?.code == .notPermitted)
        let unknown = await #expect(throws: NetworkError.self) {
            _ = try await network.resolve("gatecrash.example", port: 80, on: loop).get()
        }
        #expect(unknown?.code == .notPermitted)
        #expect(try await network.resolve("localhost", port: 80, on: loop).get().allSatisfy(\.isLoopback))
        #expect(try await network.resolve("192.0.2.1", port: 9, on: loop).get() == [far])

        let listener = try await network.listen(
            on: try SocketAddress(ipAddress: "127.0.0.1", port: 0), loops: loop, options: ListenOptions()
        ) { $0.eventLoop.makeSucceededVoidFuture() }.get()
        let near = try #require(listener.localAddress)
        let channel = try await network.connect(to: near, on: loop, timeout: .seconds(5)) {
            $0.eventLoop.makeSucceededVoidFuture()
        }.get()
        try await channel.close().get()
        try await listener.close().get()
        try await world.loops.shutdownGracefully()
    }
}
