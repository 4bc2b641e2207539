// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Foundation
import Gateway
import GatewayHarness
import NIOCore
import Testing

/// Requests that two readers may read in two ways. Each is refused, or reaches the upstream in one form that nobody can
/// misread; a request that hides in another never arrives as one of its own.
@Suite struct SmugglingTests {
    /// A row of Data/ambiguous-requests.jsonl; its texts have one byte a character.
    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var send: [UInt8]
        /// What must reach the upstream, less what the gateway adds to each request.
        var forward: [String]
        /// The status that must follow these, and close the connection; nil for none.
        var refuse: Int?

        var testDescription: String { name }
    }

    static let rows: [Row] = {
        guard let objects = try? jsonLines("ambiguous-requests") else { return [] }
        return objects.map { object in
            Row(
                name: object["name"]?.stringValue ?? "", send: latin1(object["send"]?.stringValue ?? ""),
                forward: object["forward"]?.arrayValue?.compactMap(\.stringValue) ?? [],
                refuse: object["refuse"]?.intValue)
        }
    }()

    @Test func `there are more than 300 of them`() { #expect(Self.rows.count > 300) }

    /// An upstream that answers what it has whole, and keeps it.
    private final class Recorder {
        var requests: [CanonicalRequest] = []
        var objection: String?

        func serve(_ peer: MemoryPeer) {
            peer.onReceive = { [self] peer in
                do {
                    let whole = try CanonicalRequest.readAll(&peer.received)
                    requests += whole
                    for request in whole { peer.send(request.method == "HEAD" ? Self.headOnly : ScriptedUpstream.ok) }
                } catch {
                    objection = "\(error)"
                }
            }
        }

        static let headOnly = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
    }

    /// The bytes whole, one by one, and in two pieces.
    private static func deliveries(_ bytes: [UInt8]) -> [[ArraySlice<UInt8>]] {
        let cuts = stride(from: 1, to: min(bytes.count, 400), by: 7).map { [bytes[..<$0], bytes[$0...]] }
        let single = bytes.count < 1000 ? [bytes.indices.map { bytes[$0...$0] }] : []
        return [[bytes[...]]] + single + cuts
    }

    @Test(arguments: rows)
    func `an ambiguous request is refused or forwarded in one form`(row: Row) throws {
        let recorder = Recorder()
        let gateway = try MemoryGateway(upstream: recorder.serve)
        for parts in Self.deliveries(row.send) {
            recorder.requests = []
            let client = try gateway.connect()
            for part in parts {
                client.send(ByteBuffer(bytes: part))
                gateway.run()
            }
            #expect(recorder.objection == nil)
            let forwarded = try recorder.requests.map { try $0.withoutGatewayFields() }
            try #require(forwarded == row.forward, "in \(parts.count) parts")
            let statuses = client.statuses.filter { $0 != 100 }
            try #require(statuses == row.forward.map { _ in 200 } + (row.refuse.map { [$0] } ?? []))
            // 404 and 405 are answers to requests that were understood.
            if let status = row.refuse, status != 404, status != 405 { #expect(client.hasEnded) }
            client.finish()
            gateway.run()
        }
    }

    @Test(arguments: rows)
    func `also when bodies are not buffered`(row: Row) throws {
        let recorder = Recorder()
        let gateway = try MemoryGateway(unbufferedYAML, upstream: recorder.serve)
        func content(_ text: String) -> String {
            // How the body is framed is the client's choice here; what is in it is not.
            var buffer = ByteBuffer(bytes: latin1(text))
            guard let request = try? CanonicalRequest.readAll(&buffer).first else { return text }
            return "\(request.method) \(request.target) \(request.fields) \(request.body) \(request.trailers)"
        }
        for parts in [[row.send[...]], row.send.indices.map { row.send[$0...$0] }] where parts.count < 2000 {
            recorder.requests = []
            let client = try gateway.connect()
            for part in parts {
                client.send(ByteBuffer(bytes: part))
                gateway.run()
            }
            #expect(recorder.objection == nil)
            let forwarded = try recorder.requests.map { content(try $0.withoutGatewayFields()) }
            try #require(forwarded == row.forward.map(content))
            let statuses = client.statuses.filter { $0 != 100 }
            try #require(statuses == row.forward.map { _ in 200 } + (row.refuse.map { [$0] } ?? []))
            // What has gone of a refused request has no end, and its connection is not used again.
            if row.refuse != nil {
                #expect(gateway.upstreams.allSatisfy { $0.isClosed || $0.received.readableBytes == 0 })
            }
            client.finish()
            gateway.run()
        }
    }
}

/// A file of the tests' data with one JSON object a line.
func jsonLines(_ name: String) throws -> [JSONValue] {
    let url = try #require(Bundle.module.url(forResource: name, withExtension: "jsonl", subdirectory: "Data"))
    return try String(contentsOf: url, encoding: .utf8).split(separator: "\n").map {
        try JSONValue(parsing: Array($0.utf8))
    }
}

/// One byte a character.
func latin1(_ text: String) -> [UInt8] { text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) } }
