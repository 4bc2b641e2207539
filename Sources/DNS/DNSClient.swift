// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
package import World

/// Looks host names up at name servers of its own choice. Keeps what it learnt for as long as it holds; the same
/// question is never under way twice. Confined to one loop. It decides nothing: `DNSLookup` and `DNSCache` do.
package final class DNSClient {
    private let settings: DNSSettings
    private let exchanges: DNSExchanges
    private let loop: any EventLoop
    private var cache: DNSCache
    private var underWay: [DNSQuestion: EventLoopFuture<DNSReply>] = [:]

    package init(_ settings: DNSSettings, network: any Network, loop: any EventLoop, random: RandomStreams) {
        self.settings = settings
        self.loop = loop
        cache = DNSCache(settings)
        exchanges = DNSExchanges(settings, network: network, loop: loop, random: random)
    }

    /// - Parameter port: goes into the addresses where no SRV record has one.
    /// - Returns: on the loop; fails with `NameFailure`.
    package func resolve(_ host: String, port: Int) -> EventLoopFuture<NameAnswer> {
        loop.assertInEventLoop()
        guard (0...65_535).contains(port), let name = DomainName(host) else {
            return loop.makeFailedFuture(NameFailure(.unusable, "dns client error: \(host) is no host name"))
        }
        // RFC 6761 section 6.3: never a name server's business.
        if name.labels.last == Array("localhost".utf8) {
            return loop.makeSucceededFuture(NameAnswer([.loopback(port: port)]))
        }
        let lookup = DNSLookup(name, port: port, order: settings.order, last: cache.lastType(of: name))
        let promise = loop.makePromise(of: NameAnswer.self)
        advance(lookup, [:], name, promise)
        return promise.futureResult
    }

    /// - Parameter replies: those of this look-up, which count for it however short they hold.
    private func advance(
        _ lookup: DNSLookup, _ replies: [DNSQuestion: DNSReply], _ name: DomainName,
        _ promise: EventLoopPromise<NameAnswer>
    ) {
        let now = loop.now
        switch lookup.evaluate({ replies[$0] ?? cache.reply(to: $0, now: now) }) {
        case .found(let answer):
            cache.learn(answer.type, of: name)
            promise.succeed(answer)
        case .failed(let failure): promise.fail(failure)
        case .ask(let question):
            ask(question).assumeIsolated().whenComplete { result in
                let reply = (try? result.get()) ?? .noAnswer("dns client error: the question was given up")
                var replies = replies
                replies[question] = reply
                self.advance(lookup, replies, name, promise)
            }
        }
    }

    private func ask(_ question: DNSQuestion) -> EventLoopFuture<DNSReply> {
        if let asked = underWay[question] { return asked }
        let bound = NIOLoopBound(self, eventLoop: loop)
        let asked = exchanges.ask(question).map { reply in
            let client = bound.value
            client.underWay[question] = nil
            return client.cache.insert(reply, to: question, now: client.loop.now)
        }
        underWay[question] = asked
        return asked
    }
}
