// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// Finds programs as a shell does.
package enum ProgramSearch {
    /// The path of a program: as it is when it has a slash, else the first match in PATH and where administrators'
    /// programs are; nil when there is none that can be run.
    package static func find(_ name: String, in environment: [String: String]) -> String? {
        if name.contains("/") { return FileManager.default.isExecutableFile(atPath: name) ? name : nil }
        let folders =
            (environment["PATH"] ?? "").split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/local/sbin"]
        for folder in folders where folder.hasPrefix("/") {
            let path = folder + "/" + name
            var isFolder = false
            if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder,
                FileManager.default.isExecutableFile(atPath: path)
            {
                return path
            }
        }
        return nil
    }
}
