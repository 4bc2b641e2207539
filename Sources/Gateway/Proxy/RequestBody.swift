// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import World

/// What is kept of the body of one request: slices in memory, and all of it in a file once it is too long for that.
struct RequestBody {
    private(set) var slices: [ByteBuffer] = []
    /// Bytes kept, in memory or in the file.
    private(set) var kept: Int64 = 0
    /// Bytes that came, kept or not.
    var received: Int64 = 0
    private(set) var file: SpoolFile?

    mutating func keep(_ bytes: ByteBuffer) {
        slices.append(bytes)
        kept += Int64(bytes.readableBytes)
    }

    /// Keeps bytes of a body that is to be kept whole.
    ///
    /// - Parameters:
    ///   - memory: bytes beyond which all goes to a file.
    ///   - directory: of the file.
    mutating func keep(_ bytes: ByteBuffer, memory: Int, directory: String) throws(SpoolFile.Failure) {
        if let file {
            try file.append(bytes)
            kept += Int64(bytes.readableBytes)
            return
        }
        keep(bytes)
        guard kept > Int64(memory) else { return }
        let file = try SpoolFile(in: directory)
        for slice in slices { try file.append(slice) }
        slices.removeAll(keepingCapacity: true)
        self.file = file
    }

    /// Lets go of all that is kept.
    mutating func release() {
        if !slices.isEmpty { slices.removeAll(keepingCapacity: true) }
        kept = 0
        file = nil
    }
}
