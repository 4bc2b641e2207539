// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

extension Reader {
    /// More than this is a mistake, or a machine that nobody else works on.
    private static let mostMemory = 64 << 30

    mutating func stress(_ node: DocumentNode, _ topology: Topology) -> StressSpec? {
        let what = "a `stress` step"
        guard let fields = fields(node, what, keys: ["node", "cpu", "memory", "fds"]) else { return nil }
        guard let nodeNode = required("node", in: fields, what, advice: "write node: gateway"),
            let name = nodeName(nodeNode, topology), checkIsProcess([name], at: nodeNode.location, topology)
        else { return nil }
        var spec = StressSpec(node: name)
        if let node = fields["cpu"], let share = ratio(node, "`cpu` of \(what)") {
            if share.fraction > 0 {
                spec.processor = share
            } else {
                report(node.location, "`cpu` of \(what) must be more than 0%")
            }
        }
        spec.memory = fields["memory"].flatMap { memory($0, "`memory` of \(what)") }
        spec.descriptors = fields["fds"].flatMap { integer($0, "`fds` of \(what)", in: 0...1_000_000) }
        if ["cpu", "memory", "fds"].allSatisfy({ fields[$0] == nil }) {
            report(
                fields.location, "the `stress` step does nothing", advice: "write cpu: 80%, memory: 256MiB or fds: 900")
        }
        return spec
    }

    /// `256MiB`: a whole number with its unit.
    private mutating func memory(_ node: DocumentNode, _ what: String) -> Int? {
        guard let text = text(node, what) else { return nil }
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let units = ["KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30]
        guard let count = Int(digits), count > 0, let unit = units[String(text.dropFirst(digits.count))] else {
            report(node.location, "\(what) cannot be `\(text)`", advice: "write one such as 256MiB or 1GiB")
            return nil
        }
        let (bytes, isTooMuch) = count.multipliedReportingOverflow(by: unit)
        guard !isTooMuch, bytes <= Self.mostMemory else {
            report(node.location, "\(what) must be at most 64GiB, not \(text)")
            return nil
        }
        return bytes
    }
}
