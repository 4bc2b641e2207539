// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Writes each record to a file descriptor at once (a pipe to the supervisor, as a rule). Blocks while the pipe is
/// full: losing evidence is worse than being slow. Does nothing after the reader has gone.
package struct DescriptorSink: RecordSink {
    private let descriptor: CInt

    /// Ignores SIGPIPE for the whole process, as NIO does with its first socket: a reader that has gone is an error
    /// here, never the process's end.
    package init(descriptor: CInt) {
        self.descriptor = descriptor
        signal(SIGPIPE, SIG_IGN)
    }

    package func append(_ line: ByteBuffer) {
        var line = line
        line.writeInteger(UInt8(ascii: "\n"))
        line.withUnsafeReadableBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count > 0 {
                    rest = rest.dropFirst(count)
                } else if count < 0, errno == EAGAIN {
                    awaitRoom()
                } else if count < 0, errno == EINTR {
                    continue
                } else {
                    return
                }
            }
        }
    }

    /// The descriptor does not block (its other users set it so): sleeps until the reader has made room or has gone.
    private func awaitRoom() {
        var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        poll(&wanted, 1, -1)
    }
}
