// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Wire
import World

/// Makes the n-th request of a load out of its templates; what is the same in all of them is written once.
struct LoadRequestFactory {
    struct Request {
        var head: HeadWriter
        var method: HTTPMethod
        var body: ByteBuffer
    }

    private struct Choice {
        var template: RequestTemplate
        var method: HTTPMethod
        /// Start line, headers and body when no template has anything to fill in.
        var prepared: (head: HeadWriter, body: ByteBuffer)?
        /// The sum of the weights up to this one.
        var upTo: Double
    }

    private let load: String
    private let authority: String
    private let closes: Bool
    private let text: (TextTemplate, Int) -> String
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
        self.authority = authority
        closes = !spec.reusesConnections
        self.random = random
        self.text = text
        for entry in spec.mix {
            var choice = Choice(
                template: entry.request, method: HTTPMethod(entry.request.method), prepared: nil,
                upTo: (choices.last?.upTo ?? 0) + entry.weight)
            if Self.isConstant(entry.request) { choice.prepared = make(entry.request, 1) }
            choices.append(choice)
        }
    }

    /// The request of a number. Every call draws from the mix, so the n-th call makes the n-th request.
    mutating func request(_ number: Int) -> Request {
        let choice = draw()
        var (head, body) = choice.prepared ?? make(choice.template, number)
        head.buffer.writeStaticString("X-Chaos-Id: ")
        head.buffer.writeString(load)
        head.buffer.writeStaticString("-")
        head.buffer.writeDecimal(number)
        head.buffer.writeStaticString("\r\n")
        return Request(head: head, method: choice.method, body: body)
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

    private func make(_ template: RequestTemplate, _ number: Int) -> (head: HeadWriter, body: ByteBuffer) {
        func fill(_ template: TextTemplate) -> String { template.constant ?? text(template, number) }
        var head = HeadWriter(method: template.method, target: Self.target(fill(template.path)))
        if !template.headers.contains(where: { $0.name.lowercased() == "host" }) { head.add("Host", authority) }
        for header in template.headers { head.add(header.name, fill(header.value)) }
        if closes { head.add("Connection", "close" as StaticString) }
        return (head, ByteBuffer(string: template.body.map(fill) ?? ""))
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

extension HTTPMethod {
    fileprivate init(_ name: String) {
        switch name {
        case "GET": self = .get
        case "HEAD": self = .head
        case "POST": self = .post
        case "PUT": self = .put
        case "DELETE": self = .delete
        case "CONNECT": self = .connect
        case "OPTIONS": self = .options
        case "TRACE": self = .trace
        case "PATCH": self = .patch
        default: self = .other
        }
    }
}
