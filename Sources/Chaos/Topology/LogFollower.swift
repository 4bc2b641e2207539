// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Reads what a log has got since the last look. A line is handed over when it is whole.
struct LogFollower {
    /// A longer line is cut here.
    static let longestLine = 4_096
    /// At most so much a look, so that a node that logs without end delays nobody.
    private static let mostBytes = 1 << 20

    private let path: String
    private var offset: off_t = 0
    private var rest: [UInt8] = []

    init(path: String) { self.path = path }

    mutating func newLines() -> [String] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        var lines: [String] = []
        var total = 0
        while total < Self.mostBytes {
            let count = pread(descriptor, &buffer, buffer.count, offset)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            offset += off_t(count)
            total += count
            take(buffer[..<count], into: &lines)
        }
        return lines
    }

    private mutating func take(_ bytes: ArraySlice<UInt8>, into lines: inout [String]) {
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                lines.append(String(decoding: rest, as: UTF8.self))
                rest = []
            } else if rest.count < Self.longestLine {
                rest.append(byte)
            }
        }
    }
}
