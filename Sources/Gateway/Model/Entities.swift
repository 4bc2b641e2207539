// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document
package import NIOCore

/// What the data plane, the balancers and the health checks know of a configuration: typed, valid, in a fixed order.
///
/// It is made by `EntityStore` and never changed; a new one replaces it as a whole.
package struct Configuration: Hashable, Sendable {
    package var services: [Service]
    package var routes: [Route]
    /// Also the implicit upstreams of services that carry `healthchecks` themselves (`Upstream.serviceID`).
    package var upstreams: [Upstream]
    package var targets: [Target]
    /// For TLS: what is served to clients, presented to upstreams, and who may sign for upstreams.
    package var tls = TLSMaterial()
    /// 32 hexadecimal digits, the same for the same entities; all zeros when there are none.
    package var hash: String

    package init(services: [Service], routes: [Route], upstreams: [Upstream], targets: [Target], hash: String) {
        self.services = services
        self.routes = routes
        self.upstreams = upstreams
        self.targets = targets
        self.hash = hash
    }

    package static let empty = Configuration(
        services: [], routes: [], upstreams: [], targets: [], hash: String(repeating: "0", count: 32))
}

/// Kong's names of what a service speaks (kong/db/schema/entities/services.lua).
package enum ServiceProtocol: String, Hashable, Sendable, CaseIterable {
    case grpc, grpcs, http, https, tcp, tls
    case tlsPassthrough = "tls_passthrough"
    case udp

    /// True when connections to the service are TLS.
    package var isEncrypted: Bool { self == .https || self == .grpcs || self == .tls }
    /// True when connections to the service are HTTP/2.
    package var speaksHTTP2: Bool { self == .grpc || self == .grpcs }
}

/// An upstream API: where requests of its routes go and with which patience.
package struct Service: Hashable, Sendable {
    package var id: String
    package var name: String?
    package var proto: ServiceProtocol
    /// A host name, an IP address or the name of an upstream, without a port.
    package var host: String
    package var port: Int
    package var path: String?
    /// Tries after the first one.
    package var retries: Int
    package var connectTimeout: TimeAmount
    package var writeTimeout: TimeAmount
    package var readTimeout: TimeAmount
    /// The routes of a disabled service do not exist for the router.
    package var enabled: Bool
    package var tlsVerify: Bool?
    package var tlsVerifyDepth: Int?
    /// Ids of `TLSMaterial`.
    package var clientCertificateID: String?
    package var caCertificateIDs: [String]?
    /// Seconds since 1970.
    package var createdAt: Int
    /// Only with health checks on the service itself, which Kong does not have; already translated to an upstream's.
    package var healthchecks: HealthChecks?
    /// The upstream that balances this service: its own implicit one, else the one named `host`; nil means DNS.
    package var upstreamID: String?

    /// - Parameter row: a validated, default-filled row as the Admin API shows it.
    package init(json row: JSONValue) {
        id = row.text("id")
        name = row["name"]?.stringValue
        proto = ServiceProtocol(rawValue: row.text("protocol")) ?? .http
        host = row.text("host")
        port = row.whole("port")
        path = row["path"]?.stringValue
        retries = row.whole("retries")
        connectTimeout = .milliseconds(Int64(row.whole("connect_timeout")))
        writeTimeout = .milliseconds(Int64(row.whole("write_timeout")))
        readTimeout = .milliseconds(Int64(row.whole("read_timeout")))
        enabled = row.flag("enabled")
        tlsVerify = row["tls_verify"]?.boolValue
        tlsVerifyDepth = row["tls_verify_depth"]?.intValue
        clientCertificateID = row["client_certificate"]?["id"]?.stringValue
        caCertificateIDs = row["ca_certificates"]?.arrayValue?.compactMap { $0.stringValue?.lowercased() }
        createdAt = row.whole("created_at")
        healthchecks = nil
        upstreamID = nil
    }
}

/// How requests are recognised and handed to a service. An attribute that is not set is an empty list here.
package struct Route: Hashable, Sendable {
    package struct Header: Hashable, Sendable {
        package var name: String
        package var values: [String]
    }

    /// Kong's two ways of joining a service path and a request path; v1 is honoured by the router flavour traditional.
    package enum PathHandling: String, Hashable, Sendable { case v0, v1 }

    package var id: String
    package var name: String?
    package var protocols: [String]
    package var methods: [String]
    package var hosts: [String]
    /// A prefix `/x`, or a regular expression with `~` in front.
    package var paths: [String]
    package var headers: [Header]
    package var snis: [String]
    package var httpsRedirectStatusCode: Int
    package var regexPriority: Int
    package var stripPath: Bool
    package var pathHandling: PathHandling
    package var preserveHost: Bool
    package var requestBuffering: Bool
    package var responseBuffering: Bool
    package var serviceID: String?
    /// Seconds since 1970.
    package var createdAt: Int

    /// - Parameter row: a validated, default-filled row as the Admin API shows it.
    package init(json row: JSONValue) {
        id = row.text("id")
        name = row["name"]?.stringValue
        protocols = row.texts("protocols")
        methods = row.texts("methods")
        hosts = row.texts("hosts")
        paths = row.texts("paths")
        headers = (row["headers"]?.objectValue ?? [:]).map { name, values in
            Header(name: name, values: (values.arrayValue ?? []).compactMap(\.stringValue))
        }
        snis = row.texts("snis")
        httpsRedirectStatusCode = row.whole("https_redirect_status_code")
        regexPriority = row.whole("regex_priority")
        stripPath = row.flag("strip_path")
        pathHandling = PathHandling(rawValue: row.text("path_handling")) ?? .v0
        preserveHost = row.flag("preserve_host")
        requestBuffering = row.flag("request_buffering")
        responseBuffering = row.flag("response_buffering")
        serviceID = row["service"]?["id"]?.stringValue
        createdAt = row.whole("created_at")
    }
}

/// A virtual host name that is balanced over targets.
package struct Upstream: Hashable, Sendable {
    package enum Algorithm: String, Hashable, Sendable {
        case roundRobin = "round-robin"
        case consistentHashing = "consistent-hashing"
        case leastConnections = "least-connections"
        case latency
    }

    /// What of a request is hashed, with what it needs to be found.
    package enum HashInput: Hashable, Sendable {
        case none, consumer, ip, path
        case header(String)
        case cookie(name: String, path: String)
        case queryArgument(String)
        case uriCapture(String)
    }

    package var id: String
    package var name: String
    package var algorithm: Algorithm
    package var hashOn: HashInput
    package var hashFallback: HashInput
    /// Points of the consistent-hashing ring.
    package var slots: Int
    package var hostHeader: String?
    package var healthchecks: HealthChecks
    package var useSRVName: Bool
    /// An id of `TLSMaterial`; presented by probes too.
    package var clientCertificateID: String?
    /// Seconds since 1970.
    package var createdAt: Int
    /// The service this upstream stands for, when it was made from health checks on a service; the Admin API does not
    /// list such an upstream.
    package var serviceID: String?

    /// - Parameter row: a validated, default-filled row as the Admin API shows it.
    package init(json row: JSONValue) {
        id = row.text("id")
        name = row.text("name")
        algorithm = Algorithm(rawValue: row.text("algorithm")) ?? .roundRobin
        hashOn = HashInput(row, mode: "hash_on")
        hashFallback = HashInput(row, mode: "hash_fallback")
        slots = row.whole("slots")
        hostHeader = row["host_header"]?.stringValue
        healthchecks = HealthChecks(json: row["healthchecks"] ?? .null)
        useSRVName = row.flag("use_srv_name")
        clientCertificateID = row["client_certificate"]?["id"]?.stringValue
        createdAt = row.whole("created_at")
        serviceID = nil
    }
}

extension Upstream.HashInput {
    fileprivate init(_ row: JSONValue, mode: String) {
        func text(_ key: String) -> String { row[key]?.stringValue ?? "" }
        switch row.text(mode) {
        case "consumer": self = .consumer
        case "ip": self = .ip
        case "path": self = .path
        case "header": self = .header(text("\(mode)_header"))
        case "cookie": self = .cookie(name: text("hash_on_cookie"), path: text("hash_on_cookie_path"))
        case "query_arg": self = .queryArgument(text("\(mode)_query_arg"))
        case "uri_capture": self = .uriCapture(text("\(mode)_uri_capture"))
        default: self = .none
        }
    }
}

/// One host and port behind an upstream.
package struct Target: Hashable, Sendable {
    package var id: String
    package var upstreamID: String
    /// A host name or an IP address, an IPv6 address without brackets.
    package var host: String
    package var port: Int
    /// As stored and shown: `host:port`, IPv6 expanded and in brackets.
    package var target: String
    /// 0…65535; 0 gets no traffic.
    package var weight: Int
    /// Seconds since 1970, to the millisecond.
    package var createdAt: Double

    /// - Parameter row: a validated, default-filled row as the Admin API shows it.
    package init(json row: JSONValue) {
        id = row.text("id")
        upstreamID = row["upstream"]?["id"]?.stringValue ?? ""
        target = row.text("target")
        (host, port) = Self.split(target)
        weight = row.whole("weight")
        createdAt = row["created_at"]?.doubleValue ?? 0
    }

    /// Splits `host:port` or `[address]:port` at its last colon.
    package static func split(_ target: String) -> (host: String, port: Int) {
        guard let colon = target.lastIndex(of: ":"), let port = Int(target[target.index(after: colon)...]) else {
            return (target, 8000)
        }
        let host = target[..<colon]
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        return (String(isBracketed ? host.dropFirst().dropLast() : host), port)
    }
}

// MARK: Reading validated rows

extension JSONValue {
    /// A member that a validated row always has.
    fileprivate func text(_ key: String) -> String {
        guard let text = self[key]?.stringValue else {
            preconditionFailure("a row without the string '\(key)': \(self)")
        }
        return text
    }

    fileprivate func whole(_ key: String) -> Int {
        guard let value = self[key]?.intValue else {
            preconditionFailure("a row without the integer '\(key)': \(self)")
        }
        return value
    }

    fileprivate func flag(_ key: String) -> Bool {
        guard let flag = self[key]?.boolValue else {
            preconditionFailure("a row without the boolean '\(key)': \(self)")
        }
        return flag
    }

    /// A list of strings; null is empty.
    fileprivate func texts(_ key: String) -> [String] { (self[key]?.arrayValue ?? []).compactMap(\.stringValue) }
}
