// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import NIOCore
import OrderedCollections

/// One attribute of a toxic type: its name, its Go type (errors name it) and what it is when it is missing.
struct ToxicAttribute: Sendable {
    enum Kind: String, Sendable {
        case int64, int, float64, string, bool
    }

    var name: String
    var kind: Kind
    var initial: JSONValue

    static func int64(_ name: String, _ initial: Int = 0) -> ToxicAttribute {
        ToxicAttribute(name: name, kind: .int64, initial: .integer(initial))
    }
    static func int(_ name: String, _ initial: Int = 0) -> ToxicAttribute {
        ToxicAttribute(name: name, kind: .int, initial: .integer(initial))
    }
    static func share(_ name: String, _ initial: Double = 0) -> ToxicAttribute {
        ToxicAttribute(name: name, kind: .float64, initial: .number(initial))
    }
    static func text(_ name: String, _ initial: String = "") -> ToxicAttribute {
        ToxicAttribute(name: name, kind: .string, initial: .string(initial))
    }
    static func flag(_ name: String, _ initial: Bool = false) -> ToxicAttribute {
        ToxicAttribute(name: name, kind: .bool, initial: .bool(initial))
    }
}

/// The attributes of a toxic, all of its type's, in the order of the type.
struct ToxicValues: Sendable {
    private(set) var values: OrderedDictionary<String, JSONValue>

    init(_ attributes: [ToxicAttribute]) {
        values = OrderedDictionary(attributes.map { ($0.name, $0.initial) }, uniquingKeysWith: { first, _ in first })
    }

    init(_ values: OrderedDictionary<String, JSONValue>) { self.values = values }

    mutating func set(_ name: String, _ value: JSONValue) { values[name] = value }

    func int(_ name: String) -> Int { values[name]?.intValue ?? 0 }
    func share(_ name: String) -> Double { min(max(values[name]?.doubleValue ?? 0, 0), 1) }
    func text(_ name: String) -> String { values[name]?.stringValue ?? "" }
    func flag(_ name: String) -> Bool { values[name]?.boolValue ?? false }
    func milliseconds(_ name: String) -> TimeAmount { Self.time(int(name), unit: 1_000_000) }
    func microseconds(_ name: String) -> TimeAmount { Self.time(int(name), unit: 1_000) }

    /// Negative amounts are none, as a sleep of Go's has it; a year is for ever.
    private static func time(_ count: Int, unit: Int64) -> TimeAmount {
        let year = TimeAmount.hours(24 * 365).nanoseconds
        return .nanoseconds(min(max(0, Int64(count)), year / unit) * unit)
    }
}

/// A type of toxic as clients name it, and what it is on a link.
struct ToxicType: Sendable {
    var name: String
    /// Go's name of its settings, as errors have it.
    var structName: String
    var attributes: [ToxicAttribute]
    var make: @Sendable (ToxicValues) -> Toxic

    init(
        _ name: String, _ structName: String, _ attributes: [ToxicAttribute] = [],
        make: @escaping @Sendable (ToxicValues) -> Toxic
    ) {
        self.name = name
        self.structName = structName
        self.attributes = attributes
        self.make = make
    }

    static func named(_ name: String) -> ToxicType? { all.first { $0.name == name } }

    static let all = toxiproxys + ours

    /// Toxiproxy's own, to its letter: units are milliseconds, the slicer's delay microseconds, rates 1000 bytes a
    /// second.
    private static let toxiproxys: [ToxicType] = [
        ToxicType("noop", "NoopToxic") { _ in .noop },
        ToxicType("latency", "LatencyToxic", [.int64("latency"), .int64("jitter")]) { it in
            let (latency, jitter) = (it.milliseconds("latency"), it.milliseconds("jitter"))
            return .latency(
                LatencyToxic(jitter == .zero ? .constant(latency) : .uniform(middle: latency, jitter: jitter)))
        },
        ToxicType("bandwidth", "BandwidthToxic", [.int64("rate")]) { it in
            .bandwidth(BandwidthToxic(bytesPerSecond: Int64(min(max(0, it.int("rate")), 1_000_000_000_000)) * 1000))
        },
        ToxicType("slow_close", "SlowCloseToxic", [.int64("delay")]) {
            .slowClose(SlowCloseToxic(delay: $0.milliseconds("delay")))
        },
        ToxicType("timeout", "TimeoutToxic", [.int64("timeout")]) {
            .timeout(TimeoutToxic(after: $0.milliseconds("timeout")))
        },
        ToxicType("reset_peer", "ResetToxic", [.int64("timeout")]) {
            .reset(ResetToxic(after: $0.milliseconds("timeout"), bytes: 0))
        },
        ToxicType("slicer", "SlicerToxic", [.int("average_size"), .int("size_variation"), .int("delay")]) { it in
            let size = it.int("average_size")
            // Toxiproxy would run out of stack.
            guard size > 0 else { return .noop }
            let variation = min(max(0, it.int("size_variation")), size - 1)
            return .slicer(SlicerToxic(size: size, variation: variation, delay: it.microseconds("delay")))
        },
        ToxicType("limit_data", "LimitDataToxic", [.int64("bytes")]) {
            .limitData(LimitDataToxic(bytes: max(0, $0.int("bytes"))))
        },
        ToxicType(
            "packet_loss", "PacketLossToxic", [.share("loss_rate", 0.1), .share("correlation")]
        ) { .loss(LossToxic(rate: $0.share("loss_rate"), correlation: $0.share("correlation"))) },
    ]

    /// What Toxiproxy does not have, in its manner.
    private static let ours: [ToxicType] = [
        ToxicType("connect_latency", "ConnectLatencyToxic", [.int64("latency"), .int64("jitter")]) { it in
            let (latency, jitter) = (it.milliseconds("latency"), it.milliseconds("jitter"))
            return .latency(
                LatencyToxic(
                    jitter == .zero ? .constant(latency) : .uniform(middle: latency, jitter: jitter),
                    delaysConnect: true))
        },
        ToxicType("refuse", "RefuseToxic") { _ in .refuse },
        ToxicType("blackhole", "BlackholeToxic", [.text("stage", "data")]) {
            .blackhole(BlackholeToxic(stage: BlackholeToxic.Stage(rawValue: $0.text("stage")) ?? .data))
        },
        ToxicType("reset", "ResetNowToxic", [.int64("after"), .int64("bytes", -1)]) { it in
            .reset(
                ResetToxic(after: it.milliseconds("after"), bytes: it.int("bytes") < 0 ? nil : it.int("bytes")))
        },
        ToxicType("half_close", "HalfCloseToxic", [.text("side", "client")]) {
            .halfClose(HalfCloseToxic(side: HalfCloseToxic.Side(rawValue: $0.text("side")) ?? .client))
        },
        ToxicType("half_open", "HalfOpenToxic") { _ in .halfOpen },
        ToxicType("stall", "StallToxic", [.int64("at_byte"), .int64("duration"), .int64("times", 1)]) { it in
            let length = it.milliseconds("duration")
            return .stall(
                StallToxic(
                    atByte: max(0, it.int("at_byte")), length: length == .zero ? nil : length,
                    times: max(1, it.int("times"))))
        },
        ToxicType("corrupt", "CorruptToxic", [.share("rate", 0.01)]) {
            .corrupt(CorruptToxic(rate: $0.share("rate")))
        },
        ToxicType(
            "status", "StatusToxic", [.int64("code", 503), .share("rate", 1), .text("body")]
        ) { it in
            let body = it.text("body")
            return .status(
                StatusToxic(
                    code: min(max(200, it.int("code")), 599), rate: it.share("rate"), body: body.isEmpty ? nil : body))
        },
        ToxicType("truncate", "TruncateToxic", [.share("share", 0.5), .int64("bytes", -1)]) { it in
            let bytes = it.int("bytes")
            return .truncate(TruncateToxic(at: bytes >= 0 ? .bytes(bytes) : .share(min(it.share("share"), 0.999_999))))
        },
        ToxicType("wrong_length", "WrongLengthToxic", [.int64("delta", 10)]) {
            .headEdit(.wrongLength(delta: min(max(-1_000_000_000, $0.int("delta")), 1_000_000_000)))
        },
        ToxicType("bad_chunk", "BadChunkToxic") { _ in .badChunk },
        ToxicType("garbage", "GarbageToxic", [.int64("bytes", 100)]) {
            .garbage(GarbageToxic(bytes: min(max(1, $0.int("bytes")), 1 << 20)))
        },
        ToxicType("slow_headers", "SlowHeadersToxic", [.int64("per", 100)]) {
            .slowHeaders(SlowHeadersToxic(per: $0.milliseconds("per")))
        },
        ToxicType("slow_body", "SlowBodyToxic", [.int64("chunks", 10), .int64("over", 1000)]) {
            .slowBody(SlowBodyToxic(chunks: min(max(1, $0.int("chunks")), 10_000), over: $0.milliseconds("over")))
        },
        ToxicType("header_flood", "HeaderFloodToxic", [.int64("count", 100), .int64("size", 16)]) {
            .headEdit(.flood(count: min(max(1, $0.int("count")), 1000), size: min(max(0, $0.int("size")), 16_384)))
        },
        ToxicType("drop_header", "DropHeaderToxic", [.text("name")]) { .headEdit(.drop(name: $0.text("name"))) },
        ToxicType("set_header", "SetHeaderToxic", [.text("name"), .text("value")]) {
            .headEdit(.set(name: Self.field($0.text("name")), value: Self.field($0.text("value"))))
        },
        ToxicType("early_close", "EarlyCloseToxic") { _ in .earlyClose },
        ToxicType(
            "goaway", "GoAwayToxic", [.text("code", "NO_ERROR"), .int64("after"), .flag("answered", true)]
        ) { it in
            .goAway(
                GoAwayToxic(
                    code: HTTP2ErrorNumber(it.text("code")) ?? .noError,
                    after: it.int("after") > 0 ? it.int("after") : nil, isAnswered: it.flag("answered")))
        },
        ToxicType("rst_stream", "ResetStreamToxic", [.text("code", "INTERNAL_ERROR"), .text("at")]) { it in
            .resetStream(
                ResetStreamToxic(
                    code: HTTP2ErrorNumber(it.text("code")) ?? .internalError,
                    stage: ResetStreamToxic.Stage(rawValue: it.text("at"))))
        },
        ToxicType("ping_flood", "PingFloodToxic", [.int64("rate"), .int64("count", 1000)]) { it in
            let rate = min(Double(it.int("rate")), PingFloodToxic.highestRate)
            let most = rate > 0 ? 1_000_000_000 : FrameStreams.mostPings
            return .pingFlood(
                PingFloodToxic(
                    rate: rate > 0 ? rate : nil, count: it.int("count") > 0 ? min(it.int("count"), most) : nil))
        },
    ]

    /// A line feed would end the field and begin another.
    private static func field(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? " " : $0 }))
    }
}
