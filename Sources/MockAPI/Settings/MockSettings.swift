// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

/// The switches of a mock API: what it does to the requests it is sent. All can be changed while it runs.
///
/// Keys and defaults, as in the environment, in scenario files and in `/_mock/settings`:
///
///     ERROR_RATE           0       probability of an error; 1.5 is always, -1 is never; also 90%
///     ERROR_STATUS         500     what such an error answers, 400 to 599
///     ERROR_NEXT           off     "3 of 10": the first 3 of the next 10 requests fail, the other 7 do not, then
///                                  ERROR_RATE rules again; "3" is "3 of 3"
///     ERROR_SKIP_HEALTH    true    /health is spared by ERROR_RATE, ERROR_NEXT, HANG and CLOSE (Flask's mock does so)
///     LATENCY              0ms     how long every answer is held back; see `LatencyDistribution`
///     LATENCY_SKIP_HEALTH  false   /health is spared by LATENCY
///     HEALTH               healthy what /health says: healthy (200), unhealthy (503), hang (no answer)
///     HANG                 off     on: requests are read and never answered
///     CLOSE                none    before head: closes instead of answering; mid body: closes halfway through the body
///     BODY_BYTES           none    pads the answer of /hello with blanks to this size, at most 64MiB
///     CATCH_ALL            off     on: every path that is none of the mock's answers as /hello, to every method
///     HEALTH_PATH          /health where the health answer is; everything said of /health is of this path
///     ROUTES               none    paths with answers of their own; see `MockRoute`
package struct MockSettings: Hashable, Sendable {
    package var errorRate = 0.0
    package var errorStatus = 500
    /// What is left of the exact mode; counted down by `MockMachine`.
    package var errorNext: NextErrors?
    package var errorSkipsHealth = true
    package var latency = LatencyDistribution.constant(.zero)
    package var latencySkipsHealth = false
    package var health = HealthMode.healthy
    package var hangs = false
    package var close = CloseMode.none
    package var bodyBytes: Int?
    package var catchesAll = false
    package var healthPath = "/health"
    package var routes: [MockRoute] = []

    package init() {}

    package static let usualHealthPath = "/health"
    /// Some path means something else than it usually does.
    package var hasOwnPaths: Bool { !routes.isEmpty || healthPath != Self.usualHealthPath }

    /// The first `failures` of the next `requests` fail. Never `requests` == 0.
    package struct NextErrors: Hashable, Sendable {
        package var failures: Int
        package var requests: Int

        package init(failures: Int, of requests: Int) {
            precondition(requests > 0 && (0...requests).contains(failures), "\(failures) of \(requests) cannot fail")
            self.failures = failures
            self.requests = requests
        }
    }

    package enum HealthMode: String, Hashable, Sendable, CaseIterable { case healthy, unhealthy, hang }

    package enum CloseMode: String, Hashable, Sendable, CaseIterable {
        case none
        case beforeHead = "before head"
        case midBody = "mid body"
    }
}

extension MockSettings {
    /// The settings as `GET /_mock/settings` shows them and `PUT` takes them.
    package var json: JSONValue {
        .object(.init(uniqueKeysWithValues: MockSettingKey.allCases.map { ($0.rawValue, self[$0]) }))
    }

    private subscript(key: MockSettingKey) -> JSONValue {
        switch key {
        case .errorRate: .number(errorRate)
        case .errorStatus: .integer(errorStatus)
        case .errorNext: errorNext.map { .string("\($0.failures) of \($0.requests)") } ?? .null
        case .errorSkipHealth: .bool(errorSkipsHealth)
        case .latency: latency.json
        case .latencySkipHealth: .bool(latencySkipsHealth)
        case .health: .string(health.rawValue)
        case .hang: .bool(hangs)
        case .close: .string(close.rawValue)
        case .bodyBytes: bodyBytes.map { .integer($0) } ?? .null
        case .catchAll: .bool(catchesAll)
        case .healthPath: .string(healthPath)
        case .routes: .array(routes.map(\.json))
        }
    }
}

/// The names of the switches, in the order in which they are shown.
package enum MockSettingKey: String, CaseIterable, Sendable {
    case errorRate = "ERROR_RATE"
    case errorStatus = "ERROR_STATUS"
    case errorNext = "ERROR_NEXT"
    case errorSkipHealth = "ERROR_SKIP_HEALTH"
    case latency = "LATENCY"
    case latencySkipHealth = "LATENCY_SKIP_HEALTH"
    case health = "HEALTH"
    case hang = "HANG"
    case close = "CLOSE"
    case bodyBytes = "BODY_BYTES"
    case catchAll = "CATCH_ALL"
    case healthPath = "HEALTH_PATH"
    case routes = "ROUTES"

    /// The command line's name for it: `--error-rate`.
    package var flag: String { "--" + rawValue.lowercased().split(separator: "_").joined(separator: "-") }
}
