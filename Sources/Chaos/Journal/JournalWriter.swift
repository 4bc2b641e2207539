// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Writes a journal, a line an event, through a buffer.
///
/// Confined to one thread or event loop. A write that fails (disk full) never stops a run: it is kept in `failure`,
/// what follows is dropped, and whoever closes the journal says so.
package final class JournalWriter {
    package let path: String
    /// The first thing that went wrong.
    package private(set) var failure: Problem?

    private var descriptor: CInt
    private var buffer: [UInt8] = []

    /// Bytes gathered before they are written: large enough that 10⁵ requests a second cost few system calls.
    private static let bufferSize = 64 * 1024

    /// Creates the file; an old one is overwritten.
    ///
    /// - Throws: `Problem` when the file cannot be created.
    package init(path: String) throws(Problem) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw Problem(
                at: nil, "cannot write the journal \(path): \(Self.reason(errno))",
                advice: "give a path in a folder that exists and may be written to")
        }
        buffer.reserveCapacity(Self.bufferSize + 4096)
    }

    deinit { if descriptor >= 0 { _ = sys_close(descriptor) } }

    package func append(_ event: JournalEvent) {
        buffer.append(contentsOf: event.line)
        if buffer.count >= Self.bufferSize { flush() }
    }

    /// Hands everything gathered so far to the kernel, so that a crash of the runner loses none of it.
    package func flush() {
        defer { buffer.removeAll(keepingCapacity: true) }
        guard descriptor >= 0, failure == nil else { return }
        var written = 0
        while written < buffer.count {
            let result = buffer.withUnsafeBytes { sys_write(descriptor, $0.baseAddress! + written, $0.count - written) }
            if result < 0 {
                if errno == EINTR { continue }
                failure = Problem(at: nil, "cannot write the journal \(path): \(Self.reason(errno))")
                return
            }
            written += result
        }
    }

    /// Flushes and closes. - Throws: the first `failure`.
    package func close() throws(Problem) {
        flush()
        if descriptor >= 0 { _ = sys_close(descriptor) }
        descriptor = -1
        if let failure { throw failure }
    }

    private static func reason(_ code: CInt) -> String { String(cString: strerror(code)) }
}

/// The class has methods of the same names.
private func sys_close(_ descriptor: CInt) -> CInt { close(descriptor) }
private func sys_write(_ descriptor: CInt, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
