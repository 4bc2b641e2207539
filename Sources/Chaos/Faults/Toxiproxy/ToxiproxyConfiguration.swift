// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document
import NIOCore

/// The file of `gatecrash toxics --config`: a JSON (or YAML) list of proxies in the shape of `POST /populate`, with
/// their toxics. Unlike the API it takes no unknown key: what is in a file is meant.
package struct ToxiproxyConfiguration: Sendable {
    private struct Entry: Sendable {
        var request: ProxyRequest
        var location: SourceLocation
    }

    private var entries: [Entry] = []

    package static let empty = ToxiproxyConfiguration()

    private init() {}

    private static let proxyKeys = ["name", "listen", "upstream", "enabled", "protocol", "toxics"]
    private static let toxicKeys = [
        "name", "type", "stream", "toxicity", "attributes", "decide", "match", "nth", "count",
    ]

    /// - Throws: every mistake of the file, with its place.
    package init(parsing text: String, file: String) throws(Problems) {
        let document = try DocumentNode(parsing: text, file: file)
        var problems = Problems()
        guard let items = document.items else {
            throw Problems([
                Problem(
                    at: document.location, "the file must be a list of proxies, not \(document.kindName)",
                    advice: "write [{\"name\": …, \"listen\": …, \"upstream\": …}]")
            ])
        }
        for item in items {
            guard let entry = Self.entry(item, &problems) else { continue }
            if let twin = entries.first(where: { $0.request.name == entry.request.name }) {
                problems.add(
                    Problem(
                        at: entry.location, "there are two proxies `\(entry.request.name)`",
                        advice: "rename one: line \(twin.location.line) has it too"))
            }
            entries.append(entry)
        }
        if !problems.isEmpty { throw problems }
    }

    // MARK: Reading

    private static func entry(_ node: DocumentNode, _ problems: inout Problems) -> Entry? {
        guard checkKeys(node, "a proxy", proxyKeys, &problems) else { return nil }
        let count = problems.list.count
        let name = text(node, "name", "a proxy", &problems, isRequired: true)
        let upstream = text(node, "upstream", "a proxy", &problems, isRequired: true)
        let listen = text(node, "listen", "a proxy", &problems)
        checkAddresses(node, listen, upstream, &problems)
        if let node = node["protocol"], !["tcp", "http"].contains(node.scalar) {
            problems.add(Problem(at: node.location, "`protocol` must be tcp or http"))
        }
        if let node = node["enabled"], node.json.boolValue == nil {
            problems.add(Problem(at: node.location, "`enabled` must be true or false"))
        }
        let toxics = toxics(node["toxics"], &problems)
        guard problems.list.count == count, let name, let upstream else { return nil }
        let request = ProxyRequest(
            name: name, listen: listen ?? "", upstream: upstream, isEnabled: node["enabled"]?.json.boolValue ?? true,
            isHTTP: node["protocol"]?.scalar == "http", toxics: toxics)
        return Entry(request: request, location: node["name"]?.location ?? node.location)
    }

    private static func checkAddresses(
        _ node: DocumentNode, _ listen: String?, _ upstream: String?, _ problems: inout Problems
    ) {
        if let listen, let place = node["listen"] {
            do throws(ToxiproxyError) {
                _ = try ListenAddress.listening(listen)
            } catch {
                problems.add(
                    Problem(
                        at: place.location, "`listen` cannot be `\(listen)`",
                        advice: "write an address and a port, such as 127.0.0.1:26379"))
            }
        }
        if let upstream, let place = node["upstream"], ListenAddress.target(upstream) == nil {
            problems.add(
                Problem(
                    at: place.location, "`upstream` cannot be `\(upstream)`",
                    advice: "write a host and a port, such as 127.0.0.1:6379"))
        }
    }

    private static func toxics(_ node: DocumentNode?, _ problems: inout Problems) -> [ToxicRequest] {
        guard let node, !node.isNull else { return [] }
        guard let items = node.items else {
            problems.add(Problem(at: node.location, "`toxics` must be a list, not \(node.kindName)"))
            return []
        }
        var toxics: [ToxicRequest] = []
        for item in items {
            guard checkKeys(item, "a toxic", toxicKeys, &problems), checkType(item, &problems) else { continue }
            let names = toxics.map(\.name)
            do throws(ToxiproxyError) {
                toxics.append(try ToxicRequest(item.json) { names.contains($0) })
            } catch {
                problems.add(Problem(at: place(of: error, in: item), error.message))
            }
        }
        return toxics
    }

    /// The type must be known, and with it the attributes.
    private static func checkType(_ node: DocumentNode, _ problems: inout Problems) -> Bool {
        guard let name = text(node, "type", "a toxic", &problems, isRequired: true) else { return false }
        guard let type = ToxicType.named(name) else {
            let names = ToxicType.all.map(\.name)
            problems.add(
                Problem(
                    at: node["type"]?.location, "unknown toxic type `\(name)`",
                    advice: nearestKey(to: name, among: names).map { "did you mean `\($0)`?" }
                        ?? "known types: \(names.joined(separator: ", "))"))
            return false
        }
        if let toxicity = node["toxicity"], !(0...1).contains(toxicity.json.doubleValue ?? -1) {
            problems.add(Problem(at: toxicity.location, "`toxicity` must be a number from 0 to 1"))
            return false
        }
        guard let attributes = node["attributes"], !attributes.isNull else { return true }
        return checkKeys(attributes, "the attributes of \(name)", type.attributes.map(\.name), &problems)
    }

    private static func checkKeys(
        _ node: DocumentNode, _ what: String, _ keys: [String], _ problems: inout Problems
    ) -> Bool {
        guard let members = node.members else {
            problems.add(Problem(at: node.location, "\(what) must be a mapping, not \(node.kindName)"))
            return false
        }
        let unknown = members.filter { !keys.contains($0.key) }
        for member in unknown {
            problems.add(
                Problem(
                    at: member.keyLocation, "unknown key `\(member.key)` in \(what)",
                    advice: nearestKey(to: member.key, among: keys).map { "did you mean `\($0)`?" }
                        ?? (keys.isEmpty ? "it has none" : "known keys: \(keys.joined(separator: ", "))")))
        }
        return unknown.isEmpty
    }

    private static func text(
        _ node: DocumentNode, _ key: String, _ what: String, _ problems: inout Problems, isRequired: Bool = false
    ) -> String? {
        guard let value = node[key], !value.isNull else {
            if isRequired { problems.add(Problem(at: node.location, "\(what) needs `\(key)`")) }
            return nil
        }
        guard let text = value.scalar, !text.isEmpty else {
            problems.add(Problem(at: value.location, "`\(key)` of \(what) must be text"))
            return nil
        }
        return text
    }

    /// The part of the toxic that an error speaks of.
    private static func place(of error: ToxiproxyError, in node: DocumentNode) -> SourceLocation {
        if error == .invalidStream, let stream = node["stream"] { return stream.location }
        if error == .toxicAlreadyExists { return (node["name"] ?? node["type"] ?? node).location }
        let named = (node["attributes"]?.members ?? []) + (node.members ?? [])
        let found = named.first { error.message.contains(".\($0.key) of") || error.message.contains(" \($0.key) m") }
        return found?.value.location ?? node.location
    }

    // MARK: Starting

    /// Starts every proxy; fails with all that could not be started.
    func place(in api: ToxiproxyAPI) -> EventLoopFuture<Void> {
        let started = entries.map { entry in
            api.place(entry.request).map { _ in Problem?.none }.flatMapErrorThrowing { error in
                let message = (error as? ToxiproxyError)?.message ?? "\(error)"
                return Problem(
                    at: entry.location, "the proxy `\(entry.request.name)` cannot be started: \(message)",
                    advice: "choose another `listen`")
            }
        }
        return EventLoopFuture.whenAllSucceed(started, on: api.loop).flatMapThrowing { found in
            let problems = Problems(found.compactMap { $0 })
            if !problems.isEmpty { throw problems }
        }
    }
}
