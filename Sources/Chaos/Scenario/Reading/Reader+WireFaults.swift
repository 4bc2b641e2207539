// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import NIOCore

// Faults on bytes that have more than one setting.
extension Reader {
    mutating func latency(_ it: FaultNode) -> Toxic? {
        let keys = ["latency", "jitter", "distribution", "connect"]
        guard let fields = settings(it, keys: keys, main: "latency") else { return nil }
        let isMapped = fields["distribution"]?.members != nil
        guard let delay = isMapped ? mappedDelay(fields) : namedDelay(it, fields) else { return nil }
        let delaysConnect = fields["connect"].flatMap { boolean($0, "`connect` of `latency`") } ?? false
        return .latency(LatencyToxic(delay, delaysConnect: delaysConnect))
    }

    /// `latency` and `jitter`, spread evenly or on a bell curve.
    private mutating func namedDelay(_ it: FaultNode, _ fields: Fields) -> DelayDistribution? {
        let distribution = fields["distribution"].flatMap { text($0, "`distribution`") } ?? "uniform"
        let jitter = fields["jitter"].flatMap { timeAmount($0, "`jitter`") } ?? .zero
        guard let node = setting(it, "latency", in: fields, "3s"), let latency = timeAmount(node, "`latency`") else {
            return nil
        }
        switch distribution {
        case "uniform": return jitter == .zero ? .constant(latency) : .uniform(middle: latency, jitter: jitter)
        case "normal": return .normal(mean: latency, deviation: jitter)
        default:
            guard let node = fields["distribution"] else { return nil }
            let forms = [
                "lognormal": "write { lognormal: { median: 3ms, sigma: 0.4 } }",
                "pareto": "write { pareto: { minimum: 3ms, shape: 1.5 } }",
            ]
            report(
                node.location,
                "`distribution` cannot be `\(distribution)`" + (forms[distribution] == nil ? "" : " alone"),
                advice: forms[distribution] ?? "write uniform, normal, { lognormal: … } or { pareto: … }")
            return nil
        }
    }

    /// A distribution with parameters of its own, which stand for `latency` and `jitter`.
    private mutating func mappedDelay(_ fields: Fields) -> DelayDistribution? {
        for key in ["latency", "jitter"] where fields[key] != nil {
            report(fields.keyLocation(key), "`\(key)` is part of the distribution already", advice: "remove it")
        }
        guard let node = fields["distribution"],
            let kinds = self.fields(node, "`distribution`", keys: ["lognormal", "pareto"])
        else { return nil }
        guard let member = node.members?.first, node.members?.count == 1 else {
            report(
                node.location, "`distribution` must name one",
                advice: "write { lognormal: { median: 3ms, sigma: 0.4 } }")
            return nil
        }
        let isLognormal = member.key == "lognormal"
        let (first, second) = isLognormal ? ("median", "sigma") : ("minimum", "shape")
        guard kinds[member.key] != nil, ["lognormal", "pareto"].contains(member.key),
            let it = self.fields(member.value, "`\(member.key)`", keys: [first, second]),
            let timeNode = required(first, in: it, "`\(member.key)`", advice: "write \(first): 3ms"),
            let numberNode = required(
                second, in: it, "`\(member.key)`", advice: "write \(second): \(isLognormal ? 0.4 : 1.5)"),
            let time = timeAmount(timeNode, "`\(first)`"), let number = number(numberNode, "`\(second)`")
        else { return nil }
        guard number > 0 || isLognormal && number == 0, number <= 100 else {
            report(numberNode.location, "`\(second)` must be above 0 and at most 100, not \(plainNumber(number))")
            return nil
        }
        return isLognormal ? .lognormal(median: time, sigma: number) : .pareto(minimum: time, shape: number)
    }

    mutating func loss(_ it: FaultNode) -> Toxic? {
        guard let fields = settings(it, keys: ["rate", "correlation"], main: "rate"),
            let node = setting(it, "rate", in: fields, "10%"), let rate = ratio(node, "`rate` of `loss`")
        else { return nil }
        let correlation = fields["correlation"].flatMap { ratio($0, "`correlation` of `loss`") } ?? Ratio(0)
        return .loss(LossToxic(rate: rate.fraction, correlation: correlation.fraction))
    }

    mutating func slicer(_ it: FaultNode) -> Toxic? {
        guard let fields = settings(it, keys: ["size", "variation", "delay"], main: "size"),
            let node = setting(it, "size", in: fields, "100"), let size = byteCount(node, "`size` of `slicer`")
        else { return nil }
        let variation = fields["variation"].flatMap { byteCount($0, "`variation` of `slicer`") } ?? 0
        let delay = fields["delay"].flatMap { timeAmount($0, "`delay` of `slicer`") } ?? .zero
        guard size > 0 else {
            report(node.location, "`size` of `slicer` must be at least 1")
            return nil
        }
        guard variation < size else {
            report(
                fields["variation"]?.location ?? node.location,
                "`variation` of `slicer` must be below its `size`, \(size), not \(variation)")
            return nil
        }
        return .slicer(SlicerToxic(size: size, variation: variation, delay: delay))
    }

    mutating func reset(_ it: FaultNode) -> Toxic? {
        guard let fields = settings(it, keys: ["after", "bytes"], main: nil) else { return nil }
        let after = fields["after"].flatMap { timeAmount($0, "`after` of `reset`") } ?? .zero
        let bytes = fields["bytes"].flatMap { byteCount($0, "`bytes` of `reset`") }
        return .reset(ResetToxic(after: after, bytes: bytes))
    }

    mutating func stall(_ it: FaultNode) -> Toxic? {
        guard let fields = settings(it, keys: ["at_byte", "for", "times"], main: nil),
            let node = setting(it, "at_byte", in: fields, "1KiB"), let place = byteCount(node, "`at_byte` of `stall`")
        else { return nil }
        let length = fields["for"].flatMap { timeAmount($0, "`for` of `stall`") }
        let times = fields["times"].flatMap { integer($0, "`times` of `stall`", in: 1...1_000_000) } ?? 1
        if times > 1, place == 0 {
            report(fields.keyLocation("times"), "at byte 0 a stream stalls once", advice: "remove `times`")
        }
        return .stall(StallToxic(atByte: place, length: length, times: times))
    }
}
