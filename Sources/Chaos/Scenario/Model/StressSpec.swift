// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// A shortage that a node gets, in real time only.
package struct StressSpec: Hashable, Sendable {
    package var node: String
    /// The share of every processor that the node may use that somebody else burns.
    package var processor: Ratio?
    /// Bytes of memory that somebody else holds.
    package var memory: Int?
    /// The most descriptors the node may have open; those that are open stay.
    package var descriptors: Int?

    package init(node: String, processor: Ratio? = nil, memory: Int? = nil, descriptors: Int? = nil) {
        self.node = node
        self.processor = processor
        self.memory = memory
        self.descriptors = descriptors
    }

    /// `80% of its processors burnt, 256 MiB held, 900 descriptors at most`.
    package var phrase: String {
        var parts: [String] = []
        if let processor { parts.append("\(processor) of its processors burnt") }
        if let memory { parts.append("\(Self.text(memory)) held") }
        if let descriptors { parts.append("\(descriptors) descriptors at most") }
        return parts.joined(separator: ", ")
    }

    private static func text(_ bytes: Int) -> String {
        for (unit, name) in [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")] where bytes > 0 {
            if bytes % unit == 0 { return "\(bytes / unit) \(name)" }
        }
        return "\(bytes) bytes"
    }
}
