// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore

@testable import Wire

/// One message as both codecs tell it.
struct Message: Equatable, CustomStringConvertible {
    /// Method and target, or the status.
    var start: String
    var version = "1.1"
    var fields: [String] = []
    var body = ""
    var trailers: [String] = []
    var isComplete = false

    var description: String {
        "\(start) \(version) \(fields) body \(body.debugDescription) trailers "
            + "\(trailers)\(isComplete ? "" : " (incomplete)")"
    }
}

/// Writes down all that a server connection tells, and answers as it is told to (200 with "ok" at the end of a
/// request).
final class ServerRecorder: ServerDelegate {
    var log: [String] = []
    var requests: [Message] = []
    var refusals: [(status: Int, error: WireError?)] = []
    var bodyBytes = 0
    /// False: only `bodyBytes` counts what comes.
    var keepsBodies = true
    var onHead: (RequestHead, ServerConnection) -> Void = { _, _ in }
    var onBody: (ByteBuffer, ServerConnection) -> Void = { _, _ in }
    var onEnd: (ServerConnection) -> Void = { $0.respond(HeadWriter(status: 200), body: ByteBuffer(string: "ok")) }
    var onExchangeEnded: (ServerConnection) -> Void = { _ in }

    func received(head: RequestHead, on connection: ServerConnection) {
        log.append("head \(head.methodText) \(head.text(head.target))")
        requests.append(
            Message(
                start: "\(head.methodText) \(head.text(head.target))", version: head.version == .http11 ? "1.1" : "1.0",
                fields: head.allFields.map { "\($0.name): \($0.value)" }))
        onHead(head, connection)
    }

    func received(body: ByteBuffer, on connection: ServerConnection) {
        bodyBytes += body.readableBytes
        if keepsBodies {
            log.append("body \(body.readableBytes)")
            requests[requests.count - 1].body += String(buffer: body)
        }
        onBody(body, connection)
    }

    func receivedEnd(trailers: Trailers?, on connection: ServerConnection) {
        log.append("end")
        requests[requests.count - 1].trailers = (trailers?.list ?? []).map { "\($0.name): \($0.value)" }
        requests[requests.count - 1].isComplete = true
        onEnd(connection)
    }

    func exchangeEnded(on connection: ServerConnection) {
        log.append("exchange ended")
        onExchangeEnded(connection)
    }

    func writabilityChanged(on connection: ServerConnection) { log.append("writable \(connection.isWritable)") }
    func closed(on connection: ServerConnection) { log.append("closed") }

    func refusal(
        status: Int, error: WireError?, on connection: ServerConnection
    ) -> (head: HeadWriter, body: ByteBuffer) {
        refusals.append((status, error))
        return (HeadWriter(status: status), ByteBuffer(string: "no"))
    }
}

/// A server connection under test.
final class ServerHarness: ConnectionHarness {
    let recorder: ServerRecorder
    let connection: ServerConnection

    init(
        limits: WireLimits = WireLimits(), timeouts: ServerTimeouts = ServerTimeouts(), servesHalfClosed: Bool = true,
        _ prepare: (ServerRecorder) -> Void = { _ in }
    ) throws {
        recorder = ServerRecorder()
        prepare(recorder)
        connection = ServerConnection(
            delegate: recorder, limits: limits, timeouts: timeouts, servesHalfClosed: servesHalfClosed)
        try super.init(connection)
    }

    /// The statuses of the responses so far.
    var statuses: [Int] {
        output.split(separator: "HTTP/1.1 ").compactMap { Int($0.prefix(3)) }
    }
}

/// Writes down all that a client connection tells of one exchange.
final class ClientRecorder: ClientDelegate {
    var log: [String] = []
    var interim: [Int] = []
    var response: Message?
    var failure: ClientFailure?
    var wasReusable: Bool?
    var bodyBytes = 0
    var onHead: (ClientConnection) -> Void = { _ in }
    var onBody: (ByteBuffer, ClientConnection) -> Void = { _, _ in }

    func received(interim head: ResponseHead, on connection: ClientConnection) { interim.append(head.status) }

    func received(head: ResponseHead, on connection: ClientConnection) {
        response = Message(
            start: "\(head.status)", version: head.version == .http11 ? "1.1" : "1.0",
            fields: head.allFields.map { "\($0.name): \($0.value)" })
        onHead(connection)
    }

    func received(body: ByteBuffer, on connection: ClientConnection) {
        bodyBytes += body.readableBytes
        response?.body += String(buffer: body)
        onBody(body, connection)
    }

    func receivedEnd(trailers: Trailers?, on connection: ClientConnection) {
        response?.trailers = (trailers?.list ?? []).map { "\($0.name): \($0.value)" }
        response?.isComplete = true
        wasReusable = connection.isReusable
        log.append("end")
    }

    func failed(_ failure: ClientFailure, on connection: ClientConnection) {
        self.failure = failure
        log.append("failed \(failure)")
    }

    func writabilityChanged(on connection: ClientConnection) { log.append("writable \(connection.isWritable)") }
}

/// Counts how often a connection says that it has closed.
final class CloseRecorder: ConnectionKeeper {
    private(set) var count = 0

    func closed(_ connection: ClientConnection) { count += 1 }
}

/// A client connection under test, with the recorder of its latest exchange.
final class ClientHarness: ConnectionHarness {
    let connection: ClientConnection
    private(set) var recorder = ClientRecorder()
    private let closes = CloseRecorder()

    var closeCount: Int { closes.count }

    init(limits: WireLimits = WireLimits()) throws {
        connection = ClientConnection(limits: limits)
        try super.init(connection)
        connection.keeper = closes
    }

    /// Sends a whole request without a body.
    func request(_ method: String = "GET", read: TimeAmount = .seconds(60), write: TimeAmount = .seconds(60)) {
        begin(method, read: read, write: write)
        connection.sendEnd()
    }

    func begin(
        _ method: String, framing: BodyFraming = .none, read: TimeAmount = .seconds(60),
        write: TimeAmount = .seconds(60)
    ) {
        recorder = ClientRecorder()
        connection.delegate = recorder
        let bytes = ByteBuffer(string: method)
        connection.send(
            HeadWriter(method: method, target: "/"), method: bytes.withUnsafeReadableBytes { HTTPMethod($0) },
            framing: framing, write: write, read: read)
    }
}
