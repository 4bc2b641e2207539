// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Files that a person names.
enum FileText {
    /// Longest file that is read: no configuration or scenario is larger.
    private static let mostBytes = 64 * 1024 * 1024

    /// The text of a file.
    ///
    /// - Throws: one problem that says why it cannot be read.
    static func read(_ path: String) throws(Problems) -> String {
        guard let text = String(validating: try bytes(path), as: UTF8.self) else {
            throw Problems([Problem(at: nil, "\(path): not UTF-8 text")])
        }
        return text
    }

    /// What a file holds, whatever it is.
    ///
    /// - Throws: one problem that says why it cannot be read.
    static func bytes(_ path: String) throws(Problems) -> [UInt8] {
        let descriptor = open(path, O_RDONLY)
        guard descriptor >= 0 else {
            throw Problems([Problem(at: nil, "\(path): \(String(cString: strerror(errno)))")])
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0 { throw Problems([Problem(at: nil, "\(path): \(String(cString: strerror(errno)))")]) }
            if count == 0 { break }
            bytes += chunk[..<count]
            if bytes.count > mostBytes {
                throw Problems([
                    Problem(at: nil, "\(path): larger than \(mostBytes) bytes", advice: "name another file")
                ])
            }
        }
        return bytes
    }

    /// Puts a text into a file, in the place of what it held.
    ///
    /// - Throws: one problem that says why it cannot be written.
    static func write(_ text: String, _ path: String) throws(Problems) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        guard descriptor >= 0 else {
            throw Problems([Problem(at: nil, "\(path): \(String(cString: strerror(errno)))")])
        }
        defer { close(descriptor) }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Problems([Problem(at: nil, "\(path): \(String(cString: strerror(errno)))")]) }
            rest = rest.dropFirst(count)
        }
    }
}
