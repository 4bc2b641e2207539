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
            guard self.isInside(path) else {
                throw Problems([
                    Problem(
                        at: nil, "`\(path)` is not in the scenario's folder", advice: "put the file beside the scenario"
                    )
                ])
            }
            return try read(path)
        }
    }

    /// - Parameter path: as `resolve` gave it.
    private func isInside(_ path: String) -> Bool {
        let folder = self.path.lastIndex(of: "/").map { String(self.path[...$0]) } ?? ""
        guard path.hasPrefix(folder), folder.isEmpty == false || !path.hasPrefix("/") else { return false }
        var depth = 0
        for part in path.dropFirst(folder.count).split(separator: "/") where part != "." {
            depth += part == ".." ? -1 : 1
            if depth < 0 { return false }
        }
        // What is not there leads nowhere: reading it says so.
        guard let real = Self.realPath(path), let root = Self.realPath(folder.isEmpty ? "." : folder) else {
            return true
        }
        return real.hasPrefix(root.hasSuffix("/") ? root : root + "/")
    }

    /// With links resolved; nil for what does not exist.
    private static func realPath(_ path: String) -> String? {
        guard let found = realpath(path, nil) else { return nil }
        defer { free(found) }
        return String(cString: found)
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
