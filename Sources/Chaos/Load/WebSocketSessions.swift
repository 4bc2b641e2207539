// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import DequeModule
import NIOCore
import Wire
import World

/// The sessions of a load of WebSocket messages: as many as messages are under way at once, which is one for each
/// client. The one that has rested longest goes first, so that all of them are in use; one that was lost is opened anew
/// with the next message. Confined to the load's event loop.
final class WebSocketSessions: LoadCarrier {
    let network: any Network
    let address: SocketAddress
    let loop: any EventLoop
    let timeout: TimeAmount
    /// The load's, for the ids of sessions.
    let load: String
    /// Start line and fields of the request that begins a session, without those of the handshake.
    let head: ByteBuffer
    /// Keys and masks.
    private var random: RandomStream
    private var idle: Deque<WebSocketSession> = []
    private var made = 0
    private var isClosed = false
    let longestQueue = 0

    init(
        network: any Network, address: SocketAddress, loop: any EventLoop, timeout: TimeAmount, load: String,
        head: ByteBuffer, random: RandomStream
    ) {
        self.network = network
        self.address = address
        self.loop = loop
        self.timeout = timeout
        self.load = load
        self.head = head
        self.random = random
    }

    func carry(_ exchange: LoadExchange) -> Bool {
        while let session = idle.popFirst() {
            guard session.isOpen else { continue }
            session.start(exchange)
            return true
        }
        made += 1
        WebSocketSession(sessions: self, number: made).start(exchange)
        return true
    }

    /// The message of a session is over; it may send another one if it is still open.
    func release(_ session: WebSocketSession) {
        if session.isOpen, !isClosed { idle.append(session) } else { session.end() }
    }

    func close() {
        isClosed = true
        let sessions = idle
        idle.removeAll()
        for session in sessions { session.end() }
    }

    func drawKey() -> String {
        WebSocketHandshake.key((0..<16).map { _ in UInt8(truncatingIfNeeded: random.next()) })
    }

    func drawMask() -> UInt32 { UInt32(truncatingIfNeeded: random.next()) }
}

/// One session: opened with its first message, one message at a time, each answered by its echo.
final class WebSocketSession: ClientDelegate {
    private enum State { case new, opening, open, over }

    private let sessions: WebSocketSessions
    private let number: Int
    private let client = ClientConnection()
    private var state = State.new
    private var key = ""
    private var decoder = WebSocketDecoder(isFromClient: false)
    private var inbound = ByteBuffer()
    private var exchange: LoadExchange?

    /// - Parameter number: counts the sessions of a load from 1.
    init(sessions: WebSocketSessions, number: Int) {
        self.sessions = sessions
        self.number = number
    }

    var isOpen: Bool { state == .open && client.isOpen }

    // MARK: Inputs

    func start(_ exchange: LoadExchange) {
        self.exchange = exchange
        exchange.begin(on: number) { [self] failure in
            self.exchange = nil
            // An echo that comes late would be taken for that of the next message.
            if failure != nil { end() }
            sessions.release(self)
        }
        if state == .new { open() } else { sendMessage() }
    }

    /// Closes, with a word to the server when there is one to hear it.
    func end() {
        guard state != .over else { return }
        let wasOpen = isOpen
        state = .over
        if wasOpen {
            send(.close, .webSocketClose(1000))
            client.sendEnd()
        }
        client.close()
    }

    // MARK: Opening

    private func open() {
        state = .opening
        let bound = NIOLoopBound(client, eventLoop: sessions.loop)
        let connecting = sessions.network.connect(
            to: sessions.address, on: sessions.loop, timeout: sessions.timeout
        ) { channel in
            channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(bound.value) }
        }
        connecting.assumeIsolated().whenComplete { [self] result in
            guard state == .opening else { return client.close() }
            switch result {
            case .success: if client.isOpen { ask() } else { exchange?.end(.closed) }
            case .failure(let error): exchange?.end(LoadResult.Failure(connecting: error))
            }
        }
    }

    private func ask() {
        key = sessions.drawKey()
        var head = HeadWriter(startedIn: sessions.head, status: 0)
        head.add("Connection", "Upgrade" as StaticString)
        head.add("Upgrade", "websocket" as StaticString)
        head.add("Sec-WebSocket-Version", WebSocketHandshake.version)
        head.add("Sec-WebSocket-Key", key)
        // Traffic like any other, but none of the load's requests: those are its messages.
        head.add("X-Chaos-Id", "\(sessions.load)-session.\(number)")
        client.delegate = self
        // The exchange counts its own time; a session may rest as long as its client thinks.
        client.send(head, method: .get, framing: .none, write: .hours(24), read: .hours(24), offersUpgrade: true)
        client.sendEnd()
    }

    // MARK: Sending

    private func sendMessage() {
        guard let exchange else { return }
        send(.text, exchange.bytes)
        exchange.leftWhole()
    }

    private func send(_ opcode: WebSocketOpcode, _ payload: ByteBuffer) {
        var frame = ByteBuffer()
        frame.writeWebSocketFrame(opcode, payload, mask: sessions.drawMask())
        client.send(body: frame)
        client.flush()
    }

    // MARK: From the server

    func received(head: ResponseHead, on connection: ClientConnection) {
        guard state == .opening else { return }
        guard head.status == 101 else {
            exchange?.received(head: head, on: connection)
            return
        }
        guard head.value(of: "sec-websocket-accept") == WebSocketHandshake.accept(for: key) else {
            exchange?.end(.protocolError)
            return
        }
        state = .open
        sendMessage()
    }

    func received(body: ByteBuffer, on connection: ClientConnection) {
        // An answer that is no session has a body like any other.
        guard state == .open else { return }
        inbound.addInbound(body)
        while state == .open {
            switch decoder.next(from: &inbound) {
            case .needsMore:
                if inbound.readableBytes == 0 { inbound = ByteBuffer() }
                return
            case .message(_, let message): received(message)
            case .ping(let payload): send(.pong, payload)
            case .pong: break
            case .close: lost(.closed)
            case .failed: lost(.protocolError)
            }
        }
    }

    /// Every message is the echo of the one under way, or a mistake.
    private func received(_ message: ByteBuffer) {
        guard let exchange, exchange.bytes == message else { return lost(.protocolError) }
        exchange.echoed(bytes: message.readableBytes)
    }

    private func lost(_ failure: LoadResult.Failure) {
        if let exchange { exchange.end(failure) } else { end() }
    }

    func receivedEnd(trailers: Trailers?, on connection: ClientConnection) {
        // A whole answer that is no session: its status says what it was, and below 400 it was no WebSocket server.
        let wasOpening = state == .opening
        let isRefusal = wasOpening && (exchange?.result.status ?? 0) >= 400
        state = .over
        client.close()
        exchange?.end(isRefusal ? nil : wasOpening ? .protocolError : .closed)
    }

    func failed(_ failure: ClientFailure, on connection: ClientConnection) {
        state = .over
        exchange?.end(LoadResult.Failure(failure))
    }
}
