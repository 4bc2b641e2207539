// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Certificates
import Document
import NIOCore
import OpenSSL

/// A fault as it stands in the file: its name, and what is said about it.
struct FaultNode {
    var name: String
    /// Its settings; nil when the name stands alone.
    var node: DocumentNode?
    var location: SourceLocation
}

extension Reader {
    static let faultNames = [
        "latency", "refuse", "bandwidth", "loss", "slicer", "timeout", "blackhole", "reset", "half_close", "half_open",
        "limit_data", "stall", "slow_close", "corrupt", "status", "truncate", "wrong_length", "bad_chunk", "garbage",
        "slow_headers", "slow_body", "header_flood", "drop_header", "set_header", "early_close",
        "cert", "handshake", "version", "goaway", "rst_stream", "ping_flood",
    ]
    /// Those whose name alone is enough.
    private static let bareFaults = ["refuse", "half_open", "reset", "bad_chunk", "early_close", "goaway"]
    /// Those on datagrams, which no link carries, and how they are written.
    private static let datagramFaults = [
        "duplicate": "{ name: orders.internal, duplicate: 2 }", "reorder": "{ name: orders.internal, reorder: 50ms }",
    ]

    /// `refuse`, `{ refuse: {} }`, `{ latency: 3s }` or `{ latency: { latency: 3s, jitter: 100ms } }`.
    ///
    /// - Returns: the fault and where its name stands.
    mutating func fault(_ node: DocumentNode) -> (Toxic, SourceLocation)? {
        if let text = node.scalar, !node.isNull {
            if isOnDatagrams(text, at: node.location) { return nil }
            if Self.bareFaults.contains(text) {
                return kind(FaultNode(name: text, node: nil, location: node.location)).map { ($0, node.location) }
            }
            let isKnown = Self.faultNames.contains(text)
            report(
                node.location, "`fault` cannot be `\(text)`" + (isKnown ? " alone" : ""),
                advice: isKnown ? "write { \(text): … }" : "write { latency: 3s } or refuse")
            return nil
        }
        guard fields(node, "`fault`", keys: Self.faultNames + Self.datagramFaults.keys.sorted()) != nil else {
            return nil
        }
        guard let members = node.members, members.count == 1, let member = members.first else {
            report(node.location, "`fault` must name one fault", advice: "write a step for each")
            return nil
        }
        if isOnDatagrams(member.key, at: member.keyLocation) { return nil }
        let value = member.value.isNull ? nil : member.value
        return kind(FaultNode(name: member.key, node: value, location: member.keyLocation))
            .map { ($0, member.keyLocation) }
    }

    private mutating func isOnDatagrams(_ name: String, at location: SourceLocation) -> Bool {
        guard let step = Self.datagramFaults[name] else { return false }
        report(location, "`\(name)` is about datagrams, and links are TCP", advice: "write a step dns: \(step)")
        return true
    }

    private mutating func kind(_ it: FaultNode) -> Toxic? {
        switch it.name {
        case "latency": latency(it)
        case "refuse": bare(it, .refuse)
        case "half_open": bare(it, .halfOpen)
        case "bad_chunk": bare(it, .badChunk)
        case "early_close": bare(it, .earlyClose)
        case "bandwidth":
            byteRate(it).map { .bandwidth(BandwidthToxic(bytesPerSecond: $0)) }
        case "timeout": time(it, "after").map { .timeout(TimeoutToxic(after: $0)) }
        case "slow_close": time(it, "delay").map { .slowClose(SlowCloseToxic(delay: $0)) }
        case "limit_data": bytes(it, "bytes").map { .limitData(LimitDataToxic(bytes: $0)) }
        case "corrupt": share(it, "rate").map { .corrupt(CorruptToxic(rate: $0)) }
        case "blackhole":
            option(it, "stage", of: BlackholeToxic.Stage.self).map { .blackhole(BlackholeToxic(stage: $0)) }
        case "half_close": option(it, "side", of: HalfCloseToxic.Side.self).map { .halfClose(HalfCloseToxic(side: $0)) }
        case "loss": loss(it)
        case "slicer": slicer(it)
        case "reset": reset(it)
        case "stall": stall(it)
        case "cert": option(it, "kind", of: CertificateKind.self).map { .cert($0) }
        case "handshake": option(it, "mode", of: HandshakeToxic.Mode.self).map { .handshake(HandshakeToxic($0)) }
        case "version": version(it).map { .version($0) }
        default: messageKind(it)
        }
    }

    // MARK: Settings

    /// The settings of a fault: a mapping, or one value that stands for its main key.
    mutating func settings(_ it: FaultNode, keys: [String], main: String?) -> Fields? {
        guard let node = it.node else { return Fields(node: DocumentNode(.mapping([]), at: it.location)) }
        if let main, node.members == nil {
            let member = DocumentNode.Member(key: main, keyLocation: node.location, value: node)
            return Fields(node: DocumentNode(.mapping([member]), at: node.location))
        }
        return fields(node, "the fault `\(it.name)`", keys: keys)
    }

    /// The node of a setting that must be there.
    mutating func setting(_ it: FaultNode, _ key: String, in fields: Fields, _ advice: String) -> DocumentNode? {
        required(key, in: fields, "the fault `\(it.name)`", advice: "write \(key): \(advice)")
    }

    /// `{ version: 1.1 }` or `{ version: { max: 1.1 } }`.
    private mutating func version(_ it: FaultNode) -> TLSVersion? {
        guard let fields = settings(it, keys: ["max"], main: "max"), let node = setting(it, "max", in: fields, "1.1")
        else { return nil }
        return tlsVersion(node, "`max` of `version`")
    }

    private mutating func bare(_ it: FaultNode, _ toxic: Toxic) -> Toxic? {
        if let node = it.node, node.members?.isEmpty != true {
            report(node.location, "`\(it.name)` has no settings", advice: "write fault: \(it.name)")
        }
        return toxic
    }

    /// A length of time that is the only setting.
    mutating func time(_ it: FaultNode, _ key: String) -> TimeAmount? {
        guard let fields = settings(it, keys: [key], main: key), let node = setting(it, key, in: fields, "3s") else {
            return nil
        }
        return timeAmount(node, "`\(key)` of `\(it.name)`")
    }

    /// - Returns: at most a day: what is longer than any run is a mistake.
    mutating func timeAmount(_ node: DocumentNode, _ what: String) -> TimeAmount? {
        guard let duration = duration(node, what) else { return nil }
        guard duration <= .seconds(86_400) else {
            report(node.location, "\(what) must be at most 24h, not \(duration)")
            return nil
        }
        return duration.timeAmount
    }

    mutating func bytes(_ it: FaultNode, _ key: String) -> Int? {
        guard let fields = settings(it, keys: [key], main: key), let node = setting(it, key, in: fields, "1KiB") else {
            return nil
        }
        return byteCount(node, "`\(key)` of `\(it.name)`")
    }

    mutating func byteCount(_ node: DocumentNode, _ what: String) -> Int? {
        guard let text = text(node, what) else { return nil }
        if let bytes = ByteAmount.bytes(text) { return Int(bytes) }
        report(
            node.location, "\(what) must be a number of bytes, not `\(text)`",
            advice: "write one such as 100 or 1KiB (\(ByteAmount.unitNames.joined(separator: ", ")))")
        return nil
    }

    private mutating func byteRate(_ it: FaultNode) -> Int64? {
        guard let fields = settings(it, keys: ["rate"], main: "rate"),
            let node = setting(it, "rate", in: fields, "64KiB/s"), let text = text(node, "`rate` of `bandwidth`")
        else { return nil }
        if let rate = ByteAmount.bytesPerSecond(text) { return rate }
        report(
            node.location, "`rate` of `bandwidth` must be bytes a second, not `\(text)`",
            advice: "write one such as 64KiB/s (\(ByteAmount.rateNames.joined(separator: ", ")))")
        return nil
    }

    private mutating func share(_ it: FaultNode, _ key: String) -> Double? {
        guard let fields = settings(it, keys: [key], main: key), let node = setting(it, key, in: fields, "10%") else {
            return nil
        }
        return ratio(node, "`\(key)` of `\(it.name)`")?.fraction
    }

    private mutating func option<Choice: CaseIterable & RawRepresentable<String>>(
        _ it: FaultNode, _ key: String, of type: Choice.Type
    ) -> Choice? {
        let example = type.allCases.first?.rawValue ?? ""
        guard let fields = settings(it, keys: [key], main: key), let node = setting(it, key, in: fields, example)
        else { return nil }
        return choice(node, "`\(key)` of `\(it.name)`")
    }
}
