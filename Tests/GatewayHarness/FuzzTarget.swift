// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// What `ci/fuzz` fuzzes. The corpus of each is a folder of its name under Tests/GatewayTests/Data/fuzz, of which the
/// tests check every file.
package enum FuzzTarget: String, CaseIterable, Sendable {
    case heads, chunks, exchange

    /// - Returns: what is wrong with what came of an input, or nil.
    package func problem(with input: [UInt8]) -> String? {
        switch self {
        case .heads: HeadChecker.problem(with: input)
        case .chunks: ChunkChecker.problem(with: input)
        case .exchange: ExchangeChecker.problem(with: input)
        }
    }
}
