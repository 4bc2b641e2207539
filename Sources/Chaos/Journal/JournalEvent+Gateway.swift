// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// What a gateway says about itself (its event stream), with the field names of `GET /events`.
extension JournalEvent {
    /// Kong's four health states of an address; the first two get traffic.
    package enum AddressState: String, Sendable, CaseIterable {
        case healthy
        case mostlyHealthy = "mostly_healthy"
        case mostlyUnhealthy = "mostly_unhealthy"
        case unhealthy

        package var isRoutable: Bool { self == .healthy || self == .mostlyHealthy }
    }

    /// What is counted, with the counter's name.
    package enum Report: String, Sendable, CaseIterable {
        case success
        case httpFailure = "http_failure"
        case tcpFailure = "tcp_failure"
        case timeout
    }

    package enum Cause: String, Sendable, CaseIterable { case active, passive, manual }

    package struct Counters: Hashable, Sendable {
        package var success: Int
        package var http: Int
        package var tcp: Int
        package var timeout: Int

        package init(success: Int = 0, http: Int = 0, tcp: Int = 0, timeout: Int = 0) {
            self.success = success
            self.http = http
            self.tcp = tcp
            self.timeout = timeout
        }

        package subscript(report: Report) -> Int {
            get {
                switch report {
                case .success: success
                case .httpFailure: http
                case .tcpFailure: tcp
                case .timeout: timeout
                }
            }
            set {
                switch report {
                case .success: success = newValue
                case .httpFailure: http = newValue
                case .tcpFailure: tcp = newValue
                case .timeout: timeout = newValue
                }
            }
        }
    }

    /// The place that an event is about.
    package struct Address: Hashable, Sendable {
        package var gateway: String
        package var upstream: String
        /// As the configuration has it: `api:8080`.
        package var target: String
        /// `ip:port`
        package var address: String

        package init(gateway: String = "gateway", upstream: String, target: String, address: String) {
            self.gateway = gateway
            self.upstream = upstream
            self.target = target
            self.address = address
        }
    }

    /// A change of the state or of a counter of an address.
    package struct Health: Hashable, Sendable {
        package var at: Instant
        package var sequence: Int
        package var place: Address
        package var from: AddressState
        package var to: AddressState
        package var cause: Cause
        package var report: Report?
        package var status: Int?
        package var counters: Counters
        package var limit: Int?
        package var isRoutable: Bool

        package init(
            at: Instant, sequence: Int, place: Address, from: AddressState, to: AddressState, cause: Cause,
            report: Report? = nil, status: Int? = nil, counters: Counters = Counters(), limit: Int? = nil,
            isRoutable: Bool? = nil
        ) {
            self.at = at
            self.sequence = sequence
            self.place = place
            self.from = from
            self.to = to
            self.cause = cause
            self.report = report
            self.status = status
            self.counters = counters
            self.limit = limit
            self.isRoutable = isRoutable ?? to.isRoutable
        }
    }

    /// A health probe at its end, as the gateway saw it.
    package struct Probe: Hashable, Sendable {
        package enum Result: String, Sendable, CaseIterable {
            case success
            case httpFailure = "http_failure"
            case tcpFailure = "tcp_failure"
            case timeout
            /// The status is in neither list: it counts for nothing.
            case ignored

            package var report: Report? { Report(rawValue: rawValue) }
        }

        package var at: Instant
        package var sequence: Int
        package var place: Address
        package var started: Int64
        package var result: Result
        package var status: Int?
        package var detail: String?

        package init(
            at: Instant, sequence: Int, place: Address, started: Int64, result: Result, status: Int? = nil,
            detail: String? = nil
        ) {
            self.at = at
            self.sequence = sequence
            self.place = place
            self.started = Instant.bounded(started)
            self.result = result
            self.status = status
            self.detail = detail
        }
    }

    /// A try of a proxied request whose passive report the address's state machine did not ignore.
    package struct Attempt: Hashable, Sendable {
        package enum Result: String, Sendable, CaseIterable {
            case httpStatus = "http_status"
            case tcpFailure = "tcp_failure"
            case timeout
        }

        package var at: Instant
        package var sequence: Int
        package var place: Address
        package var request: String?
        package var chaosID: String?
        package var result: Result
        package var status: Int?

        package init(
            at: Instant, sequence: Int, place: Address, request: String? = nil, chaosID: String? = nil, result: Result,
            status: Int? = nil
        ) {
            self.at = at
            self.sequence = sequence
            self.place = place
            self.request = request
            self.chaosID = chaosID
            self.result = result
            self.status = status
        }
    }

    /// A gateway applied a configuration.
    package struct Configuration: Hashable, Sendable {
        package var at: Instant
        package var sequence: Int
        package var gateway: String
        package var version: Int
        package var hash: String
        package var source: String

        package init(
            at: Instant, sequence: Int, gateway: String = "gateway", version: Int, hash: String = "",
            source: String = ""
        ) {
            self.at = at
            self.sequence = sequence
            self.gateway = gateway
            self.version = version
            self.hash = hash
            self.source = source
        }
    }
}
