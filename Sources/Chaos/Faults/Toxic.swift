// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Certificates
package import NIOCore
package import OpenSSL
package import World

/// A fault on the wire as a scenario writes it: what it does, without saying to whom or when. Every case has a file of
/// its own with its settings and its machine.
package enum Toxic: Hashable, Sendable {
    case latency(LatencyToxic)
    case bandwidth(BandwidthToxic)
    case loss(LossToxic)
    case slicer(SlicerToxic)
    case timeout(TimeoutToxic)
    case blackhole(BlackholeToxic)
    /// New connections are refused, open ones reset.
    case refuse
    case reset(ResetToxic)
    case halfClose(HalfCloseToxic)
    case halfOpen
    case limitData(LimitDataToxic)
    case stall(StallToxic)
    case slowClose(SlowCloseToxic)
    case corrupt(CorruptToxic)

    // On TLS: the link takes the mock's place in the handshake.
    case cert(CertificateKind)
    case handshake(HandshakeToxic)
    /// At most this version.
    case version(TLSVersion)
    /// Nothing at all; Toxiproxy has it.
    case noop

    // On HTTP messages.
    case status(StatusToxic)
    case truncate(TruncateToxic)
    case headEdit(HeadEditToxic)
    case badChunk
    case garbage(GarbageToxic)
    case slowHeaders(SlowHeadersToxic)
    case slowBody(SlowBodyToxic)
    case earlyClose

    // On HTTP/2.
    case goAway(GoAwayToxic)
    case resetStream(ResetStreamToxic)
    case pingFlood(PingFloodToxic)

    /// The word in scenario files and reports.
    package var name: String {
        switch self {
        case .latency: "latency"
        case .bandwidth: "bandwidth"
        case .loss: "loss"
        case .slicer: "slicer"
        case .timeout: "timeout"
        case .blackhole: "blackhole"
        case .refuse: "refuse"
        case .reset: "reset"
        case .halfClose: "half_close"
        case .halfOpen: "half_open"
        case .limitData: "limit_data"
        case .stall: "stall"
        case .slowClose: "slow_close"
        case .corrupt: "corrupt"
        case .noop: "noop"
        case .cert: "cert"
        case .handshake: "handshake"
        case .version: "version"
        case .status: "status"
        case .truncate: "truncate"
        case .headEdit(let edit): edit.name
        case .badChunk: "bad_chunk"
        case .garbage: "garbage"
        case .slowHeaders: "slow_headers"
        case .slowBody: "slow_body"
        case .earlyClose: "early_close"
        case .goAway: "goaway"
        case .resetStream: "rst_stream"
        case .pingFlood: "ping_flood"
        }
    }

    /// What it does, in a few words with its numbers: `latency 3s ± 100ms`.
    package var phrase: String {
        switch self {
        case .latency(let toxic): toxic.phrase
        case .bandwidth(let toxic): toxic.phrase
        case .loss(let toxic): toxic.phrase
        case .slicer(let toxic): toxic.phrase
        case .timeout(let toxic): toxic.phrase
        case .blackhole(let toxic): toxic.phrase
        case .refuse: "connections refused"
        case .reset(let toxic): toxic.phrase
        case .halfClose(let toxic): toxic.phrase
        case .halfOpen: HalfOpenToxic().phrase
        case .limitData(let toxic): toxic.phrase
        case .stall(let toxic): toxic.phrase
        case .slowClose(let toxic): toxic.phrase
        case .corrupt(let toxic): toxic.phrase
        case .noop: "nothing"
        case .cert(let kind): kind.phrase
        case .handshake(let toxic): toxic.phrase
        case .version(let version): "TLS \(version.rawValue) at most"
        case .status(let toxic): toxic.phrase
        case .truncate(let toxic): toxic.phrase
        case .headEdit(let toxic): toxic.phrase
        case .badChunk: "a chunk size that is no number"
        case .garbage(let toxic): toxic.phrase
        case .slowHeaders(let toxic): toxic.phrase
        case .slowBody(let toxic): toxic.phrase
        case .earlyClose: "closed in the place of the message"
        case .goAway(let toxic): toxic.phrase
        case .resetStream(let toxic): toxic.phrase
        case .pingFlood(let toxic): toxic.phrase
        }
    }

    /// It works on HTTP/1.1 messages, so it is decided about for every request.
    package var isOnMessages: Bool {
        switch self {
        case .status, .truncate, .headEdit, .badChunk, .garbage, .slowHeaders, .slowBody, .earlyClose: true
        default: false
        }
    }

    /// It works on the frames of HTTP/2.
    package var isOnFrames: Bool {
        switch self {
        case .goAway, .resetStream, .pingFlood: true
        default: false
        }
    }

    /// It is decided about for each request when nothing else is said.
    package var isAboutRequests: Bool {
        switch self {
        case .resetStream: true
        case .goAway(let toxic): toxic.after == nil
        default: isOnMessages
        }
    }

    /// It works on what the server says and on nothing else.
    package var isOnAnswers: Bool {
        switch self {
        case .status, .goAway, .resetStream: true
        default: false
        }
    }

    /// It works on TLS handshakes.
    package var isOnHandshakes: Bool {
        switch self {
        case .cert, .handshake, .version: true
        default: false
        }
    }

    /// It can work on a single request: it is about bytes, not about a connection as such.
    package var canWorkOnRequests: Bool {
        switch self {
        case .refuse, .halfClose, .halfOpen, .slowClose, .cert, .handshake, .version, .pingFlood: false
        case .goAway(let toxic): toxic.after == nil
        case .blackhole(let toxic): toxic.stage == .data
        default: true
        }
    }

    /// The machine for one direction of one connection; nil when the fault does nothing to bytes that flow there.
    /// - Parameters:
    ///   - direction: `.up` or `.down`.
    ///   - random: the draws of this direction of this connection alone.
    package func machine(_ direction: ToxicStream, random: RandomStream) -> (any StreamToxic)? {
        switch self {
        case .latency(let toxic): return LatencyMachine(toxic, random: random)
        case .bandwidth(let toxic): return BandwidthMachine(toxic)
        case .loss(let toxic): return LossMachine(toxic, random: random)
        case .slicer(let toxic): return SlicerMachine(toxic, random: random)
        case .timeout(let toxic): return TimeoutMachine(toxic)
        case .blackhole(let toxic): return toxic.stage == .data ? BlackholeMachine() : nil
        case .reset(let toxic): return ResetMachine(toxic)
        case .halfClose(let toxic): return (toxic.side == .client) == (direction == .down) ? HalfCloseMachine() : nil
        case .halfOpen: return direction == .up ? HalfOpenMachine() : nil
        case .limitData(let toxic): return LimitDataMachine(toxic)
        case .stall(let toxic): return StallMachine(toxic)
        case .slowClose(let toxic): return SlowCloseMachine(toxic)
        case .corrupt(let toxic): return CorruptMachine(toxic, random: random)
        default: return nil
        }
    }

    /// The machine for one message.
    func messageMachine(_ direction: ToxicStream, random: RandomStream) -> (any MessageToxic)? {
        switch self {
        case .status(let toxic): return StatusMachine(settings: toxic)
        case .truncate(let toxic): return TruncateMachine(toxic)
        case .headEdit(let toxic): return HeadEditMachine(settings: toxic)
        case .badChunk: return BadChunkMachine()
        case .garbage(let toxic): return GarbageMachine(settings: toxic, random: random)
        case .slowHeaders(let toxic): return SlowHeadersMachine(toxic)
        case .slowBody(let toxic): return SlowBodyMachine(toxic)
        case .earlyClose: return EarlyCloseMachine()
        default: return machine(direction, random: random).map(ScopedToxic.init)
        }
    }

    /// The machine for one HTTP/2 connection; nil for faults that know nothing of frames.
    func frameMachine() -> (any FrameToxic)? {
        switch self {
        case .goAway(let toxic): GoAwayMachine(toxic)
        case .resetStream(let toxic): ResetStreamMachine(toxic)
        case .pingFlood(let toxic): PingFloodMachine(toxic)
        default: nil
        }
    }

    /// Edits come first, then what cuts, then what is slow, at last what sees nothing but bytes.
    var messageRank: Int {
        switch self {
        case .status: 0
        case .headEdit: 1
        case .badChunk, .garbage, .earlyClose: 2
        case .truncate: 3
        case .slowBody: 4
        case .slowHeaders: 5
        default: 6
        }
    }

    /// What happens to a new connection that the fault hits.
    package func admission(random: inout RandomStream) -> Admission {
        switch self {
        case .latency(let latency): latency.delaysConnect ? .delay(latency.delay.draw(&random)) : .accept
        case .refuse: .refuse
        case .cert(let kind): .tls(.certificate(kind))
        case .handshake(let toxic): .tls(.handshake(toxic.mode))
        case .version(let version): .tls(.maximum(version))
        case .blackhole(let toxic): toxic.stage == .connect ? .hang : .accept
        default: .accept
        }
    }

    /// What a fault does to a connection before any byte flows.
    package enum Admission: Hashable, Sendable {
        case accept
        /// The onward connection is opened this much later.
        case delay(TimeAmount)
        /// As if nobody listened.
        case refuse
        /// It is never opened, and nobody is told.
        case hang
        /// Its TLS is another one.
        case tls(TLSAdmission)
    }
}

/// The direction a fault works on, in Toxiproxy's words.
package enum ToxicStream: String, Hashable, Sendable, CaseIterable {
    /// From the client (the gateway) to the server (the mock API).
    case up
    /// From the server back to the client.
    case down
    case both
}
