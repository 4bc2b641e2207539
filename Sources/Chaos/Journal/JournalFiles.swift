// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document
import FoundationEssentials

/// Which journals a person means: files, and folders of which every `*.jsonl` counts, in the order of their names.
package enum JournalFiles {
    /// - Throws: every path that does not exist; a folder without a journal.
    package static func paths(_ given: [String]) throws(Problems) -> [String] {
        var problems = Problems()
        var paths: [String] = []
        for path in given {
            var isFolder = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
                problems.add(
                    Problem(
                        at: nil, "\(path): there is no such file or folder",
                        advice: "name a journal that `gatecrash run --journal FOLDER` wrote"))
                continue
            }
            guard isFolder else {
                paths.append(path)
                continue
            }
            let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
            let journals = names.filter { $0.hasSuffix(".jsonl") }.sorted()
            if journals.isEmpty {
                problems.add(Problem(at: nil, "\(path): no journal (*.jsonl) in this folder", advice: "name another"))
            }
            paths += journals.map { (path.hasSuffix("/") ? path : path + "/") + $0 }
        }
        if !problems.isEmpty { throw problems }
        return paths
    }
}
