// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Gateway
import Testing

@Suite struct ConfigurationLintTests {
    private func warnings(_ form: String, service: String = "host=u", target: String = "target=a") throws -> [String] {
        let admin = try AdminHarness()
        #expect(admin.form("POST", "/upstreams", "name=u&" + form).status == 201)
        if !target.isEmpty { admin.form("POST", "/upstreams/u/targets", target) }
        admin.form("POST", "/services", service)
        return ConfigurationLint.warnings(for: admin.configuration).map(\.description)
    }

    private static let good =
        "healthchecks.active.healthy.interval=1&healthchecks.active.unhealthy.interval=1"
        + "&healthchecks.active.healthy.successes=1&healthchecks.active.unhealthy.tcp_failures=1"
        + "&healthchecks.active.unhealthy.timeouts=1&healthchecks.passive.unhealthy.http_failures=3"

    @Test func `sound checks are not warned about`() throws {
        #expect(try warnings(Self.good) == [])
        #expect(try warnings("") == [])
    }

    @Test(arguments: [
        ("healthchecks.passive.unhealthy.http_failures=3", "nothing brings it back"),
        (good + "&healthchecks.active.unhealthy.interval=0", "nothing brings it back"),
        (
            good + "&healthchecks.active.unhealthy.interval=0&healthchecks.passive.unhealthy.http_failures=0",
            "never probed again"
        ),
        (good + "&healthchecks.active.healthy.successes=0", "cannot bring it back"),
        (good + "&healthchecks.active.unhealthy.tcp_failures=0", "refuses connections"),
        (good + "&healthchecks.active.unhealthy.timeouts=0", "does not answer"),
        (good + "&healthchecks.active.type=tcp", "never sent for HTTP traffic"),
        (good + "&healthchecks.active.type=grpc", "refuses probes of type grpc"),
        (good + "&healthchecks.threshold=100", "never exceeded"),
        (good + "&healthchecks.passive.unhealthy.timeouts=255", "refuses a limit of 255"),
    ]) func `traps are named`(form: String, words: String) throws {
        // The last of two values for a key counts here.
        var values: [(String, String)] = []
        for part in form.split(separator: "&") {
            let halves = part.split(separator: "=").map(String.init)
            values.removeAll { $0.0 == halves[0] }
            values.append((halves[0], halves[1]))
        }
        let found = try warnings(values.map { "\($0.0)=\($0.1)" }.joined(separator: "&"))
        #expect(
            found.contains { $0.contains(words) && $0.hasPrefix("upstream 'u': ") && $0.contains("; ") }, "\(found)")
    }

    @Test func `upstreams without weight and services without retries are named`() throws {
        #expect(try warnings("", target: "").first?.contains("has no targets") == true)
        #expect(try warnings("", target: "target=a&weight=0").first?.contains("weight 0") == true)
        let form = Self.good + "&healthchecks.passive.unhealthy.tcp_failures=2"
        #expect(try warnings(form, service: "host=u&retries=0").first?.contains("counts as status 502") == true)
    }
}
