// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import NIOCore
import Wire

/// Serves one connection: reads a request to its end, asks the machine, does what it says. Confined to the mock's loop.
final class MockConnection: ServerDelegate {
    /// Longest body of `PUT` and `PATCH /_mock/settings`.
    private static let longestSettings = 64 * 1024
    private static let webSocketPath = "/ws"

    private let core: MockCore
    private let number: Int
    /// One of the streams of the connection.
    private let isStream: Bool
    private var head: RequestHead?
    private var receivedAt = NIODeadline.uptimeNanoseconds(0)
    private var request = MockRequest(.get, .other)
    private var body = ByteBuffer()
    private var delayed: Scheduled<Void>?
    /// After 101; nothing but its frames comes then.
    private var session: MockSession?

    init(core: MockCore, number: Int, isStream: Bool = false) {
        self.core = core
        self.number = number
        self.isStream = isStream
    }

    func received(head: RequestHead, on connection: ServerConnection) {
        self.head = head
        receivedAt = core.loop.now
        let method: MockRequest.Method =
            switch head.method {
            case .get: .get
            case .head: .head
            case .options: .options
            default: .other
            }
        request = MockRequest(
            method,
            head.bytes.withUnsafeReadableBytes { core.machine.path(of: $0[head.path], method: head.methodText) })
        // The one path that is there for WebSockets also when no other path is.
        if request.path == .other, head.webSocketKey != nil, head.pathText == Self.webSocketPath {
            request.path = .hello
        }
    }

    func received(body: ByteBuffer, on connection: ServerConnection) {
        if let session { return session.received(body, on: connection) }
        guard request.path == .settings, self.body.readableBytes <= Self.longestSettings else { return }
        self.body.writeImmutableBuffer(body)
    }

    func receivedEnd(trailers: Trailers?, on connection: ServerConnection) {
        guard let head else { return }
        // The client has ended its side of a WebSocket without a word.
        if session != nil { return connection.sendEnd() }
        if request.path == .settings { return answerSettings(head, on: connection) }
        if request.path == .metrics { return answerMetrics(on: connection) }
        let decision = core.decide(request, head: head, receivedAt: receivedAt, connection: number)
        guard decision.delay > .zero else { return finish(decision, on: connection) }
        let bound = NIOLoopBound((self, connection), eventLoop: core.loop)
        delayed = core.loop.scheduleTask(in: decision.delay) { bound.value.0.finish(decision, on: bound.value.1) }
    }

    func exchangeEnded(on connection: ServerConnection) {
        head = nil
        session = nil
        if body.readableBytes > 0 { body = ByteBuffer() }
    }

    func closed(on connection: ServerConnection) {
        delayed?.cancel()
        delayed = nil
        if !isStream { core.forget(number) }
    }

    func refusal(
        status: Int, error: WireError?, on connection: ServerConnection
    ) -> (head: HeadWriter, body: ByteBuffer) {
        let text = "\(reasonPhrase(of: status))\(error.map { ": \($0)" } ?? "")\n"
        return (core.head(status: status, contentType: "text/plain; charset=utf-8"), ByteBuffer(string: text))
    }

    private func finish(_ decision: MockDecision, on connection: ServerConnection) {
        delayed = nil
        switch decision.ending {
        case .whole:
            if decision.answer == .hello, let head, let key = head.webSocketKey {
                return beginSession(head, key, on: connection)
            }
            let response = core.response(for: decision.answer)
            connection.respond(response.head, body: response.body)
        case .closeMidBody:
            let response = core.response(for: decision.answer)
            let length = response.body.readableBytes
            connection.send(response.head, framing: length == 0 ? .none : .length(Int64(length)))
            connection.send(body: response.body.getSlice(at: 0, length: length / 2) ?? ByteBuffer())
            connection.flush()
            connection.close()
        case .closeBeforeHead: connection.close()
        case .hang: break
        }
    }
}

// MARK: WebSockets

extension MockConnection {
    private func beginSession(_ head: RequestHead, _ key: String, on connection: ServerConnection) {
        let (core, number) = (core, number)
        session = MockSession(path: head.pathText) { path, message in
            core.recordMessage(message, path: path, connection: number)
        }
        var answer = HeadWriter(status: 101)
        answer.add("Server", "gatecrash-mock" as StaticString)
        answer.add("Upgrade", "websocket" as StaticString)
        answer.add("Sec-WebSocket-Accept", WebSocketHandshake.accept(for: key))
        connection.switchProtocols(answer)
    }
}

// MARK: /_mock/metrics

extension MockConnection {
    /// Counters in Prometheus' text format; neither counted nor recorded itself.
    private func answerMetrics(on connection: ServerConnection) {
        let head = core.head(status: 200, contentType: "text/plain; version=0.0.4; charset=utf-8")
        connection.respond(head, body: ByteBuffer(string: core.metrics))
    }
}

// MARK: /_mock/settings

extension MockConnection {
    /// `GET` shows the switches, `PATCH` changes some, `PUT` sets all of them (those that are not named to their
    /// defaults). Such a request is neither counted nor recorded, delayed or failed.
    private func answerSettings(_ head: RequestHead, on connection: ServerConnection) {
        guard body.readableBytes <= Self.longestSettings else {
            return answer(413, problems: ["the body is longer than \(Self.longestSettings) bytes"], on: connection)
        }
        var changed = head.method == .put ? MockSettings() : core.machine.settings
        switch head.method {
        case .get, .head: return answer(200, core.machine.settings.json, on: connection)
        case .put, .patch: break
        default:
            return answer(
                405, problems: ["\(head.methodText) is not possible here; use GET, PUT or PATCH"], on: connection)
        }
        do throws(Problems) {
            try changed.merge(Self.json(of: body))
            core.machine.settings = changed
            answer(200, changed.json, on: connection)
        } catch {
            answer(400, problems: error.sorted.map(\.description), on: connection)
        }
    }

    private static func json(of body: ByteBuffer) throws(Problems) -> JSONValue {
        do { return try JSONValue(parsing: body.readableBytesView) } catch {
            throw Problems([
                Problem(at: nil, "the body is not valid JSON", advice: "send one such as {\"ERROR_RATE\": 0.9}")
            ])
        }
    }

    private func answer(_ status: Int, problems: [String], on connection: ServerConnection) {
        answer(status, ["problems": .array(problems.map { .string($0) })], on: connection)
    }

    private func answer(_ status: Int, _ value: JSONValue, on connection: ServerConnection) {
        var head = core.head(status: status, contentType: "application/json")
        if status == 405 { head.add("Allow", "GET, HEAD, PATCH, PUT") }
        connection.respond(head, body: ByteBuffer(string: value.description + "\n"))
    }
}
