// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import Wire

/// What is accepted, what is refused and why; that a refusal is answered once, closes, and reaches nobody.
@Suite struct RefusalTests {
    @Test(arguments: Specimen.requests)
    func `a request has its verdict`(_ specimen: Specimen) throws {
        let server = try ServerHarness()
        server.receive(specimen.bytes)
        let whole = server.recorder.requests.filter(\.isComplete).count
        switch specimen.verdict {
        case .accepted(let count):
            #expect(server.recorder.refusals.isEmpty, "\(server.recorder.refusals)")
            #expect(server.recorder.requests.count == count)
            #expect(whole == count)
            #expect(server.statuses == Array(repeating: 200, count: count))
        case .unfinished:
            #expect(server.recorder.refusals.isEmpty, "\(server.recorder.refusals)")
            #expect(server.statuses.count == whole)
            #expect(!server.hasEnded)
        case .refused(let error):
            #expect(server.recorder.refusals.map(\.error) == [error])
            #expect(server.recorder.refusals.map(\.status) == [error.status])
            #expect(server.statuses == Array(repeating: 200, count: whole) + [error.status])
            #expect(server.hasEnded)
            #expect(server.output.contains("Connection: close\r\n"))
        }
    }

    @Test(arguments: Specimen.responses)
    func `a response has its verdict`(_ specimen: Specimen) throws {
        let client = try ClientHarness()
        client.request(specimen.method == .head ? "HEAD" : "GET")
        client.receive(specimen.bytes)
        switch specimen.verdict {
        case .accepted:
            #expect(client.recorder.failure == nil)
            #expect(client.recorder.response?.isComplete == true)
        case .unfinished:
            #expect(client.recorder.failure == nil)
            #expect(client.recorder.response?.isComplete != true)
        case .refused(let error):
            #expect(client.recorder.failure == .badResponse(error))
            #expect(client.isClosed)
        }
    }

    @Test(arguments: Specimen.requests.filter { if case .refused = $0.verdict { true } else { false } })
    func `nothing behind a refused request is read`(_ specimen: Specimen) throws {
        let server = try ServerHarness()
        server.receive(specimen.bytes)
        let output = server.output
        let log = server.recorder.log
        server.receive("GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(server.output == output)
        #expect(server.recorder.log == log)
    }

    @Test(arguments: Specimen.requests)
    func `a refused head is never handed on`(_ specimen: Specimen) throws {
        guard case .refused = specimen.verdict else { return }
        let server = try ServerHarness()
        server.receive(specimen.bytes)
        // A body can be refused only after its head was handed on.
        let isRefusedInBody = (Specimen.chunks + Specimen.trailers).contains { $0.name == specimen.name }
        let whole = server.recorder.requests.filter(\.isComplete).count
        #expect(server.recorder.requests.count == whole + (isRefusedInBody ? 1 : 0))
    }

    @Test(arguments: WireError.allCases)
    func `every error has a status of a client's fault or of what is not implemented, and a reason`(_ error: WireError)
    {
        #expect([400, 414, 417, 431, 501, 505].contains(error.status))
        #expect(!error.reason.isEmpty)
        #expect(reasonPhrase(of: error.status) != "Unknown")
    }
}
