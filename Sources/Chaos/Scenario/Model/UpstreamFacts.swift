// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

/// What a Kong document says about one upstream, with Kong's defaults filled in, as far as scenarios reason about it.
/// It is not the gateway's own model: a mistake there must not hide in the bounds computed from it.
package struct UpstreamFacts: Hashable, Sendable {
    package struct Target: Hashable, Sendable {
        /// As the gateway stores it: `api:8080`.
        package var target: String
        package var host: String
        package var port: Int
        package var weight: Int

        package init(target: String, host: String, port: Int, weight: Int) {
            self.target = target
            self.host = host
            self.port = port
            self.weight = weight
        }
    }

    package var name: String
    package var targets: [Target]
    /// The `healthchecks` record, every field present.
    package var healthChecks: JSONValue

    package init(name: String, targets: [Target], healthChecks: JSONValue) {
        self.name = name
        self.targets = targets
        self.healthChecks = healthChecks
    }
}
