// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// Where a process hands over evidence: one line a record. The record is out of the process's hands when `append`
/// returns, so that a SIGKILL a moment later loses nothing.
package protocol RecordSink: Sendable {
    /// - Parameter line: one record without a line feed, at most 4095 bytes (PIPE_BUF less one), so that records of
    ///   several threads never mix.
    func append(_ line: ByteBuffer)
}
