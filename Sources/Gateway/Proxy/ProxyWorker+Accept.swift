// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Certificates
import NIOCore
import Wire

/// Client connections that are not plain HTTP/1.1 from their first byte: what is spoken on them is not known yet, or it
/// is HTTP/2.
struct OtherConnections {
    private var undecided: [ObjectIdentifier: any Channel] = [:]
    private var http2: [ObjectIdentifier: HTTP2ServerConnection] = [:]

    var isEmpty: Bool { undecided.isEmpty && http2.isEmpty }
    var count: Int { undecided.count + http2.count }

    mutating func began(_ channel: any Channel) { undecided[ObjectIdentifier(channel)] = channel }
    mutating func decided(_ channel: any Channel) { undecided[ObjectIdentifier(channel)] = nil }

    mutating func add(_ connection: HTTP2ServerConnection) { http2[ObjectIdentifier(connection)] = connection }
    mutating func remove(_ connection: HTTP2ServerConnection) { http2[ObjectIdentifier(connection)] = nil }

    /// What has not begun to speak is closed; HTTP/2 ends with the streams that are open.
    func drain() {
        for channel in undecided.values { channel.close(promise: nil) }
        for connection in http2.values { connection.drain() }
    }

    func closeAll() {
        for channel in undecided.values { channel.close(promise: nil) }
        for connection in http2.values { connection.close() }
    }
}

extension ProxyWorker {
    /// Adds the handlers of an accepted connection. Plain HTTP/1.1 gets none that it does not need.
    func accept(_ channel: any Channel, on listener: ListenerSettings) -> EventLoopFuture<Void> {
        if isFull { return refuse(channel) }
        let known = ClientFacts(
            address: channel.remoteAddress?.ipAddress ?? "127.0.0.1", scheme: "http",
            port: channel.localAddress?.port ?? listener.address.port ?? 0)
        known.isTrusted = channel.remoteAddress.map(settings.trust.trusts) ?? false
        return channel.eventLoop.makeCompletedFuture {
            guard listener.expectsProxyProtocol else { return try serve(channel, known, listener) }
            guard listener.isEncrypted || listener.speaksHTTP2 else { return try acceptTold(channel, known) }
            // What follows is served when the client's address is known; until then nothing else is read.
            begin(channel)
            let handler = ProxyProtocolHandler(timeout: settings.timeouts.head) { [unowned self] source in
                others.decided(channel)
                if let address = source?.ipAddress, believesProxyProtocol(known) { known.address = address }
                do { try serve(channel, known, listener) } catch { channel.close(promise: nil) }
            }
            try channel.pipeline.syncOperations.addHandler(handler)
        }
    }

    /// HTTP/1.1 behind the PROXY protocol.
    private func acceptTold(_ channel: any Channel, _ facts: ClientFacts) throws {
        let proxy = try serveHTTP1(channel, facts)
        let handler = ProxyProtocolHandler(timeout: settings.timeouts.head, proxy.learned)
        try channel.pipeline.syncOperations.addHandler(handler, position: .first)
    }

    private func serve(_ channel: any Channel, _ facts: ClientFacts, _ listener: ListenerSettings) throws {
        if listener.isEncrypted {
            begin(channel)
            try acceptTLS(channel, facts, listener)
        } else if listener.speaksHTTP2 {
            begin(channel)
            let detector = PrefaceDetector(timeout: settings.timeouts.idle) { [unowned self] channel, isHTTP2 in
                others.decided(channel)
                if isHTTP2 { try serveHTTP2(channel, facts) } else { try serveHTTP1(channel, facts) }
            }
            try channel.pipeline.syncOperations.addHandler(detector)
        } else {
            try serveHTTP1(channel, facts, isAlone: !listener.expectsProxyProtocol)
        }
    }

    /// What is spoken will show; until then the connection can only be closed.
    private func begin(_ channel: any Channel) {
        others.began(channel)
        let bound = NIOLoopBound(self, eventLoop: channel.eventLoop)
        channel.closeFuture.whenComplete { _ in
            bound.value.others.decided(channel)
            bound.value.checkDrained()
        }
    }

    private func acceptTLS(_ channel: any Channel, _ plain: ClientFacts, _ listener: ListenerSettings) throws {
        try TLSAcceptor.install(on: channel, timeout: settings.timeouts.head) { [unowned self] hello in
            guard let certificates = snapshot.certificates else {
                throw CertificateProblem("no configuration yet")
            }
            return try certificates.certificate(for: hello.serverName).context(
                for: hello, offersHTTP2: listener.speaksHTTP2, settings.tls)
        } agreed: { [unowned self] channel, agreement in
            others.decided(channel)
            let facts = plain.copy()
            facts.scheme = "https"
            facts.isEncrypted = true
            facts.serverName = agreement.serverName
            if agreement.applicationProtocol == "h2" {
                try serveHTTP2(channel, facts)
            } else {
                try serveHTTP1(channel, facts)
            }
        }
    }

    private func serveHTTP2(_ channel: any Channel, _ connectionFacts: ClientFacts) throws {
        let client = connectionFacts.copy()
        client.isHTTP2 = true
        let connection = try HTTP2ServerConnection.install(
            on: channel, limits: settings.http2, headBytes: settings.limits.headBytes, timeouts: settings.timeouts
        ) { [unowned self] stream in
            let server = ServerConnection(
                delegate: ProxyConnection(worker: self, client: client.copy()), limits: settings.limits,
                timeouts: settings.timeouts, servesHalfClosed: false, memory: memory, isStream: true)
            try stream.pipeline.syncOperations.addHandler(server)
        } closed: { [unowned self] connection in
            others.remove(connection)
            counters.open.add(-1)
            checkDrained()
        }
        counters.accepted.add(1)
        counters.open.add(1)
        others.add(connection)
        if isDraining { connection.drain() }
    }
}
