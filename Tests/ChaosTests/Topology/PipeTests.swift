// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import Chaos

/// Lines of children: mocks' records come by the million.
@Suite struct PipeTests {
    @Test func `lines are taken whole, and the rest stays`() {
        var buffer = ByteBuffer(string: "one\n\ntwo\nthr")
        #expect(Pipe.takeLines(from: &buffer).map { String(buffer: $0) } == ["one", "", "two"])
        buffer.writeString("ee\n")
        #expect(Pipe.takeLines(from: &buffer).map { String(buffer: $0) } == ["three"])
        #expect(Pipe.takeLines(from: &buffer).isEmpty && buffer.readableBytes == 0)
    }

    /// Somebody holds the lines while more is read, as the loop does that they are handed to.
    @Test func `a buffer of lines is as large as a read, however many come`() {
        var buffer = ByteBuffer()
        var held: [ByteBuffer] = []
        for _ in 0..<1000 {
            buffer.writeString("\(String(repeating: "x", count: 4000))\n\(String(repeating: "y", count: 500))")
            held = Pipe.takeLines(from: &buffer)
        }
        #expect(held.count == 1)
        #expect(buffer.storageCapacity < 64 << 10)
    }
}
