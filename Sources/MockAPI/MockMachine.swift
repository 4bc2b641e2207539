// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
package import World

/// What the mock must know of a request to decide about it.
package struct MockRequest: Hashable, Sendable {
    package enum Method: Hashable, Sendable { case get, head, options, other }

    package enum Path: Hashable, Sendable {
        case root, hello, health, settings, metrics, other
        /// The place of an entry of ROUTES.
        case route(Int)

        /// - Parameter path: as sent, without the query. Percent-encoded letters count as the letters, as in Flask.
        package init(_ path: UnsafeRawBufferPointer) {
            self = Self.named(path)
            guard self == .other, path.contains(UInt8(ascii: "%")) else { return }
            self = Self.decoded(path).withUnsafeBytes { Self.named($0) }
        }

        package init(_ path: String) { self = Array(path.utf8).withUnsafeBytes { Self($0) } }

        /// What a path is under some settings: those of ROUTES first, then the mock's own.
        ///
        /// - Parameter method: as sent.
        package init(_ path: UnsafeRawBufferPointer, method: @autoclosure () -> String, _ settings: MockSettings) {
            self.init(path)
            if self == .settings || self == .metrics || !settings.hasOwnPaths { return }
            if settings.healthPath != MockSettings.usualHealthPath {
                if path.elementsEqual(settings.healthPath.utf8) {
                    self = .health
                } else if self == .health {
                    self = .other
                }
            }
            guard self != .health, !settings.routes.isEmpty else { return }
            let method = method()
            if let place = settings.routes.firstIndex(where: { $0.matches(method, path) }) { self = .route(place) }
        }

        private static func named(_ path: UnsafeRawBufferPointer) -> Path {
            func equals(_ name: StaticString) -> Bool {
                path.elementsEqual(UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
            }
            // An absolute target may have no path (RFC 9110 section 4.2.3: it means "/").
            switch path.count {
            case 0: return .root
            case 1: return equals("/") ? .root : .other
            case 6: return equals("/hello") ? .hello : .other
            case 7: return equals("/health") ? .health : .other
            case 14: return equals("/_mock/metrics") ? .metrics : .other
            case 15: return equals("/_mock/settings") ? .settings : .other
            default: return .other
            }
        }

        private static func decoded(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
            var decoded: [UInt8] = []
            var place = 0
            while place < bytes.count {
                let digits = bytes[place] == UInt8(ascii: "%") ? bytes[(place + 1)...].prefix(2) : bytes[..<0]
                if digits.count == 2, let byte = UInt8(String(decoding: digits, as: UTF8.self), radix: 16) {
                    decoded.append(byte)
                    place += 3
                } else {
                    decoded.append(bytes[place])
                    place += 1
                }
            }
            return decoded
        }
    }

    package var method: Method
    package var path: Path

    package init(_ method: Method, _ path: Path) {
        self.method = method
        self.path = path
    }
}

/// What becomes of a request.
package struct MockDecision: Hashable, Sendable {
    package enum Ending: Hashable, Sendable {
        case whole
        /// The head and half of the body, then the connection ends.
        case closeMidBody
        /// The connection ends instead of an answer.
        case closeBeforeHead
        /// Nothing, until the other side goes.
        case hang
    }

    package var answer: MockAnswer
    /// How long after the request the ending comes.
    package var delay: TimeAmount
    package var ending: Ending

    package init(_ answer: MockAnswer, delay: TimeAmount = .zero, ending: Ending = .whole) {
        self.answer = answer
        self.delay = delay
        self.ending = ending
    }

    /// The status that the other side will see, or nil when it sees none.
    package var visibleStatus: Int? {
        switch ending {
        case .whole, .closeMidBody: answer.status
        case .closeBeforeHead, .hang: nil
        }
    }
}

/// The mock API without its sockets: settings and chance in, one decision a request out.
///
/// A request is eligible for an injected error where Flask would have called the view: GET and HEAD of a path that
/// exists. The n-th eligible request takes the n-th draw of the errors' stream and the n-th request the n-th delay,
/// whatever the settings are, so its fate depends on the seed, the name and n alone. Requests of /health are counted
/// apart and have streams of their own, so that probes do not shift the draws of requests.
package struct MockMachine: Sendable {
    package var settings: MockSettings
    private var errors: RandomStream
    private var latencies: RandomStream
    private var healthErrors: RandomStream
    private var healthLatencies: RandomStream

    /// - Parameter name: of the mock, unique in a world: it names the streams.
    package init(name: String, settings: MockSettings, random: RandomStreams) {
        self.settings = settings
        errors = random.stream("mock \(name) errors")
        latencies = random.stream("mock \(name) latency")
        healthErrors = random.stream("mock \(name) health errors")
        healthLatencies = random.stream("mock \(name) health latency")
    }

    /// What a path is under the present settings.
    func path(of bytes: UnsafeRawBufferPointer, method: @autoclosure () -> String) -> MockRequest.Path {
        settings.hasOwnPaths ? .init(bytes, method: method(), settings) : .init(bytes)
    }

    /// Not for `/_mock/settings`, which is no part of the API.
    package mutating func decide(_ request: MockRequest) -> MockDecision {
        let isHealth = request.path == .health
        let answer = answer(to: request, isHealth: isHealth)
        var latency = settings.latency
        if case .route(let route) = answer, let own = route.latency { latency = own }
        let delay = isHealth ? settings.latency.sample(&healthLatencies) : latency.sample(&latencies)
        var decision = MockDecision(answer, delay: isHealth && settings.latencySkipsHealth ? .zero : delay)
        if isHealth, settings.health == .hang {
            decision.ending = .hang
        } else if !isHealth || !settings.errorSkipsHealth {
            decision.ending = settings.hangs ? .hang : ending
        }
        return decision
    }

    private var ending: MockDecision.Ending {
        switch settings.close {
        case .none: .whole
        case .beforeHead: .closeBeforeHead
        case .midBody: .closeMidBody
        }
    }

    private mutating func answer(to request: MockRequest, isHealth: Bool) -> MockAnswer {
        let methods: MockMethods
        switch request.path {
        case .hello, .health: methods = .reading
        case .root: methods = settings.catchesAll ? .every : .reading
        case .route(let place):
            guard settings.routes.indices.contains(place) else { return .notFound }
            if request.method == .options, settings.routes[place].method != "OPTIONS" { return .options(.every) }
            if drawsError(isHealth: false) { return .error(status: settings.errorStatus) }
            return .route(settings.routes[place])
        case .other, .settings, .metrics:
            guard settings.catchesAll else { return .notFound }
            methods = .every
        }
        switch request.method {
        case .options: return .options(methods)
        case .other where methods == .reading: return .methodNotAllowed(methods)
        case .get, .head, .other: break
        }
        if drawsError(isHealth: isHealth) { return .error(status: settings.errorStatus) }
        if !isHealth { return .hello }
        return settings.health == .unhealthy ? .unhealthy : .healthy
    }

    private mutating func drawsError(isHealth: Bool) -> Bool {
        let drawn = isHealth ? healthErrors.unit() : errors.unit()
        if isHealth, settings.errorSkipsHealth { return false }
        guard var next = settings.errorNext else { return drawn < settings.errorRate }
        let fails = next.failures > 0
        if next.requests == 1 {
            settings.errorNext = nil
        } else {
            next = .init(failures: max(0, next.failures - 1), of: next.requests - 1)
            settings.errorNext = next
        }
        return fails
    }
}
