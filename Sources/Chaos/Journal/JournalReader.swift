// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Reads journals, piece by piece: a journal may be larger than the memory. Never crashes on what it is given: a line
/// that cannot be read is a `Problem` with file and line, and the rest is read all the same.
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
    /// The longest line is a header with its scenario; what is longer is no journal.
    private static let maximumLine = 256 << 20
    private static let chunk = 1 << 20

    private let file: String
    private var summary = Summary()
    private var broken = 0
    private var unknown = 0
    private var number = 0

    private init(file: String) { self.file = file }

    /// Reads a file and hands over its events in order.
    ///
    /// - Throws: `Problem` when the file cannot be read at all.
    package static func read(path: String, _ handle: (JournalEvent) -> Void) throws(Problem) -> Summary {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unreadable(path, errno) }
        defer { close(descriptor) }
        var reader = JournalReader(file: path)
        // The bytes of a line that has begun, then those just read.
        var buffer: [UInt8] = []
        while true {
            let kept = buffer.count
            guard kept <= maximumLine else {
                throw Problem(
                    at: nil, "\(path): a line of more than \(maximumLine) bytes", advice: "name a journal of a run")
            }
            buffer.append(contentsOf: repeatElement(0, count: chunk))
            let count = buffer.withUnsafeMutableBytes { systemRead(descriptor, $0.baseAddress! + kept, chunk) }
            if count < 0, errno != EINTR { throw unreadable(path, errno) }
            buffer.removeLast(chunk - max(0, count))
            if count < 0 { continue }
            let used = buffer.withUnsafeBytes { reader.take($0, from: kept, isLast: count == 0, handle) }
            if count == 0 { break }
            buffer.removeFirst(used)
        }
        return reader.finished()
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
        var reader = JournalReader(file: file)
        _ = reader.take(bytes, from: 0, isLast: true, handle)
        return reader.finished()
    }

    private static func unreadable(_ path: String, _ code: CInt) -> Problem {
        Problem(
            at: nil, "cannot read the journal \(path): \(systemMessage(code))", advice: "give the journal of a run")
    }
}

// MARK: Lines

extension JournalReader {
    /// Reads the whole lines of the bytes, and what is behind the last line feed when nothing follows.
    ///
    /// - Parameter searched: up to here there is no line feed.
    /// - Returns: the number of bytes that are done with.
    private mutating func take(
        _ bytes: UnsafeRawBufferPointer, from searched: Int, isLast: Bool, _ handle: (JournalEvent) -> Void
    ) -> Int {
        var start = 0
        var search = searched
        while search < bytes.count,
            let found = memchr(bytes.baseAddress! + search, 0x0A, bytes.count - search)
        {
            let end = UnsafeRawPointer(found) - bytes.baseAddress!
            line(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), isWhole: true, handle)
            (start, search) = (end + 1, end + 1)
        }
        if isLast, start < bytes.count {
            line(UnsafeRawBufferPointer(rebasing: bytes[start...]), isWhole: false, handle)
            start = bytes.count
        }
        return start
    }

    private mutating func line(_ line: UnsafeRawBufferPointer, isWhole: Bool, _ handle: (JournalEvent) -> Void) {
        number += 1
        if line.allSatisfy({ $0 == 0x20 || $0 == 0x0D }) { return }
        do {
            if let event = try JournalEvent(line: line) {
                handle(event)
                summary.events += 1
            } else {
                unknown += 1
                guard unknown <= Self.maximumProblems else { return }
                summary.notes.append("\(file):\(number): a kind of event that this version does not know, skipped")
            }
        } catch {
            guard isWhole else {
                return summary.notes.append(
                    "\(file):\(number): the last line is cut off (the run ended in a crash), ignored")
            }
            broken += 1
            guard broken <= Self.maximumProblems else { return }
            let place = SourceLocation(file: file, line: number, column: 1)
            summary.problems.add(Problem(at: place, error.message, advice: error.advice))
        }
    }

    private consuming func finished() -> Summary {
        if broken > Self.maximumProblems {
            summary.notes.append("\(file): \(broken - Self.maximumProblems) more broken lines")
        }
        if unknown > Self.maximumProblems {
            summary.notes.append("\(file): \(unknown - Self.maximumProblems) more events of unknown kinds")
        }
        return summary
    }
}

/// The type has a method of that name.
private func systemRead(_ descriptor: CInt, _ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int {
    read(descriptor, bytes, count)
}
