// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// The connection is closed in order once so many bytes of the stream have passed, in the middle of a message if need
/// be.
package struct LimitDataToxic: Hashable, Sendable {
    package var bytes: Int

    package init(bytes: Int) { self.bytes = bytes }

    package var phrase: String { "closed behind \(bytes) bytes" }
}

package struct LimitDataMachine: StreamToxic {
    private let limit: Int
    private var passed = 0

    package init(_ settings: LimitDataToxic) { limit = settings.bytes }

    package mutating func push(_ chunk: ByteBuffer, at now: NIODeadline) -> [Delivery] {
        var chunk = chunk
        let passing = chunk.readSlice(length: min(chunk.readableBytes, max(0, limit - passed))) ?? ByteBuffer()
        passed += passing.readableBytes
        return (passing.readableBytes > 0 ? [.bytes(passing)] : []) + (passed >= limit ? [.end(.severed)] : [])
    }

    package mutating func adopt(_ former: any StreamToxic) {
        if let former = former as? LimitDataMachine { passed = former.passed }
    }
}
