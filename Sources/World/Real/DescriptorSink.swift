// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Writes each record to a file descriptor at once (a pipe to the supervisor, as a rule). Blocks while the pipe is full:
/// losing evidence is worse than being slow. Does nothing after the reader has gone.
package struct DescriptorSink: RecordSink {
    private let descriptor: CInt

    package init(descriptor: CInt) { self.descriptor = descriptor }

    package func append(_ line: ByteBuffer) {
        var line = line
        line.writeInteger(UInt8(ascii: "\n"))
        line.withUnsafeReadableBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count > 0 {
                    rest = rest.dropFirst(count)
                } else if count < 0, errno == EINTR || errno == EAGAIN {
                    continue
                } else {
                    return
                }
            }
        }
    }
}
