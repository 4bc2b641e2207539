// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The folder of one run: logs of the children, generated Kong documents.
package struct WorkFolder: Hashable, Sendable {
    package let path: String

    /// Makes a new folder in the system's place for temporary files.
    /// - Throws: `TopologyError` when that is not possible.
    package init(prefix: String = "gatecrash") throws(TopologyError) {
        let parent = FileManager.default.temporaryDirectory.path
        let separator = parent.hasSuffix("/") ? "" : "/"
        var template = Array("\(parent)\(separator)\(prefix)-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else {
            throw TopologyError(
                "no folder can be made in \(parent): \(systemMessage(errno)); set TMPDIR to a folder "
                    + "that may be written to"
            )
        }
        path = String(cString: made)
    }

    package func file(_ name: String) -> String { "\(path)/\(name)" }

    func write(_ text: String, to name: String) throws(TopologyError) -> String {
        let place = file(name)
        guard FileManager.default.createFile(atPath: place, contents: Data(text.utf8)) else {
            throw TopologyError("\(place) cannot be written: \(systemMessage(errno))")
        }
        return place
    }

    /// A folder in it; one that is there already will do.
    func makeFolder(_ name: String) throws(TopologyError) -> String {
        let place = file(name)
        do { try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true) } catch {
            throw TopologyError("\(place) cannot be made: \(error)")
        }
        return place
    }

    package func remove() { try? FileManager.default.removeItem(atPath: path) }
}
