// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import Wire

/// The same inputs to our connections and to the stock decoders (llhttp), whole and split in two at every byte: all
/// differences are known and have a reason.
@Suite struct DifferentialTests {
    @Test func `there are more than 200 inputs and each has a name of its own`() {
        let names = (Specimen.requests + Specimen.responses).map(\.name)
        #expect(names.count > 200)
        #expect(Set(names).count == names.count)
        #expect(Set(KnownDifferences.requests.map(\.name)).isSubset(of: Specimen.requests.map(\.name)))
        #expect(Set(KnownDifferences.responses.map(\.name)).isSubset(of: Specimen.responses.map(\.name)))
    }

    @Test(arguments: Specimen.requests)
    func `requests are read as by the stock decoder, but for known differences`(_ specimen: Specimen) throws {
        let whole = try Outcome.ofOurs(requests: specimen.whole)
        var difference: String?
        for parts in specimen.splits {
            let ours = try Outcome.ofOurs(requests: parts)
            #expect(ours == whole, "a split changes what we make of it: \(parts.map { String(buffer: $0) })")
            let stock = try Outcome.ofStock(requests: parts)
            if ours != stock, difference == nil {
                difference = "\(parts.map { String(buffer: $0) })\nours  \(ours)\nstock \(stock)"
            }
        }
        expect(difference, isKnownAs: KnownDifferences.requests.first { $0.name == specimen.name }?.reason)
    }

    @Test(arguments: Specimen.responses)
    func `responses are read as by the stock decoder, but for known differences`(_ specimen: Specimen) throws {
        let whole = try Outcome.ofOurs(response: specimen.whole, to: specimen.method)
        var difference: String?
        for parts in specimen.splits {
            let ours = try Outcome.ofOurs(response: parts, to: specimen.method)
            #expect(ours == whole, "a split changes what we make of it: \(parts.map { String(buffer: $0) })")
            let stock = try Outcome.ofStock(response: parts, to: specimen.method)
            if ours != stock, difference == nil {
                difference = "\(parts.map { String(buffer: $0) })\nours  \(ours)\nstock \(stock)"
            }
        }
        expect(difference, isKnownAs: KnownDifferences.responses.first { $0.name == specimen.name }?.reason)
    }

    private func expect(_ difference: String?, isKnownAs reason: String?) {
        switch (difference, reason) {
        case (let difference?, nil): Issue.record("a difference without a reason: \(difference)")
        case (nil, let reason?): Issue.record("no difference any more; its reason was: \(reason)")
        default: break
        }
    }
}
