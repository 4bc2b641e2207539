// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// The end of a child's log, for the message that tells of its failure.
package enum LogTail {
    /// - Returns: the last lines that are not empty, at most `count`; none when the file cannot be read.
    package static func lines(of path: String, count: Int = 12) -> [String] {
        guard let data = FileManager.default.contents(atPath: path) else { return [] }
        // A log may be long; its last lines are in its last few KiB.
        let text = String(decoding: data.suffix(16 * 1024), as: UTF8.self)
        return text.split(whereSeparator: \.isNewline).suffix(count).map(String.init)
    }
}
