// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Wire
import World

/// Bodies that are read whole before they are sent on (`request_buffering`), limits, and what comes after 101.
extension ProxyConnection {
    /// Bytes taken out of a body's file at a time.
    private static let pieceBytes = 64 * 1024

    /// How a body is framed that has come whole: its length is known, whatever the client's framing was. Only chunks
    /// can carry trailers.
    var wholeFraming: BodyFraming {
        if let trailers, !trailers.list.isEmpty { return .chunked }
        return body.kept > 0 ? .length(body.kept) : .none
    }

    /// Keeps a part of a body that is read whole.
    func keep(_ bytes: ByteBuffer) {
        do throws(SpoolFile.Failure) {
            try body.keep(bytes, memory: worker.bufferedBodyBytes, directory: worker.spoolDirectory)
        } catch {
            bodyFailed(error)
        }
    }

    /// Sends out of the body's file as fast as the upstream takes it; goes on when it is writable again.
    func sendFile(to upstream: ClientConnection) {
        guard let file = body.file, var offset = fileOffset else { return }
        do throws(SpoolFile.Failure) {
            while serves(upstream), upstream.isWritable, offset < file.count {
                let piece = try file.read(at: offset, upTo: Self.pieceBytes)
                offset += Int64(piece.readableBytes)
                fileOffset = offset
                upstream.send(body: piece)
                upstream.flush()
            }
        } catch {
            upstream.close()
            return bodyFailed(error)
        }
        guard serves(upstream), offset == file.count else { return }
        fileOffset = nil
        upstream.sendEnd(trailers: trailers)
    }

    /// The request is still with this upstream: writing to it may have shown that it has gone, and begun another try.
    private func serves(_ upstream: ClientConnection) -> Bool {
        switch state {
        case .exchanging(let current), .responding(let current): current === upstream
        case .idle, .buffering, .connecting, .finishing, .answered: false
        }
    }

    private func bodyFailed(_ failure: SpoolFile.Failure) {
        worker.log.error("\(failure); the request \(requestID) is answered with 500")
        connection?.closeAfterExchange()
        answer(.nginx(500))
    }

    /// The body is longer than `client_max_body_size`.
    func refuseBody() {
        switch state {
        case .finishing, .answered: return
        // The head of the response has gone: all that is left is to break off.
        case .responding:
            connection?.close()
            return
        case .exchanging(let upstream): upstream.close()
        case .idle, .buffering, .connecting: break
        }
        connection?.closeAfterExchange()
        answer(.nginx(413))
    }

    func endBody() {
        fileOffset = nil
        body.release()
    }

    // MARK: Tunnels

    /// HTTP has ended between the client and the upstream; the exchange lasts as long as the tunnel.
    var isTunnel: Bool { if case .responding(let upstream) = state { upstream.isTunnel } else { false } }

    func beginTunnel(_ head: HeadWriter, _ response: ResponseHead) {
        var head = head
        if let upgrade = response.value(of: "upgrade") { head.add("Upgrade", upgrade) }
        connection?.switchProtocols(head)
    }
}
