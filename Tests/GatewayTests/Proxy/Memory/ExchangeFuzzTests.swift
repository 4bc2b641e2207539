// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayHarness
import Testing
import World

/// The same checks as the fuzzer's (`ci/fuzz`): over everything that it has kept, and over random damage of what is
/// ambiguous already.
@Suite struct ExchangeFuzzTests {
    private static func kept(_ target: FuzzTarget) throws -> [URL] {
        let folder = try #require(Bundle.module.url(forResource: "Data", withExtension: nil))
            .appendingPathComponent("fuzz/\(target.rawValue)")
        return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .sorted { $0.path < $1.path }
    }

    @Test(arguments: FuzzTarget.allCases)
    func `every input that the fuzzer kept goes well`(target: FuzzTarget) throws {
        let files = try Self.kept(target)
        #expect(files.count > 20)
        for file in files {
            let problem = target.problem(with: Array(try Data(contentsOf: file)))
            #expect(problem == nil, "\(target)/\(file.lastPathComponent)")
        }
    }

    /// A failing round is named by its number, and repeats by itself.
    @Test(arguments: 0..<4)
    func `damaged requests and responses go through, or are refused, and never become something else`(part: Int) {
        let rounds = 1500
        for round in stride(from: part, to: rounds, by: 4) {
            var random = RandomStream(seed: 0x5b1d, name: "exchange \(round)")
            let input = Self.input(&random)
            guard let problem = ExchangeChecker.problem(with: input) else { continue }
            Issue.record(
                "round \(round): \(problem); the input was \(String(decoding: input, as: UTF8.self).debugDescription)")
            return
        }
    }

    @Test func `damaged heads are read as by llhttp, or refused`() {
        for round in 0..<6000 {
            var random = RandomStream(seed: 0x5b1d, name: "head \(round)")
            let isResponse = random.chance(0.4)
            let rows = isResponse ? ResponseSplittingTests.rows.map(\.send) : SmugglingTests.rows.map(\.send)
            var input = rows[Int(random.below(UInt64(rows.count)))]
            Self.damage(&input, &random)
            guard let problem = HeadChecker.problem(with: [isResponse ? 1 : 0] + input) else { continue }
            Issue.record("round \(round): \(problem)")
            return
        }
    }

    private static func input(_ random: inout RandomStream) -> [UInt8] {
        let requests = SmugglingTests.rows, responses = ResponseSplittingTests.rows
        var client: [UInt8] = []
        for _ in 0...random.below(3) { client += requests[Int(random.below(UInt64(requests.count)))].send }
        if random.chance(0.7) { damage(&client, &random) }
        var input = [UInt8(truncatingIfNeeded: random.next()) & 0x1f] + client.filter { $0 != 0x1e }
        for _ in 0..<3 {
            var answer = Array("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".utf8)
            if random.chance(0.6) { answer = responses[Int(random.below(UInt64(responses.count)))].send }
            if random.chance(0.3) { damage(&answer, &random) }
            input += [0x1e] + answer.filter { $0 != 0x1e }
        }
        return input
    }

    private static let trouble = Array("\r\n\r\n \t\0:;,0123456789abcfF/%?#[]\u{7f}".utf8)

    private static func damage(_ bytes: inout [UInt8], _ random: inout RandomStream) {
        for _ in 0..<random.below(5) where !bytes.isEmpty {
            let place = Int(random.below(UInt64(bytes.count)))
            switch random.below(5) {
            case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
            case 1: bytes.remove(at: place)
            case 2: bytes.insert(trouble[Int(random.below(UInt64(trouble.count)))], at: place)
            case 3: bytes.removeSubrange(place..<min(bytes.count, place + Int(random.below(20))))
            default: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + Int(random.below(40)))], at: place)
            }
        }
    }
}
