// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

// What a scenario may read: text files of its own folder and below, wherever links lead. It may come from anywhere.
extension ScenarioFile {
    /// The same reader, for files that do not leave the scenario's folder.
    func confined(
        _ read: @escaping @Sendable (String) throws(Problems) -> String
    ) -> @Sendable (String) throws(Problems) -> String {
        { (path) throws(Problems) in
            guard self.contains(path) else {
                throw Problems([
                    Problem(
                        at: nil, "`\(path)` is not in the scenario's folder", advice: "put the file beside the scenario"
                    )
                ])
            }
            return try read(path)
        }
    }
}

/// The bytes of a file, up to a limit, whatever the file is: a pipe of the shell, or a device that never ends.
enum BoundedFile {
    enum Failure: Error { case unreadable(CInt), tooLarge }

    static func bytes(of path: String, limit: Int) throws(Failure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .unreadable(errno) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            if count < 0 { throw .unreadable(errno) }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            if bytes.count > limit { throw .tooLarge }
        }
    }
}
