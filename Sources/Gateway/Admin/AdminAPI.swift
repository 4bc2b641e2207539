// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document
package import NIOCore
package import World

/// The Admin API: answers requests about entities and health, and makes the gateway follow what is written.
///
/// Confined to the control loop. It does no I/O: a connection hands it a gathered request and writes the answer, which
/// comes at once but for large configurations: these are read and compiled in the background. A refused write changes
/// nothing; an accepted one is in force when its answer comes.
package final class AdminAPI {
    package struct Settings: Sendable {
        /// Refuses what Kong refuses: health checks on a service, `/services/{s}/health`.
        package var isStrict = false
        /// The configuration came from a file: entities cannot be written, `/config` can.
        package var isDatabaseless = false
        package var hostname = "localhost"
        /// What `GET /` shows under `configuration`.
        package var shown: JSONValue = [:]
        package var processID = 0

        package init() {}
    }

    /// Where a request came in.
    package enum Listener: Sendable {
        case admin
        /// Knows only `/metrics`, `/status` and `/status/ready`.
        case status
    }

    package static let version = "3.10.0"

    let settings: Settings
    let nodeID: String
    package private(set) var store: EntityStore
    /// What the store came from, when it is a document and nothing has been written since.
    private var reading: DeclarativeReading?
    /// In the background.
    private var readsUnderWay = 0
    unowned let control: any GatewayControl
    private let wallClock: any WallClock
    private let now: () -> NIODeadline
    private var ids: RandomStream

    /// - Parameters:
    ///   - store: what is in force already; it is not applied again.
    ///   - control: must outlive this object.
    ///   - now: the control loop's time, for the latency header.
    package init(
        settings: Settings, store: EntityStore, control: any GatewayControl, wallClock: any WallClock,
        random: RandomStreams, now: @escaping () -> NIODeadline
    ) {
        self.settings = settings
        self.store = store
        self.control = control
        self.wallClock = wallClock
        self.now = now
        ids = random.stream("admin ids")
        var nodes = random.stream("node id")
        nodeID = nodes.uuid()
    }

    /// For the next document.
    package var loader: ConfigurationLoader {
        ConfigurationLoader(
            acceptsServiceHealthChecks: !settings.isStrict, now: nanosecondsSinceEpoch, after: reading)
    }

    /// Reads a document in the background, after those before it; a small one at once, when there is none: it costs the
    /// loop less than another thread's turn costs the client on a busy machine.
    ///
    /// - Parameter size: of the document, bytes.
    package func read<Value: Sendable>(
        size: Int, _ work: @escaping @Sendable () -> Value, then handOver: @escaping (Value) -> Void
    ) {
        guard size > Self.smallDocument || readsUnderWay > 0 else { return handOver(work()) }
        readsUnderWay += 1
        control.inBackground(work) { [self] value in
            readsUnderWay -= 1
            handOver(value)
        }
    }

    /// Some fifty routes: one or two milliseconds.
    private static let smallDocument = 16 << 10

    /// Replaces everything by what a document says, and applies it.
    package func replace(with loaded: LoadedConfiguration) {
        let (oldStore, oldReading) = (store, reading)
        store = loaded.reading.store
        reading = loaded.reading
        control.apply(loaded.prepared)
        control.free((oldStore, oldReading), size: oldStore.count)
    }

    /// Answers a request.
    ///
    /// - Parameter reply: called once, on the control loop; before this returns unless the request brings a whole
    ///   configuration.
    package func respond(
        to request: AdminRequest, on listener: Listener = .admin, reply: @escaping (AdminResponse) -> Void
    ) {
        let start = now()
        let finish = { [self] (response: AdminResponse) in
            var response = response
            let milliseconds = (now() - start).nanoseconds / 1_000_000
            response.headers += commonHeaders(request, response, latency: milliseconds)
            reply(response)
        }
        do throws(AdminRefusal) {
            if try !answerLater(request, listener, finish) { finish(try answer(request, listener)) }
        } catch {
            finish(error.response)
        }
    }

    /// - Returns: false when the request does not bring a whole configuration.
    private func answerLater(
        _ request: AdminRequest, _ listener: Listener, _ finish: @escaping (AdminResponse) -> Void
    ) throws(AdminRefusal) -> Bool {
        guard request.method == "POST", listener == .admin, AdminResource(path: request.path) == .configuration else {
            return false
        }
        try loadConfiguration(request, try URLText.arguments(request.query ?? ""), finish)
        return true
    }

    private func commonHeaders(
        _ request: AdminRequest, _ response: AdminResponse, latency: Int64
    ) -> [(name: String, value: String)] {
        var headers: [(name: String, value: String)] = []
        switch response.body {
        case .json, .written: headers.append(("Content-Type", "application/json; charset=utf-8"))
        case .text: headers.append(("Content-Type", PrometheusText.contentType))
        case .events: headers.append(("Content-Type", "application/x-ndjson; charset=utf-8"))
        case .empty: break
        }
        headers += [
            ("Server", "kong/\(Self.version)"), ("X-Kong-Admin-Latency", String(latency)),
            ("Access-Control-Allow-Origin", request.values(of: "origin").first ?? "*"),
            ("Access-Control-Allow-Credentials", "true"),
        ]
        return headers
    }

    private func answer(_ request: AdminRequest, _ listener: Listener) throws(AdminRefusal) -> AdminResponse {
        guard let resource = AdminResource(path: request.path), resource.isKnown(on: listener),
            !(settings.isStrict && resource.isExtension)
        else { throw .notFound }
        if request.method == "OPTIONS" { return options(resource, request) }
        guard resource.methods.contains(request.method) else { throw AdminRefusal(405, "Method not allowed") }
        let query = try URLText.arguments(request.query ?? "")
        if ["GET", "HEAD"].contains(request.method) { return try read(resource, query) }
        if let kind = resource.writtenKind, settings.isDatabaseless {
            throw AdminRefusal(unsupported: Self.verb(request.method), kind)
        }
        return try write(resource, request)
    }

    private func options(_ resource: AdminResource, _ request: AdminRequest) -> AdminResponse {
        var response = AdminResponse(204)
        let methods = resource.methods.joined(separator: ", ")
        response.headers = [
            ("Allow", methods), ("Access-Control-Allow-Methods", methods),
            (
                "Access-Control-Allow-Headers",
                request.values(of: "access-control-request-headers").first ?? "Content-Type"
            ),
        ]
        return response
    }

    /// What a gateway without a database cannot do, in Kong's words.
    private static func verb(_ method: String) -> String {
        switch method {
        case "POST": "create"
        case "PUT": "create or update"
        case "PATCH": "update"
        default: "remove"
        }
    }
}

extension AdminResource {
    /// Not in Kong.
    fileprivate var isExtension: Bool {
        if case .serviceHealth = self { true } else { false }
    }

    fileprivate func isKnown(on listener: AdminAPI.Listener) -> Bool {
        switch self {
        case .metrics, .status: true
        case .ready: listener == .status
        default: listener == .admin
        }
    }
}

// MARK: What the answers are made of

extension AdminAPI {
    func health(ofUpstream id: String) -> UpstreamHealth? { control.health(ofUpstream: id) }

    func setHealth(_ healthy: Bool, upstream: String, target: String, address: String?) -> ManualHealthResult {
        control.setHealth(healthy, upstream: upstream, target: target, address: address)
    }

    var serverStatus: ServerStatus { control.status() }

    var metrics: AdminResponse {
        var response = AdminResponse(200)
        response.body = .text(control.metrics().prometheus(nodeID: nodeID))
        return response
    }

    /// Whether requests can be proxied (kong/status/ready.lua).
    var readiness: AdminResponse {
        guard settings.isDatabaseless, store.hash == Configuration.empty.hash else { return .message(200, "ready") }
        return .message(503, "no configuration available (empty configuration present)")
    }

    var nanosecondsSinceEpoch: Int64 { wallClock.nanosecondsSinceEpoch }

    /// Changes a copy of the store and, when nothing was refused, keeps and applies it.
    func change<Result>(
        _ body: (inout EntityStore, inout RowStamp) throws(StoreError) -> Result
    ) throws(AdminRefusal) -> Result {
        var changed = store
        var stamp = RowStamp(now: nanosecondsSinceEpoch, ids: ids)
        do throws(StoreError) {
            let result = try body(&changed, &stamp)
            ids = stamp.ids
            store = changed
            reading = nil
            control.apply(PreparedConfiguration(changed.configuration()))
            return result
        } catch {
            throw AdminRefusal(error)
        }
    }
}
