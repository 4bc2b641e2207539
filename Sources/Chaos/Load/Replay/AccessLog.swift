// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

#if GATECRASH_DEFECTS
import Defects
#endif

/// The requests of an access log with the times between them: what a replay sends. Read from the combined or common
/// format of Apache and nginx, and from JSON lines (Kong's log plugins, nginx with a JSON format), line by line.
///
/// Not a record of bodies: a log has none, so a POST is replayed with an empty one.
package struct AccessLog: Hashable, Sendable {
    package struct Entry: Hashable, Sendable {
        /// From the first request of the log.
        package var start: Nanoseconds
        package var method: String
        /// Path and query.
        package var target: String
    }

    /// A log of more requests than this is not read.
    package static let mostEntries = 1_000_000

    /// In the order of their starts.
    package let entries: [Entry]
    /// Lines that hold no request (a port scan, a TLS handshake sent to a plain port), which cannot be replayed.
    package let skipped: Int

    /// - Parameter file: names the file in messages.
    /// - Throws: every line that is no line of a log, at most twenty of them, with file, line and column.
    package init(parsing text: String, file: String) throws(Problems) {
        var problems = Problems()
        var lines: [(line: AccessLogLine, order: Int)] = []
        var skipped = 0
        for (index, text) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let trimmed = text.drop { $0 == " " || $0 == "\t" }
            if trimmed.allSatisfy(\.isWhitespace) { continue }
            do throws(SyntaxMistake) {
                guard let line = try AccessLogLine(text) else {
                    skipped += 1
                    continue
                }
                lines.append((line, index))
            } catch {
                let place = SourceLocation(file: file, line: index + 1, column: error.offset + 1)
                problems.add(Problem(at: place, error.message, advice: error.advice))
            }
            if problems.list.count >= 20 { throw problems }
            if lines.count > Self.mostEntries {
                throw Problems([
                    Problem(
                        at: SourceLocation(file: file, line: index + 1, column: 1),
                        "the log has more than \(Self.mostEntries) requests", advice: "cut it: head -n 1000000")
                ])
            }
        }
        guard problems.isEmpty else { throw problems }
        lines.sort { ($0.line.time, $0.order) < ($1.line.time, $1.order) }
        entries = Self.entries(lines.map(\.line))
        self.skipped = skipped
        if entries.isEmpty {
            throw Problems([
                Problem(
                    at: SourceLocation(file: file, line: 1, column: 1), "the log has no request to replay",
                    advice: skipped > 0 ? "all \(skipped) lines hold none" : "the file is empty")
            ])
        }
    }

    /// When the last request starts, and so how long it takes to start them all.
    ///
    /// - Parameter speed: 2 replays in half the time.
    package func length(speed: Double) -> Nanoseconds {
        start(of: entries.count - 1, speed: speed) + .milliseconds(1)
    }

    package func start(of index: Int, speed: Double) -> Nanoseconds {
        let start = entries[index].start
        #if GATECRASH_DEFECTS
        let even = Double(index) / Double(entries.count) * (entries.last?.start.inSeconds ?? 0)
        if Defect.replayEven.isChosen { return Nanoseconds(seconds: even / speed) }
        #endif
        return speed == 1 ? start : Nanoseconds(seconds: start.inSeconds / speed)
    }

    /// Lines whose times are whole seconds are spread evenly over their second, for a log that says no more does not
    /// mean that all came at once.
    private static func entries(_ lines: [AccessLogLine]) -> [Entry] {
        guard let first = lines.first?.time else { return [] }
        let isCoarse = lines.allSatisfy(\.isWholeSecond)
        var entries: [Entry] = []
        entries.reserveCapacity(lines.count)
        var index = 0
        while index < lines.count {
            var end = index + 1
            while end < lines.count, lines[end].time == lines[index].time { end += 1 }
            for place in index..<end {
                let within = isCoarse ? Int64(place - index) * 1_000_000_000 / Int64(end - index) : 0
                entries.append(
                    Entry(
                        start: Nanoseconds(lines[place].time - first + within), method: lines[place].method,
                        target: lines[place].target))
            }
            index = end
        }
        return entries
    }
}
