// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import NIOCore
import OrderedCollections

extension Toxic {
    /// The fault of a scenario as a client of the API sees it: type and attributes. What Toxiproxy cannot say (a
    /// distribution) is said as near as it goes.
    var shown: (type: String, attributes: OrderedDictionary<String, JSONValue>) {
        switch self {
        case .latency(let toxic):
            let (middle, jitter) = toxic.delay.nearest
            return (
                toxic.delaysConnect ? "connect_latency" : "latency",
                ["latency": middle.milliseconds, "jitter": jitter.milliseconds]
            )
        case .bandwidth(let toxic): return ("bandwidth", ["rate": .integer(Int(toxic.bytesPerSecond / 1000))])
        case .loss(let toxic):
            return ("packet_loss", ["loss_rate": .number(toxic.rate), "correlation": .number(toxic.correlation)])
        case .slicer(let toxic):
            return (
                "slicer",
                [
                    "average_size": .integer(toxic.size), "size_variation": .integer(toxic.variation),
                    "delay": .integer(Int(toxic.delay.nanoseconds / 1000)),
                ]
            )
        case .timeout(let toxic): return ("timeout", ["timeout": toxic.after.milliseconds])
        case .blackhole(let toxic): return ("blackhole", ["stage": .string(toxic.stage.rawValue)])
        case .reset(let toxic):
            return ("reset", ["after": toxic.after.milliseconds, "bytes": .integer(toxic.bytes ?? -1)])
        case .halfClose(let toxic): return ("half_close", ["side": .string(toxic.side.rawValue)])
        case .limitData(let toxic): return ("limit_data", ["bytes": .integer(toxic.bytes)])
        case .stall(let toxic):
            return (
                "stall",
                [
                    "at_byte": .integer(toxic.atByte), "duration": (toxic.length ?? .zero).milliseconds,
                    "times": .integer(toxic.times),
                ]
            )
        case .slowClose(let toxic): return ("slow_close", ["delay": toxic.delay.milliseconds])
        case .corrupt(let toxic): return ("corrupt", ["rate": .number(toxic.rate)])
        case .refuse, .halfOpen, .noop, .badChunk, .earlyClose: return (name, [:])
        default: return shownOnMessages
        }
    }

    private var shownOnMessages: (type: String, attributes: OrderedDictionary<String, JSONValue>) {
        switch self {
        case .status(let toxic):
            return (
                name,
                ["code": .integer(toxic.code), "rate": .number(toxic.rate), "body": .string(toxic.body ?? "")]
            )
        case .truncate(let toxic):
            switch toxic.at {
            case .share(let share): return (name, ["share": .number(share), "bytes": -1])
            case .bytes(let bytes): return (name, ["share": 0, "bytes": .integer(bytes)])
            }
        case .headEdit(.flood(let count, let size)):
            return (name, ["count": .integer(count), "size": .integer(size)])
        case .headEdit(.drop(let field)): return (name, ["name": .string(field)])
        case .headEdit(.set(let field, let value)): return (name, ["name": .string(field), "value": .string(value)])
        case .headEdit(.wrongLength(let delta)): return (name, ["delta": .integer(delta)])
        case .garbage(let toxic): return (name, ["bytes": .integer(toxic.bytes)])
        case .slowHeaders(let toxic): return (name, ["per": toxic.per.milliseconds])
        case .slowBody(let toxic):
            return (name, ["chunks": .integer(toxic.chunks), "over": toxic.over.milliseconds])
        case .goAway(let toxic):
            return (
                name,
                [
                    "code": .string(toxic.code.text), "after": .integer(toxic.after ?? 0),
                    "answered": .bool(toxic.isAnswered),
                ]
            )
        case .resetStream(let toxic):
            return (name, ["code": .string(toxic.code.text), "at": .string(toxic.stage.rawValue)])
        case .pingFlood(let toxic):
            return (name, ["rate": .integer(Int(toxic.rate ?? 0)), "count": .integer(toxic.count ?? 0)])
        default: return (name, [:])
        }
    }
}

extension TimeAmount {
    fileprivate var milliseconds: JSONValue { .integer(Int(nanoseconds / 1_000_000)) }
}

extension DelayDistribution {
    /// A middle and how far draws are from it, of any distribution.
    fileprivate var nearest: (TimeAmount, TimeAmount) {
        switch self {
        case .constant(let delay): (delay, .zero)
        case .uniform(let middle, let jitter): (middle, jitter)
        case .normal(let mean, let deviation): (mean, deviation)
        case .lognormal(let median, _): (median, .zero)
        case .pareto(let minimum, _): (minimum, .zero)
        }
    }
}
