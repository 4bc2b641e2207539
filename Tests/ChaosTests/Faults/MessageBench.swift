// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Wire
import World

@testable import Chaos

/// The messages of one connection in virtual time.
final class MessageBench {
    private(set) var up: [String] = []
    private(set) var down: [String] = []
    private(set) var bytesUp = ByteBuffer()
    private(set) var bytesDown = ByteBuffer()
    private(set) var seen: [String] = []
    private let log: Log
    private var streams: MessageStreams
    private(set) var now = NIODeadline.uptimeNanoseconds(0)

    private final class Log {
        var toxics: [InstalledToxic] = []
        var places: [String: Int] = [:]
        var seen: [String] = []
    }

    init(_ toxics: InstalledToxic...) {
        let log = Log()
        self.log = log
        streams = MessageStreams { head in
            log.seen.append("\(head.methodText) \(head.pathText)")
            var hits: [String: Int] = [:]
            for toxic in log.toxics where toxic.match?.matches(head) ?? true {
                let place = (log.places[toxic.name] ?? 0) + 1
                log.places[toxic.name] = place
                if toxic.hits(place: place, draw: place, link: "wire", random: RandomStreams(seed: 1)) {
                    hits[toxic.name] = place
                }
            }
            return hits
        }
        for toxic in toxics { install(toxic) }
    }

    convenience init(_ toxic: Toxic, _ stream: ToxicStream = .down) {
        self.init(InstalledToxic(name: "x", toxic: toxic, stream: stream, scope: .request))
    }

    func install(_ toxic: InstalledToxic) {
        log.toxics.append(toxic)
        for stream in [ToxicStream.up, .down] {
            guard let stage = toxic.messageStage(stream, link: "wire", random: RandomStreams(seed: 1)) else { continue }
            streams.install(stage, on: stream)
        }
    }

    func remove(_ name: String = "x") {
        log.toxics.removeAll { $0.name == name }
        for stream in [ToxicStream.up, .down] { keep(streams.remove(name, from: stream, at: now), stream) }
    }

    var requests: [String] { log.seen }

    func request(_ text: String = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n") { push(text, .up) }
    func response(_ text: String) { push(text, .down) }

    func push(_ text: String, _ stream: ToxicStream) { push(ByteBuffer(string: text), stream) }
    func push(_ bytes: ByteBuffer, _ stream: ToxicStream) { keep(streams.push(bytes, on: stream, at: now), stream) }
    func close(_ stream: ToxicStream, _ end: StreamEnd = .finished) {
        keep(streams.close(end, on: stream, at: now), stream)
    }

    var heldBytes: Int { streams.heldBytes(.up) + streams.heldBytes(.down) }
    var nextDeadline: NIODeadline? { streams.nextDeadline }

    func run(to milliseconds: Int64) {
        let end = NIODeadline.uptimeNanoseconds(0) + .milliseconds(milliseconds)
        while let next = streams.nextDeadline, next <= end {
            now = max(now, next)
            for stream in [ToxicStream.up, .down] { keep(streams.advance(stream, to: now), stream) }
        }
        now = max(now, end)
    }

    private func keep(_ deliveries: [Delivery], _ stream: ToxicStream) {
        for delivery in deliveries {
            let stamp = "\(now.uptimeNanoseconds / 1_000_000)ms"
            let text: String
            switch delivery {
            case .bytes(let chunk):
                text = "\(stamp): \(String(buffer: chunk))"
                if stream == .up { bytesUp.writeImmutableBuffer(chunk) } else { bytesDown.writeImmutableBuffer(chunk) }
            case .end(let end): text = "\(stamp): \(end)"
            }
            if stream == .up { up.append(text) } else { down.append(text) }
        }
    }

    var textUp: String { String(buffer: bytesUp) }
    var textDown: String { String(buffer: bytesDown) }
}
