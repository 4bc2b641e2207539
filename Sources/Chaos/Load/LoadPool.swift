// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import DequeModule
import NIOCore
import Wire
import World

/// A connection of a load.
final class LoadConnection {
    let client: ClientConnection
    /// From 1, in the order in which they were made.
    let number: Int

    fileprivate init(_ client: ClientConnection, number: Int) {
        self.client = client
        self.number = number
    }
}

/// The connections of a load: an idle one is used again (the last used first, so that spare ones fall asleep), else a
/// new one is made, and at the limit a request waits for its turn. Confined to the load's event loop.
final class LoadPool: LoadCarrier, ConnectionKeeper {
    private let network: any Network
    private let address: SocketAddress
    private let loop: any EventLoop
    private let maximum: Int
    private let connectTimeout: TimeAmount
    private var idle: [LoadConnection] = []
    private var waiting: Deque<LoadExchange> = []
    /// Open, or on the way to be.
    private var count = 0
    private var made = 0
    private var isClosed = false
    /// Most requests that waited for a connection at once.
    private(set) var longestQueue = 0

    init(
        network: any Network, address: SocketAddress, loop: any EventLoop, maximum: Int?, connectTimeout: TimeAmount
    ) {
        self.network = network
        self.address = address
        self.loop = loop
        self.maximum = max(1, maximum ?? .max)
        self.connectTimeout = connectTimeout
    }

    /// Starts the exchange on a connection, now or as soon as there is one.
    ///
    /// - Returns: false when it must wait because the limit is reached.
    @discardableResult
    func carry(_ exchange: LoadExchange) -> Bool {
        while let connection = idle.popLast() {
            guard connection.client.isOpen, connection.client.isReusable else { continue }
            start(exchange, on: connection)
            return true
        }
        if count < maximum {
            connect(for: exchange)
            return true
        }
        waiting.append(exchange)
        longestQueue = max(longestQueue, waiting.count)
        return false
    }

    /// The exchange on a connection has come to its end; the connection may be used again if it says so.
    func release(_ connection: LoadConnection) {
        guard connection.client.isReusable, connection.client.isOpen, !isClosed else {
            connection.client.close()
            return
        }
        if let next = nextWaiting() {
            start(next, on: connection)
        } else {
            idle.append(connection)
        }
    }

    /// Closes idle connections, and others when they are released.
    func close() {
        isClosed = true
        let connections = idle
        idle.removeAll()
        for connection in connections { connection.client.close() }
    }

    private func start(_ exchange: LoadExchange, on connection: LoadConnection) {
        exchange.start(on: connection) { [self] failure in
            if failure == .timeout || failure == .aborted { connection.client.close() }
            release(connection)
        }
    }

    private func nextWaiting() -> LoadExchange? {
        while let exchange = waiting.popFirst() {
            if !exchange.isOver { return exchange }
        }
        return nil
    }

    private func connect(for exchange: LoadExchange) {
        count += 1
        made += 1
        let connection = LoadConnection(ClientConnection(), number: made)
        connection.client.keeper = self
        let bound = NIOLoopBound(connection.client, eventLoop: loop)
        let connecting = network.connect(to: address, on: loop, timeout: connectTimeout) { channel in
            channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(bound.value) }
        }
        connecting.assumeIsolated().whenComplete { [self] result in
            switch result {
            case .success: connected(connection, for: exchange)
            case .failure(let error): failed(error, for: exchange)
            }
        }
    }

    /// The request for which it was made may have been given up meanwhile; then another one has it.
    private func connected(_ connection: LoadConnection, for exchange: LoadExchange) {
        if exchange.isOver || !connection.client.isOpen {
            if !exchange.isOver { exchange.end(.closed) }
            release(connection)
        } else {
            start(exchange, on: connection)
        }
    }

    private func failed(_ error: any Error, for exchange: LoadExchange) {
        count -= 1
        if !exchange.isOver { exchange.end(LoadResult.Failure(connecting: error)) }
        connectForWaiting()
    }

    func closed(_ connection: ClientConnection) {
        count -= 1
        idle.removeAll { $0.client === connection }
        connectForWaiting()
    }

    private func connectForWaiting() {
        guard !isClosed, count < maximum, let next = nextWaiting() else { return }
        connect(for: next)
    }
}
