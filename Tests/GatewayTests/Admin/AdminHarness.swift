// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Gateway
import NIOCore
import World

/// A gateway that only remembers what it was told.
final class RecordingGatewayControl: GatewayControl {
    var applied: [Configuration] = []
    var healths: [String: UpstreamHealth] = [:]
    var manual: [String] = []
    var manualResult = ManualHealthResult.done

    func apply(_ configuration: PreparedConfiguration) { applied.append(configuration.configuration) }
    func inBackground<Value: Sendable>(_ work: @escaping @Sendable () -> Value, then handOver: (Value) -> Void) {
        handOver(work())
    }
    func health(ofUpstream id: String) -> UpstreamHealth? { healths[id] }
    func setHealth(_ healthy: Bool, upstream: String, target: String, address: String?) -> ManualHealthResult {
        manual.append("\(healthy) \(upstream) \(target) \(address ?? "all")")
        return manualResult
    }
    func status() -> ServerStatus { ServerStatus(connectionsAccepted: 3, totalRequests: 7) }
    func metrics() -> GatewayMetrics { GatewayMetrics() }
}

final class FixedAdminClock: WallClock {
    let nanosecondsSinceEpoch: Int64
    init(_ seconds: Double) { nanosecondsSinceEpoch = Int64(seconds * 1000) * 1_000_000 }
}

/// An Admin API over an empty or given store, spoken to in strings.
struct AdminHarness {
    let control = RecordingGatewayControl()
    let api: AdminAPI

    init(strict: Bool = false, file: String? = nil) throws {
        var settings = AdminAPI.Settings()
        settings.isStrict = strict
        settings.isDatabaseless = file != nil
        var store = EntityStore(acceptsServiceHealthChecks: !strict)
        if let file {
            store = try DeclarativeFile.read(
                file, file: "kong.yml", acceptsServiceHealthChecks: !strict, now: 1_000_000_000_000)
        }
        api = AdminAPI(
            settings: settings, store: store, control: control, wallClock: FixedAdminClock(1_700_000_000.25),
            random: RandomStreams(seed: 1), now: { .uptimeNanoseconds(5) })
    }

    var configuration: Configuration { control.applied.last ?? .empty }

    /// - Parameter target: a path with an optional query.
    @discardableResult
    func send(
        _ method: String, _ target: String, type: String? = nil, body: String = "",
        headers: [(name: String, value: String)] = []
    ) -> AdminResponse {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var headers = headers
        if let type { headers.append(("Content-Type", type)) }
        let request = AdminRequest(
            method: method, path: String(parts[0]), query: parts.count > 1 ? String(parts[1]) : nil,
            headers: headers, body: Array(body.utf8))
        var answers: [AdminResponse] = []
        api.respond(to: request) { answers.append($0) }
        precondition(answers.count == 1, "\(answers.count) answers to one request")
        return answers[0]
    }

    @discardableResult
    func form(_ method: String, _ target: String, _ body: String) -> AdminResponse {
        send(method, target, type: "application/x-www-form-urlencoded", body: body)
    }

    @discardableResult
    func json(_ method: String, _ target: String, _ body: String) -> AdminResponse {
        send(method, target, type: "application/json", body: body)
    }

    func get(_ target: String) -> JSONValue { send("GET", target).json ?? .null }

    /// Runs a `curl` command as it stands in a text: `-X`, `--url`, `--data` in single quotes, lines ending in `\`.
    @discardableResult
    func curl(_ command: String) -> AdminResponse {
        var words: [String] = []
        for (place, part) in command.split(separator: "'", omittingEmptySubsequences: false).enumerated() {
            words +=
                place % 2 == 1
                ? [String(part)] : part.split(whereSeparator: { $0.isWhitespace || $0 == "\\" }).map(String.init)
        }
        var (method, path, data) = ("GET", "/", [String]())
        for (word, next) in zip(words, words.dropFirst()) {
            switch word {
            case "-X": method = next
            case "--url": path = next.split(separator: ":8001", maxSplits: 1).last.map(String.init) ?? "/"
            case "--data": data.append(next)
            default: break
            }
        }
        return form(method, path, data.joined(separator: "&"))
    }
}

extension AdminResponse {
    func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
    var message: String { json?["message"]?.stringValue ?? "" }
}

/// The value of a JSON text; a mistake in it shows as null.
func parsedJSON(_ text: String) -> JSONValue { (try? JSONValue(parsing: Array(text.utf8))) ?? .null }
