// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Chaos
import FoundationEssentials
import NIOCore
import Testing
import World

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A world of its own for one test, shut down afterwards.
func withRealWorld<T>(
    seed: UInt64 = 1, _ body: (World, any EventLoop) async throws -> T
) async throws -> T {
    let world = World.real(threads: 1, seed: seed)
    do {
        let result = try await body(world, world.loops.next())
        try await world.loops.shutdownGracefully()
        return result
    } catch {
        try await world.loops.shutdownGracefully()
        throw error
    }
}

/// A directory of its own for one test, removed afterwards.
func withTemporaryDirectory<T>(_ body: (String) async throws -> T) async throws -> T {
    var template = Array((FileManager.default.temporaryDirectory.path + "/gatecrash-test-XXXXXX").utf8CString)
    let path = try #require(mkdtemp(&template).map { String(cString: $0) })
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}

struct TooLate: Error {}

/// The future's value, or an error when it takes longer than `limit`.
func within<T: Sendable>(_ limit: TimeAmount, _ future: EventLoopFuture<T>) async throws -> T {
    let promise = future.eventLoop.makePromise(of: T.self)
    let timer = future.eventLoop.scheduleTask(in: limit) { promise.fail(TooLate()) }
    future.whenComplete { result in
        timer.cancel()
        promise.completeWith(result)
    }
    return try await promise.futureResult.get()
}

/// Asks again and again, a few milliseconds apart, for what sends no event (another process's end).
func eventually(
    _ limit: TimeAmount, on loop: any EventLoop, _ condition: @escaping @Sendable () -> Bool
) async throws -> Bool {
    let promise = loop.makePromise(of: Bool.self)
    let deadline = loop.now + limit
    @Sendable func ask() {
        if condition() { return promise.succeed(true) }
        if loop.now >= deadline { return promise.succeed(false) }
        loop.scheduleTask(in: .milliseconds(5)) { ask() }
    }
    loop.execute { ask() }
    return try await promise.futureResult.get()
}

/// The program beside the test bundle.
var supervisionFixture: String {
    let here = CommandLine.arguments[0]
    return String(here[..<(here.lastIndex(of: "/") ?? here.startIndex)]) + "/supervision-fixture"
}

/// True when a process is gone, or waits as a zombie for a parent that is not ours.
func isGone(_ pid: Int32) -> Bool {
    guard let data = try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(pid)/stat")) else { return true }
    let text = String(decoding: data, as: UTF8.self)
    guard let end = text.lastIndex(of: ")") else { return true }
    return text[end...].dropFirst(2).first == "Z"
}
