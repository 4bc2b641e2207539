// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document
import FoundationEssentials

/// Reads journals. Never crashes on what it is given: a line that cannot be read is a `Problem` with file and line, and
/// the rest is read all the same.
package struct JournalReader {
    /// What a journal held, beside its events.
    package struct Summary: Sendable {
        /// Lines that are broken. A verdict over a journal with any is doubtful.
        package var problems = Problems()
        /// What a reader should know: a last line cut off by a crash, lines of a newer version.
        package var notes: [String] = []
        package var events = 0
    }

    /// More broken lines than this are counted, not listed.
    private static let maximumProblems = 20

    /// Reads a file and hands over its events in order.
    ///
    /// - Throws: `Problem` when the file cannot be read at all.
    package static func read(path: String, _ handle: (JournalEvent) -> Void) throws(Problem) -> Summary {
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: path), options: .mappedIfSafe)
        } catch {
            throw Problem(at: nil, "cannot read the journal \(path)", advice: "give the journal.jsonl of a run")
        }
        return data.withUnsafeBytes { read(bytes: $0, file: path, handle) }
    }

    /// Reads a file into a view that is ready for the judges.
    package static func view(path: String) throws(Problem) -> (view: JournalView, summary: Summary) {
        var builder = JournalView.Builder()
        let summary = try read(path: path) { builder.append($0) }
        return (builder.finished(), summary)
    }

    package static func read(
        bytes: UnsafeRawBufferPointer, file: String, _ handle: (JournalEvent) -> Void
    ) -> Summary {
        var summary = Summary()
        var broken = 0
        var number = 0
        var start = 0
        while start < bytes.count {
            number += 1
            let end = bytes[start...].firstIndex(of: 0x0A)
            let line = UnsafeRawBufferPointer(rebasing: bytes[start..<(end ?? bytes.count)])
            start = (end ?? bytes.count) + 1
            if line.allSatisfy({ $0 == 0x20 || $0 == 0x0D }) { continue }
            do {
                if let event = try JournalEvent(line: line) {
                    handle(event)
                    summary.events += 1
                } else {
                    summary.notes.append("\(file):\(number): a kind of event that this version does not know, skipped")
                }
            } catch {
                if end == nil {
                    summary.notes.append(
                        "\(file):\(number): the last line is cut off (the run ended in a crash), ignored")
                } else {
                    broken += 1
                    if broken <= maximumProblems {
                        let place = SourceLocation(file: file, line: number, column: 1)
                        summary.problems.add(Problem(at: place, error.message, advice: error.advice))
                    }
                }
            }
        }
        if broken > maximumProblems {
            summary.notes.append("\(file): \(broken - maximumProblems) more broken lines")
        }
        return summary
    }
}
