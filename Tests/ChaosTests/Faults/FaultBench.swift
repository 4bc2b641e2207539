// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Chaos
import NIOCore
import World

/// A machine in virtual time: bytes go in at an instant, what comes out is kept with the instant it came at.
struct FaultBench {
    /// What came out: `5ms: "hello"`, `7ms: finished`.
    private(set) var out: [String] = []
    private(set) var bytes = ByteBuffer()
    private(set) var ends: [StreamEnd] = []
    private var chain = ToxicChain()
    private var now = NIODeadline.uptimeNanoseconds(0)

    init(_ toxic: Toxic, _ direction: ToxicStream = .down, seed: UInt64 = 1) {
        put(toxic, direction, seed: seed, name: "x")
    }

    mutating func put(_ toxic: Toxic, _ direction: ToxicStream = .down, seed: UInt64 = 1, name: String) {
        guard let machine = toxic.machine(direction, random: RandomStream(seed: seed, name: name)) else { return }
        keep(chain.install(machine, name: name, at: now))
    }

    mutating func replace(_ toxic: Toxic, name: String = "x") {
        guard let machine = toxic.machine(.down, random: RandomStream(seed: 1, name: name)) else { return }
        keep(chain.replace(machine, name: name, at: now))
    }

    static func at(_ milliseconds: Double) -> NIODeadline {
        .uptimeNanoseconds(UInt64((milliseconds * 1e6).rounded()))
    }

    mutating func push(_ text: String, at milliseconds: Double) {
        push(ByteBuffer(string: text), at: Self.at(milliseconds))
    }

    mutating func push(_ chunk: ByteBuffer, at instant: NIODeadline) {
        run(to: instant)
        keep(chain.push(chunk, at: now))
    }

    mutating func close(_ end: StreamEnd = .finished, at milliseconds: Double) {
        run(to: Self.at(milliseconds))
        keep(chain.close(end, at: now))
    }

    mutating func remove(_ name: String = "x", at milliseconds: Double) {
        run(to: Self.at(milliseconds))
        keep(chain.remove(name, at: now))
    }

    mutating func run(to milliseconds: Double) { run(to: Self.at(milliseconds)) }

    /// Everything that is due until then, each at its own instant.
    mutating func run(to instant: NIODeadline) {
        while let next = chain.nextDeadline, next <= instant {
            now = max(now, next)
            keep(chain.advance(to: now))
        }
        now = max(now, instant)
    }

    mutating func runToEnd() {
        while let next = chain.nextDeadline { run(to: next) }
    }

    var heldBytes: Int { chain.heldBytes }
    var nextDeadline: NIODeadline? { chain.nextDeadline }
    var instant: NIODeadline { now }

    private mutating func keep(_ deliveries: [Delivery]) {
        let time = Double(now.uptimeNanoseconds) / 1e6
        let stamp = time.rounded() == time ? "\(Int(time))ms" : "\(time)ms"
        for delivery in deliveries {
            switch delivery {
            case .bytes(var chunk):
                out.append("\(stamp): \"\(String(buffer: chunk))\"")
                bytes.writeBuffer(&chunk)
            case .end(let end):
                out.append("\(stamp): \(end)")
                ends.append(end)
            }
        }
    }
}
