// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// What an upstream's health checks mean in numbers: when a target leaves, when it comes back.
struct HealthText {
    let facts: UpstreamFacts

    var active: JSONValue { facts.healthChecks["active"] ?? .null }
    var passive: JSONValue { facts.healthChecks["passive"] ?? .null }

    static func seconds(_ side: JSONValue?, _ key: String) -> Nanoseconds {
        Nanoseconds(seconds: side?[key]?.doubleValue ?? 0)
    }
    static func limit(_ side: JSONValue?, _ key: String) -> Int { side?[key]?.intValue ?? 0 }

    var probeTimeout: Nanoseconds { Self.seconds(active, "timeout") }
    var healthyInterval: Nanoseconds { isProbing ? Self.seconds(active["healthy"], "interval") : .zero }
    var unhealthyInterval: Nanoseconds { isProbing ? Self.seconds(active["unhealthy"], "interval") : .zero }
    var successes: Int { Self.limit(active["healthy"], "successes") }
    /// Of type tcp no probe is ever sent to an HTTP upstream (kong/runloop/balancer/healthcheckers.lua).
    private var isProbing: Bool { active["type"]?.stringValue != "tcp" }

    var isOn: Bool {
        Self.seconds(active["healthy"], "interval") > .zero || Self.seconds(active["unhealthy"], "interval") > .zero
            || !Self.limits(passive["unhealthy"]).isEmpty
    }

    /// `3 HTTP failures (429, 500, 503) or 3 timeouts`, in Kong's order; empty when nothing counts.
    static func limits(_ side: JSONValue?) -> [String] {
        let statuses = (side?["http_statuses"]?.arrayValue ?? []).compactMap(\.intValue).map(String.init)
        var texts: [String] = []
        let http = limit(side, "http_failures")
        if http > 0 { texts.append("\(counted(http, "HTTP failure")) (\(statuses.joined(separator: ", ")))") }
        let tcp = limit(side, "tcp_failures")
        if tcp > 0 { texts.append(counted(tcp, "TCP failure")) }
        let timeouts = limit(side, "timeouts")
        if timeouts > 0 { texts.append(counted(timeouts, "timeout")) }
        return texts
    }

    static func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

    static func alternatives(_ texts: [String]) -> String {
        guard let last = texts.last, texts.count > 1 else { return texts.first ?? "" }
        return texts.dropLast().joined(separator: ", ") + " or " + last
    }

    /// How long `count` passes of a grid take from an instant of no relation to it: between (count - 1) and count
    /// intervals.
    static func passes(_ count: Int, every interval: Nanoseconds) -> String {
        let n = Int64(count)
        return "\(interval * (n - 1))..\(interval * n)"
    }

    /// A line each: what it is about, and the sentence.
    var lines: [(head: String, text: String)] {
        guard isOn else { return [("checks", "off: the target is used whatever it answers")] }
        var lines: [(head: String, text: String)] = []
        let byRequests = Self.limits(passive["unhealthy"])
        if byRequests.isEmpty {
            lines.append(("leaves", "not because of requests (passive limits are 0)"))
        } else {
            lines.append(("leaves", "after \(Self.alternatives(byRequests)) of requests"))
            let clears = Self.limit(passive["healthy"], "successes")
            if clears == 0 { lines.append(("", "good answers do not clear failures (passive successes are 0)")) }
        }
        let byProbes = Self.limits(active["unhealthy"])
        if healthyInterval > .zero, !byProbes.isEmpty {
            let counts = ["http_failures", "tcp_failures", "timeouts"].map { Self.limit(active["unhealthy"], $0) }
            let least = counts.filter { $0 > 0 }.min() ?? 1
            lines.append((byRequests.isEmpty ? "leaves" : "", "after \(Self.alternatives(byProbes)) of probes"))
            lines.append(
                (
                    "",
                    "that is \(Self.passes(least, every: healthyInterval)) after it goes bad, plus a probe's timeout"
                ))
        }
        if unhealthyInterval > .zero, successes > 0 {
            let path = active["http_path"]?.stringValue ?? "/"
            lines.append(("returns", "after \(Self.counted(successes, "good probe")) in a row of \(path)"))
            lines.append(
                ("", "that is \(Self.passes(successes, every: unhealthyInterval)) after it is good again"))
        } else {
            lines.append(("returns", "never by itself: only PUT …/healthy brings it back"))
        }
        if healthyInterval > .zero || unhealthyInterval > .zero {
            lines.append(
                (
                    "probes",
                    "every \(healthyInterval) while healthy, \(unhealthyInterval) while not, timeout \(probeTimeout)"
                ))
        }
        return lines
    }
}
