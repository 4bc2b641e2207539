// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// The class of the style sheet that colours a sort of answer (`503 from gateway`): one colour a status, told apart
/// also by people who see few colours, because each is named in the legend and in its tool tip.
enum SortColour {
    static func name(_ sort: String) -> String {
        let status = sort.prefix(3)
        guard status.count == 3, status.allSatisfy(\.isNumber), let first = status.first else { return "none" }
        switch (first, status) {
        case ("2", _): return "s2"
        case ("1", _), ("3", _): return "s3"
        case ("4", _): return "s4"
        case (_, "500"): return "s500"
        case (_, "502"): return "s502"
        case (_, "503"): return sort.hasSuffix("upstream") ? "s503u" : "s503"
        case (_, "504"): return "s504"
        default: return "s5"
        }
    }

    static func name(_ state: JournalEvent.AddressState) -> String {
        switch state {
        case .healthy: "healthy"
        case .mostlyHealthy: "mostly-healthy"
        case .mostlyUnhealthy: "mostly-unhealthy"
        case .unhealthy: "unhealthy"
        }
    }

    static func name(_ result: Verdict.Result) -> String { result.rawValue }

    static func name(_ result: RunResult) -> String {
        switch result {
        case .pass: "pass"
        case .inconclusive, .skipped: "inconclusive"
        default: "fail"
        }
    }
}
