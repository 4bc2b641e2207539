// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Wire
import World

/// Makes the n-th request of a load out of its templates; what is the same in all of them is written once.
struct LoadRequestFactory {
    private struct Choice {
        var template: RequestTemplate
        var method: HTTPMethod
        /// What stands before and behind the id when no template has anything to fill in.
        var prepared: (head: ByteBuffer, rest: ByteBuffer)?
        /// The sum of the weights up to this one.
        var upTo: Double
    }

    private let load: String
    private let authority: String
    private let closes: Bool
    private let text: (TextTemplate, Int) -> String
    /// Says method and path of each request.
    private let log: AccessLog?
    private let isWebSocket: Bool
    private var choices: [Choice] = []
    private var random: RandomStream

    /// - Parameters:
    ///   - authority: for Host, when the template has none.
    ///   - random: draws from the mix.
    ///   - text: fills in a template for a number.
    init(
        spec: LoadSpec, authority: String, random: RandomStream, text: @escaping (TextTemplate, Int) -> String
    ) {
        precondition(!spec.mix.isEmpty, "load \(spec.id) has no request")
        load = spec.id
        isWebSocket = spec.isWebSocket
        log = if case .replay(let log, _) = spec.shape { log } else { nil }
        self.authority = authority
        closes = !spec.reusesConnections
        self.random = random
        self.text = text
        for entry in spec.mix {
            var choice = Choice(
                template: entry.request, method: HTTPMethod(named: entry.request.method), prepared: nil,
                upTo: (choices.last?.upTo ?? 0) + entry.weight)
            if log == nil, Self.isConstant(entry.request) { choice.prepared = make(entry.request, 1) }
            choices.append(choice)
        }
    }

    /// How a session of a WebSocket begins: start line and fields, without those of the handshake.
    var sessionHead: ByteBuffer { make(choices[0].template, 1).head }

    /// The request of a number. Every call draws from the mix, so the n-th call makes the n-th request.
    mutating func request(_ number: Int) -> PreparedRequest {
        if isWebSocket { return message(number) }
        var choice = draw()
        if let log {
            let entry = log.entries[number - 1]
            choice.template.method = entry.method
            choice.template.path = TextTemplate(entry.target)
            choice.method = HTTPMethod(named: entry.method)
        }
        var (bytes, rest) = choice.prepared ?? make(choice.template, number)
        bytes.writeStaticString("X-Chaos-Id: ")
        bytes.writeString(load)
        bytes.writeStaticString("-")
        bytes.writeDecimal(number)
        bytes.writeStaticString("\r\n")
        bytes.writeImmutableBuffer(rest)
        return PreparedRequest(bytes: bytes, method: choice.method)
    }

    /// The id stands in the first line of a message, as it would in a field of a request.
    private func message(_ number: Int) -> PreparedRequest {
        let body = choices[0].template.body.map { $0.constant ?? text($0, number) } ?? ""
        return PreparedRequest(
            bytes: ByteBuffer(string: "X-Chaos-Id: \(load)-\(number)\n\(body)"), method: .get)
    }

    private mutating func draw() -> Choice {
        guard choices.count > 1, let last = choices.last else { return choices[0] }
        let drawn = random.unit() * last.upTo
        return choices.first { drawn < $0.upTo } ?? last
    }

    private static func isConstant(_ template: RequestTemplate) -> Bool {
        template.path.constant != nil && template.headers.allSatisfy { $0.value.constant != nil }
            && (template.body == nil || template.body?.constant != nil)
    }

    private func make(_ template: RequestTemplate, _ number: Int) -> (head: ByteBuffer, rest: ByteBuffer) {
        func fill(_ template: TextTemplate) -> String { template.constant ?? text(template, number) }
        let head = PreparedRequest.head(
            method: template.method, target: Self.target(fill(template.path)), authority: authority,
            headers: template.headers.map { ($0.name, fill($0.value)) }, closes: closes)
        let body = ByteBuffer(string: template.body.map(fill) ?? "")
        return (head, PreparedRequest.rest(method: template.method, body: body))
    }

    /// A path as it may stand in a request line: what may not is percent-encoded.
    private static func target(_ path: String) -> String {
        let path = path.isEmpty ? "/" : path
        guard path.utf8.contains(where: { $0 <= 0x20 || $0 >= 0x7f }) else { return path }
        let digits = Array("0123456789ABCDEF".utf8)
        var target: [UInt8] = []
        for byte in path.utf8 {
            if byte <= 0x20 || byte >= 0x7f {
                target += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            } else {
                target.append(byte)
            }
        }
        return String(decoding: target, as: UTF8.self)
    }
}
