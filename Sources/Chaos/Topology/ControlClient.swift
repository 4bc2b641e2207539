// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document
package import NIOCore
package import OpenSSL
package import Wire
package import World

/// Asks the Admin API of a gateway and the switches of a mock: one request on a connection of its own, on one loop.
package struct ControlClient {
    package struct Answer: Sendable {
        package var status: Int
        package var body: ByteBuffer

        /// The body as JSON; null when it is none.
        package var json: JSONValue { (try? JSONValue(parsing: body.readableBytesView)) ?? .null }
    }

    package let world: World
    package let loop: any EventLoop
    /// For all of an exchange. On loopback an answer takes a few milliseconds; a paused process gives none.
    package var timeout = TimeAmount.seconds(5)

    package init(world: World, loop: any EventLoop, timeout: TimeAmount = .seconds(5)) {
        self.world = world
        self.loop = loop
        self.timeout = timeout
    }

    /// - Parameter tls: for a peer that serves TLS.
    /// - Returns: the answer, whatever its status; fails with `TopologyError` when there is none.
    package func send(
        _ method: HTTPMethod, _ path: String, to address: SocketAddress, headers: [(name: String, value: String)] = [],
        body: JSONValue? = nil, tls: OpenSSLContext? = nil
    ) -> EventLoopFuture<Answer> {
        loop.assertInEventLoop()
        var head = HeadWriter(method: method.word, target: path)
        head.add("Host", "\(address.ipAddress ?? "localhost"):\(address.port ?? 80)")
        head.add("Connection", "close")
        for header in headers { head.add(header.name, header.value) }
        if body != nil { head.add("Content-Type", "application/json") }
        let promise = loop.makePromise(of: Answer.self)
        let exchange = Exchange(promise, "\(method.word) \(path) at \(address.ipAddress ?? ""):\(address.port ?? 0)")
        let timer = loop.assumeIsolated().scheduleTask(in: timeout) { exchange.fail("no answer in time") }
        promise.futureResult.assumeIsolated().whenComplete { _ in
            timer.cancel()
            exchange.connection.close()
        }
        let connection = NIOLoopBound(exchange.connection, eventLoop: loop)
        world.network.connect(to: address, on: loop, timeout: timeout) { channel in
            channel.eventLoop.makeCompletedFuture {
                if let tls { try channel.pipeline.syncOperations.addHandler(OpenSSLHandler(tls)) }
                try channel.pipeline.syncOperations.addHandler(connection.value)
            }
        }
        .assumeIsolated()
        .whenComplete { result in
            switch result {
            case .failure(let error): exchange.fail("\(error)")
            case .success: exchange.send(head, method, body.map { ByteBuffer(string: $0.description) })
            }
        }
        return promise.futureResult
    }

    private final class Exchange: ClientDelegate {
        let connection = ClientConnection()
        private var promise: EventLoopPromise<Answer>?
        private let what: String
        private var answer = Answer(status: 0, body: ByteBuffer())

        init(_ promise: EventLoopPromise<Answer>, _ what: String) {
            self.promise = promise
            self.what = what
        }

        func send(_ head: HeadWriter, _ method: HTTPMethod, _ body: ByteBuffer?) {
            guard promise != nil else { return connection.close() }
            connection.delegate = self
            connection.send(head, method: method, framing: body.map { .length(Int64($0.readableBytes)) } ?? .none)
            if let body { connection.send(body: body) }
            connection.sendEnd()
        }

        func fail(_ reason: String) {
            promise?.fail(TopologyError("\(what): \(reason)"))
            promise = nil
        }

        func received(head: ResponseHead, on connection: ClientConnection) { answer.status = head.status }
        func received(body: ByteBuffer, on connection: ClientConnection) { answer.body.writeImmutableBuffer(body) }
        func receivedEnd(trailers: Trailers?, on connection: ClientConnection) {
            promise?.succeed(answer)
            promise = nil
        }
        func failed(_ failure: ClientFailure, on connection: ClientConnection) { fail("\(failure)") }
    }
}

extension HTTPMethod {
    /// As it stands in a request line.
    var word: String {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .patch: "PATCH"
        case .delete: "DELETE"
        case .options: "OPTIONS"
        case .trace: "TRACE"
        case .connect: "CONNECT"
        case .other: "GET"
        }
    }
}
