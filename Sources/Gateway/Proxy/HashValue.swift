// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Wire
import World

/// What of a request is hashed for consistent hashing (kong/runloop/balancer/init.lua, kong-facts 5.4).
struct HashValue {
    /// Nil: there is nothing to hash, so the fallback is tried; without that, all such requests go to one target.
    var text: String?
    /// A cookie that the client is given so that it comes back to the same target: the whole value of Set-Cookie.
    var setCookie: String?

    /// - Parameter newCookie: makes the value of a cookie that the client does not have yet.
    init(
        of upstream: Upstream, _ head: RequestHead, _ match: RouteMatch, client: ClientFacts, newCookie: () -> String
    ) {
        text = Self.text(upstream.hashOn, head, match, client)
        if text == nil, case .cookie(let name, let path) = upstream.hashOn {
            let value = newCookie()
            text = value
            setCookie = "\(name)=\(value); Path=\(path); Same-Site=Lax; HttpOnly"
        }
        if text == nil { text = Self.text(upstream.hashFallback, head, match, client) }
    }

    private static func text(
        _ input: Upstream.HashInput, _ head: RequestHead, _ match: RouteMatch, _ client: ClientFacts
    ) -> String? {
        switch input {
        // Without authentication nobody is a consumer.
        case .none, .consumer: return nil
        case .ip: return client.address
        case .path:
            return head.bytes.withUnsafeReadableBytes {
                String(decoding: RequestPath.normalized($0[head.path]), as: UTF8.self)
            }
        case .header(let name):
            let values = head.values(of: name)
            return values.isEmpty ? nil : values.joined(separator: ", ")
        case .cookie(let name, _): return cookie(name, head)
        case .queryArgument(let name): return queryArgument(name, head)
        case .uriCapture(let name): return match.capture(name)
        }
    }

    private static func cookie(_ name: String, _ head: RequestHead) -> String? {
        for pair in head.values(of: "cookie").flatMap({ $0.split(separator: ";") }) {
            let parts = pair.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, parts[0].trimmingSpaces() == name[...] else { continue }
            return String(parts[1].trimmingSpaces())
        }
        return nil
    }

    /// All values of an argument: sorted, joined with a comma; a flag without value is "true", one single empty value
    /// is nothing.
    private static func queryArgument(_ name: String, _ head: RequestHead) -> String? {
        var values: [String] = []
        for argument in (head.queryText ?? "").split(separator: "&") {
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard URLText.decoded(parts[0], plusIsSpace: false) == name else { continue }
            values.append(parts.count == 2 ? URLText.decoded(parts[1], plusIsSpace: false) : "true")
        }
        return values.isEmpty || values == [""] ? nil : values.sorted().joined(separator: ",")
    }
}

extension Substring {
    fileprivate func trimmingSpaces() -> Substring {
        guard let first = firstIndex(where: { !$0.isWhitespace }), let last = lastIndex(where: { !$0.isWhitespace })
        else {
            return ""
        }
        return self[first...last]
    }
}
