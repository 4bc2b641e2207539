// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import NIOCore

// Faults on HTTP messages.
extension Reader {
    /// A head of more than this is no head but an attack on the runner.
    private static let mostFloodBytes = 16 << 20

    mutating func messageKind(_ it: FaultNode) -> Toxic? {
        switch it.name {
        case "status": status(it)
        case "truncate": truncate(it)
        case "wrong_length": wrongLength(it)
        case "garbage": bytes(it, "bytes").flatMap { garbage(it, $0) }
        case "slow_headers": time(it, "per").map { .slowHeaders(SlowHeadersToxic(per: $0)) }
        case "slow_body": slowBody(it)
        case "header_flood": flood(it)
        case "drop_header": headerName(it, keys: ["name"]).map { .headEdit(.drop(name: $0.name)) }
        case "set_header": setHeader(it)
        default: frameKind(it)
        }
    }

    private mutating func status(_ it: FaultNode) -> Toxic? {
        guard let fields = settings(it, keys: ["code", "rate", "body"], main: "code"),
            let node = setting(it, "code", in: fields, "503"),
            let code = integer(node, "`code` of `status`", in: 200...599)
        else { return nil }
        let rate = fields["rate"].flatMap { ratio($0, "`rate` of `status`") } ?? Ratio(1)
        let body = fields["body"].flatMap { text($0, "`body` of `status`") }
        if body != nil, code == 204 || code == 304 {
            report(fields.keyLocation("body"), "an answer of status \(code) has no body", advice: "remove `body`")
        }
        return .status(StatusToxic(code: code, rate: rate.fraction, body: body))
    }

    private mutating func truncate(_ it: FaultNode) -> Toxic? {
        guard let fields = settings(it, keys: ["at"], main: "at"), let node = setting(it, "at", in: fields, "50%")
        else {
            return nil
        }
        guard node.scalar?.hasSuffix("%") == true else {
            return byteCount(node, "`at` of `truncate`").map { .truncate(TruncateToxic(at: .bytes($0))) }
        }
        guard let share = ratio(node, "`at` of `truncate`") else { return nil }
        guard share < Ratio(1) else {
            report(node.location, "`at` of `truncate` must be below 100%", advice: "write one such as 50%")
            return nil
        }
        return .truncate(TruncateToxic(at: .share(share.fraction)))
    }

    private mutating func wrongLength(_ it: FaultNode) -> Toxic? {
        guard let fields = settings(it, keys: ["delta"], main: "delta"),
            let node = setting(it, "delta", in: fields, "10"),
            let delta = integer(node, "`delta` of `wrong_length`", in: -1_000_000_000...1_000_000_000)
        else { return nil }
        guard delta != 0 else {
            report(node.location, "a `delta` of 0 changes nothing", advice: "write one such as 10 or -10")
            return nil
        }
        return .headEdit(.wrongLength(delta: delta))
    }

    private mutating func garbage(_ it: FaultNode, _ bytes: Int) -> Toxic? {
        guard (1...Self.mostFloodBytes).contains(bytes) else {
            report(it.node?.location ?? it.location, "`garbage` must be from 1B to 16MiB, not \(bytes)B")
            return nil
        }
        return .garbage(GarbageToxic(bytes: bytes))
    }

    private mutating func slowBody(_ it: FaultNode) -> Toxic? {
        guard let fields = settings(it, keys: ["chunks", "over"], main: nil),
            let overNode = setting(it, "over", in: fields, "5s"),
            let over = timeAmount(overNode, "`over` of `slow_body`")
        else { return nil }
        let chunks = fields["chunks"].flatMap { integer($0, "`chunks` of `slow_body`", in: 1...10_000) } ?? 10
        return .slowBody(SlowBodyToxic(chunks: chunks, over: over))
    }

    private mutating func flood(_ it: FaultNode) -> Toxic? {
        guard let fields = settings(it, keys: ["count", "size"], main: "count"),
            let node = setting(it, "count", in: fields, "100"),
            let count = integer(node, "`count` of `header_flood`", in: 1...100_000)
        else { return nil }
        let size = fields["size"].flatMap { byteCount($0, "`size` of `header_flood`") } ?? 16
        guard count * min(size, Self.mostFloodBytes) <= Self.mostFloodBytes else {
            report(it.location, "`header_flood` must be at most 16MiB in all", advice: "lower `count` or `size`")
            return nil
        }
        return .headEdit(.flood(count: count, size: size))
    }

    private mutating func setHeader(_ it: FaultNode) -> Toxic? {
        guard let (name, fields) = headerName(it, keys: ["name", "value"]),
            let node = setting(it, "value", in: fields, "text"), let value = text(node, "`value` of `set_header`")
        else { return nil }
        guard value.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7f || $0.value == 0x09 }) else {
            report(node.location, "`value` of `set_header` has a control character", advice: "write it on one line")
            return nil
        }
        return .headEdit(.set(name: name, value: value))
    }

    private mutating func headerName(_ it: FaultNode, keys: [String]) -> (name: String, fields: Fields)? {
        guard let fields = settings(it, keys: keys, main: keys == ["name"] ? "name" : nil),
            let node = setting(it, "name", in: fields, "X-Test"), let name = word(node, "`name` of `\(it.name)`")
        else { return nil }
        let isToken = name.unicodeScalars.allSatisfy { scalar in
            scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
                || "!#$%&'*+-.^_`|~".unicodeScalars.contains(scalar)
        }
        guard isToken else {
            report(node.location, "`\(name)` is no name of a header", advice: "write one such as X-Test")
            return nil
        }
        return (name, fields)
    }
}
