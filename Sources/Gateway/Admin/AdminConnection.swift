// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import NIOCore
import Wire

/// One connection to the Admin API or the status listener: gathers a request, asks `AdminAPI`, writes the answer; or
/// streams the events.
final class AdminConnection: ServerDelegate {
    private let gateway: GatewayCore
    private let listener: AdminAPI.Listener
    private var head: RequestHead?
    private var body = ByteBuffer()
    private var isTooLarge = false
    private var subscription: Int?
    private var unread = 0

    init(gateway: GatewayCore, listener: AdminAPI.Listener) {
        self.gateway = gateway
        self.listener = listener
    }

    func received(head: RequestHead, on connection: ServerConnection) {
        self.head = head
        body.clear()
        isTooLarge = false
        if case .length(let length) = head.framing, length > gateway.settings.adminBodyBytes { refuseBody(connection) }
    }

    func received(body slice: ByteBuffer, on connection: ServerConnection) {
        guard !isTooLarge else { return }
        guard body.readableBytes + slice.readableBytes <= gateway.settings.adminBodyBytes else {
            return refuseBody(connection)
        }
        body.writeImmutableBuffer(slice)
    }

    private func refuseBody(_ connection: ServerConnection) {
        isTooLarge = true
        body = ByteBuffer()
        var response = HeadWriter(status: 413)
        response.add("Content-Type", "application/json; charset=utf-8")
        let message: JSONValue = ["message": "Payload too large"]
        connection.respond(response, body: ByteBuffer(string: message.text()))
    }

    func receivedEnd(trailers: Trailers?, on connection: ServerConnection) {
        guard let head, !isTooLarge else { return }
        let request = AdminRequest(
            method: head.methodText, path: head.pathText, query: head.queryText,
            headers: head.allFields.map { ($0.name, $0.value) }, body: Array(buffer: body))
        body = ByteBuffer()
        gateway.admin.respond(to: request, on: listener) { [weak self, weak connection] answer in
            // A client that does not wait for its answer is gone by then.
            guard let self, let connection, connection.channel != nil else { return }
            write(answer, to: request.query, on: connection)
        }
    }

    private func write(_ answer: AdminResponse, to query: String?, on connection: ServerConnection) {
        var response = HeadWriter(status: answer.status)
        for (name, value) in answer.headers { response.add(name, value) }
        switch answer.body {
        case .empty: connection.respond(response, body: ByteBuffer())
        case .json(let value):
            var bytes: [UInt8] = []
            value.write(to: &bytes)
            connection.respond(response, body: ByteBuffer(bytes: bytes))
        case .written(let bytes): connection.respond(response, body: bytes)
        case .text(let text): connection.respond(response, body: ByteBuffer(string: text))
        case .events: stream(response, since: since(query), on: connection)
        }
    }

    // MARK: Events

    /// `?since=17` begins with event 17; without it the next event is the first.
    private func since(_ query: String?) -> Int? {
        query?.split(separator: "&").first { $0.hasPrefix("since=") }.flatMap { Int($0.dropFirst(6)) }
    }

    private func stream(_ response: HeadWriter, since: Int?, on connection: ServerConnection) {
        connection.send(response, framing: .chunked)
        // What belongs to one moment leaves together.
        subscription = gateway.events.subscribe(since: since) { [weak self, weak connection] line in
            guard let self, let connection else { return }
            connection.send(body: line)
            connection.flush()
            unread = connection.isWritable ? 0 : unread + line.readableBytes
            if unread > gateway.settings.unreadEventBytes { connection.close() }
        }
        connection.flush()
        // Too much was kept for this reader: it was cut off before the subscription had its number.
        if connection.channel == nil { endSubscription() }
    }

    private func endSubscription() {
        if let subscription { gateway.events.unsubscribe(subscription) }
        subscription = nil
    }

    func closed(on connection: ServerConnection) {
        endSubscription()
        gateway.adminClosed(connection)
    }

    func refusal(
        status: Int, error: WireError?, on connection: ServerConnection
    ) -> (head: HeadWriter, body: ByteBuffer) {
        var response = HeadWriter(status: status)
        response.add("Content-Type", "application/json; charset=utf-8")
        let message: JSONValue = ["message": .string(error.map { "Bad request: \($0.reason)" } ?? "Request timeout")]
        return (response, ByteBuffer(string: message.text()))
    }
}
