// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Bytes that are too many for memory, in a temporary file without a name: it is gone when nobody holds it any more,
/// whatever happens to the process. Neither time nor chance is in it, so it needs no seam.
///
/// Its calls block, as those of nginx do: a write goes to the kernel's page cache.
package final class SpoolFile {
    package struct Failure: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    private let descriptor: CInt
    /// Bytes written so far.
    package private(set) var count: Int64 = 0

    /// Where temporary files belong that may grow large; `/tmp` is memory on many systems.
    package static var defaultDirectory: String { getenv("TMPDIR").map { String(cString: $0) } ?? "/var/tmp" }

    /// - Throws: `Failure` with the directory and the system's words.
    package init(in directory: String) throws(Failure) {
        var path = Array("\(directory)/gatecrash-body-XXXXXX".utf8CString)
        descriptor = mkstemp(&path)
        guard descriptor >= 0 else { throw Self.failure("cannot make a temporary file in \(directory)") }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        unlink(&path)
    }

    deinit { close(descriptor) }

    package func append(_ bytes: ByteBuffer) throws(Failure) {
        var rest = bytes
        while rest.readableBytes > 0 {
            let written = rest.withUnsafeReadableBytes { pwrite(descriptor, $0.baseAddress, $0.count, off_t(count)) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw Self.failure("cannot write a temporary file") }
            rest.moveReaderIndex(forwardBy: written)
            count += Int64(written)
        }
    }

    /// - Returns: bytes from `offset` on, at most `limit`; none at the end.
    package func read(at offset: Int64, upTo limit: Int) throws(Failure) -> ByteBuffer {
        let wanted = Int(max(0, min(Int64(limit), count - offset)))
        var buffer = ByteBufferAllocator().buffer(capacity: wanted)
        while buffer.readableBytes < wanted {
            let position = offset + Int64(buffer.readableBytes)
            let missing = wanted - buffer.readableBytes
            let result = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: missing) { space in
                max(0, pread(descriptor, space.baseAddress, missing, off_t(position)))
            }
            if result == 0 {
                if errno == EINTR { continue }
                throw Self.failure("cannot read a temporary file")
            }
        }
        return buffer
    }

    private static func failure(_ what: String) -> Failure {
        Failure(description: "\(what): \(String(cString: strerror(errno)))")
    }
}
