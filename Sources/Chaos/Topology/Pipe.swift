// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import CPlatform
import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Pipes to children. Both ends are closed on exec: a child that inherited another child's end would keep its own stdin
/// open for ever, and outlive the runner.
enum Pipe {
    static func make() throws(TopologyError) -> (read: CInt, write: CInt) {
        var ends: [CInt] = [0, 0]
        let code = gatecrash_pipe(&ends)
        guard code == 0 else {
            throw TopologyError(
                "no pipe could be made: \(systemMessage(errno)); raise the limit of open files (ulimit -n)")
        }
        return (ends[0], ends[1])
    }

    /// Reads until the end, and gives whole lines as they come, without line feeds; a last line without one counts too.
    static func readLines(from descriptor: CInt, _ deliver: ([ByteBuffer]) -> Void) {
        var rest = ByteBuffer()
        while true {
            let count = rest.writeWithUnsafeMutableBytes(minimumWritableBytes: 65_536) { space in
                var count = read(descriptor, space.baseAddress, space.count)
                while count < 0, errno == EINTR { count = read(descriptor, space.baseAddress, space.count) }
                return max(count, 0)
            }
            let lines = takeLines(from: &rest)
            if !lines.isEmpty { deliver(lines) }
            guard count > 0 else { break }
        }
        if rest.readableBytes > 0 { deliver([rest]) }
    }

    /// Takes the whole lines off the front, without their line feeds. What the buffer keeps is the rest alone: a buffer
    /// that is only read and written grows for as long as lines come.
    static func takeLines(from buffer: inout ByteBuffer) -> [ByteBuffer] {
        var lines: [ByteBuffer] = []
        while let length = buffer.readableBytesView.firstIndex(of: UInt8(ascii: "\n")).map({ $0 - buffer.readerIndex }),
            let line = buffer.readSlice(length: length)
        {
            buffer.moveReaderIndex(forwardBy: 1)
            lines.append(line)
        }
        buffer.discardReadBytes()
        return lines
    }
}
