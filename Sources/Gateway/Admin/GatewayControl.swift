// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// What the Admin API needs of the running gateway. Called on the control loop only; every call returns at once.
package protocol GatewayControl: AnyObject {
    /// Makes the data plane, the balancers and the health checks follow a new configuration before it returns.
    func apply(_ configuration: PreparedConfiguration)

    /// Does work that the control loop has no time for, after all such work before it, and hands over its result there.
    ///
    /// - Parameter work: touches nothing of the running gateway.
    func inBackground<Value: Sendable>(
        _ work: @escaping @Sendable () -> Value, then handOver: @escaping (Value) -> Void)

    /// - Returns: nil when the upstream has no balancer (unknown here, or its checks could not be made).
    func health(ofUpstream id: String) -> UpstreamHealth?

    /// Forces the state of every address of a target, or of one, and zeroes its counters.
    ///
    /// - Parameters:
    ///   - upstream: the upstream's id.
    ///   - target: the target's id.
    ///   - address: `ip:port` (IPv6 in brackets), or nil for all addresses of the target.
    func setHealth(_ healthy: Bool, upstream: String, target: String, address: String?) -> ManualHealthResult

    func status() -> ServerStatus

    /// All counts of all workers.
    func metrics() -> GatewayMetrics
}

extension GatewayControl {
    /// Lets go of a value there when it is large: to free thousands of rows or routes takes its time.
    ///
    /// - Parameter size: how many entities it is made of.
    func free<Value: Sendable>(_ value: Value, size: Int) {
        guard size > 200 else { return }
        inBackground {
            _ = value
        } then: { _ in
        }
    }
}

/// What became of a manual change of health.
package enum ManualHealthResult: Hashable, Sendable {
    case done
    /// The upstream is not balanced by this gateway.
    case noBalancer
    /// No health check of the upstream is switched on, so there is no state to set.
    case noChecker
    case unknownAddress
}

/// Connections and requests of the proxy since its start, as `GET /status` shows them (nginx's stub_status).
package struct ServerStatus: Hashable, Sendable {
    package var connectionsAccepted: Int
    package var connectionsHandled: Int
    /// `reading + writing + waiting`.
    package var connectionsActive: Int
    package var connectionsReading: Int
    package var connectionsWriting: Int
    package var connectionsWaiting: Int
    package var totalRequests: Int

    package init(
        connectionsAccepted: Int = 0, connectionsHandled: Int = 0, connectionsActive: Int = 0,
        connectionsReading: Int = 0, connectionsWriting: Int = 0, connectionsWaiting: Int = 0, totalRequests: Int = 0
    ) {
        self.connectionsAccepted = connectionsAccepted
        self.connectionsHandled = connectionsHandled
        self.connectionsActive = connectionsActive
        self.connectionsReading = connectionsReading
        self.connectionsWriting = connectionsWriting
        self.connectionsWaiting = connectionsWaiting
        self.totalRequests = totalRequests
    }
}
