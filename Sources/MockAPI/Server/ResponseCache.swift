// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Wire
import World

/// The bytes of answers, made once a second (for their Date) and not once a request. Confined to the mock's loop.
struct ResponseCache {
    struct Response {
        var head: HeadWriter
        var body: ByteBuffer
    }

    private struct Entry {
        var answer: MockAnswer
        var second: Int64
        var response: Response
    }

    /// The mock gives few different answers, so that a search from the front is the quickest.
    private var entries: [Entry] = []
    private var date = (second: Int64.min, text: "")
    private var bodyBytes: Int?

    /// - Parameter second: of the wall clock, for the Date.
    mutating func response(for answer: MockAnswer, bodyBytes: Int?, second: Int64) -> Response {
        if bodyBytes != self.bodyBytes {
            entries.removeAll()
            self.bodyBytes = bodyBytes
        }
        if let place = entries.firstIndex(where: { $0.answer == answer }) {
            if entries[place].second != second {
                entries[place].second = second
                entries[place].response.head = head(of: answer, second)
            }
            return entries[place].response
        }
        let response = Response(
            head: head(of: answer, second), body: ByteBuffer(string: answer.body(paddedTo: bodyBytes)))
        // Only routes that change all the time can make so many.
        if entries.count >= 512 { entries.removeAll() }
        entries.append(Entry(answer: answer, second: second, response: response))
        return response
    }

    private mutating func head(of answer: MockAnswer, _ second: Int64) -> HeadWriter {
        var head = MockHead.make(
            status: answer.status, contentType: answer.contentType, date: httpDate(of: second))
        if let allow = answer.allow { head.add("Allow", allow) }
        for header in answer.headers { head.add(header.name, header.value) }
        return head
    }

    mutating func httpDate(of second: Int64) -> String {
        if date.second != second { date = (second, CivilTime(secondsSinceEpoch: second).httpDate) }
        return date.text
    }
}

/// The fields that every answer of the mock has.
enum MockHead {
    /// Reason phrases are in capitals, as Werkzeug writes them.
    static func make(status: Int, contentType: String, date: String) -> HeadWriter {
        var head = HeadWriter(status: status, reason: reasonPhrase(of: status).uppercased())
        head.add("Server", "gatecrash-mock")
        head.add("Date", date)
        head.add("Content-Type", contentType)
        return head
    }
}
