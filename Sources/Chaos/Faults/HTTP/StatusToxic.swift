// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Wire

/// The answer is replaced by one of this status. The server has got the request and its answer is thrown away; the
/// connection goes on.
package struct StatusToxic: Hashable, Sendable {
    package var code: Int
    /// The share of answers, 0...1.
    package var rate: Double
    /// Nil: the reason phrase.
    package var body: String?

    package init(code: Int, rate: Double = 1, body: String? = nil) {
        self.code = code
        self.rate = rate
        self.body = body
    }

    package var phrase: String { "status \(code)" + (rate < 1 ? " for \(Ratio(rate)) of answers" : "") }
}

struct StatusMachine: MessageToxic {
    let settings: StatusToxic

    mutating func take(_ part: MessagePart, at now: NIODeadline) -> [MessagePart] {
        switch part {
        case .head(let head): return answer(to: head)
        case .body: return []
        case .end, .raw(.end): return [part]
        case .raw(.bytes): return []
        }
    }

    private func answer(to head: MessageHead) -> [MessagePart] {
        guard case .response(_, let answersHead) = head.kind else { return [.head(head)] }
        let hasBody = settings.code != 204 && settings.code != 304
        let body = hasBody ? settings.body ?? reasonPhrase(of: settings.code) + "\n" : ""
        var text = "HTTP/1.1 \(settings.code) \(reasonPhrase(of: settings.code))\r\n"
        if hasBody { text += "Content-Type: text/plain; charset=utf-8\r\nContent-Length: \(body.utf8.count)\r\n" }
        text += "Connection: \(head.keepsAlive ? "keep-alive" : "close")\r\n\r\n"
        let sends = !body.isEmpty && !answersHead
        let replaced = MessageHead(
            ByteBuffer(string: text), kind: .response(status: settings.code, answersHead: answersHead),
            framing: sends ? .length(Int64(body.utf8.count)) : .none, keepsAlive: head.keepsAlive, hits: head.hits)
        return [.head(replaced)] + (sends ? [.body(ByteBuffer(string: body))] : [])
    }
}
