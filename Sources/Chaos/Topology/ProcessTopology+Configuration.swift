// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

// Configurations and health that steps set while a gateway runs.
extension ProcessTopology {
    /// What steps have laid over a gateway's first document, in order.
    struct ConfigurationLayer {
        var step: String
        var change: ConfigurationChange
    }

    /// Loads a new configuration. It stays in the gateway's file, so that a restart does not bring the old one back.
    func configure(_ id: String, _ change: ConfigurationChange, step: String) -> EventLoopFuture<Void> {
        guard let gateway = gateways[id] else { return unknown(id) }
        gateway.layers.append(ConfigurationLayer(step: step, change: change))
        return load(gateway, change.way)
    }

    /// What the gateway would have without that step.
    func configureBack(_ id: String, step: String) -> EventLoopFuture<Void> {
        guard let gateway = gateways[id] else { return unknown(id) }
        guard let index = gateway.layers.lastIndex(where: { $0.step == step }) else {
            return loop.makeSucceededVoidFuture()
        }
        return load(gateway, gateway.layers.remove(at: index).change.way)
    }

    private func load(_ gateway: GatewayProcess, _ way: ConfigurationChange.Way) -> EventLoopFuture<Void> {
        let document: JSONValue
        do throws(Problem) {
            document = try Self.document(of: gateway)
        } catch {
            return loop.makeFailedFuture(TopologyError("\(gateway.node.id): \(error.message)"))
        }
        do throws(TopologyError) {
            _ = try options.folder.write(
                document.text(indent: 2) + "\n", to: NodeCommand.documentName(of: gateway.node))
        } catch {
            return loop.makeFailedFuture(error)
        }
        onEvent(.document(gateway: gateway.node.id, document))
        // One that does not run reads its file when it starts.
        guard gateway.process?.state != .dead, let admin = gateway.admin else { return loop.makeSucceededVoidFuture() }
        return way == .signal ? reload(gateway) : post(document, to: admin, of: gateway.node.id)
    }

    private static func document(of gateway: GatewayProcess) throws(Problem) -> JSONValue {
        var document = gateway.node.document
        for layer in gateway.layers {
            switch layer.change.kind {
            case .document(let whole): document = whole
            case .patch(let patch): document = try KongPatch.apply(patch, to: document)
            }
        }
        return document
    }

    private func post(_ document: JSONValue, to admin: SocketAddress, of id: String) -> EventLoopFuture<Void> {
        control.send(.post, "/config", to: admin, body: document).flatMapThrowing { answer in
            guard answer.status == 201 else {
                let reason = answer.json["message"]?.stringValue ?? "status \(answer.status)"
                throw TopologyError("\(id) refused its new configuration: \(reason)")
            }
        }
    }

    /// SIGHUP; the gateway's event stream says when the new configuration is in force.
    private func reload(_ gateway: GatewayProcess) -> EventLoopFuture<Void> {
        if let local = gateway.local { return local.reload() }
        guard let process = gateway.process else { return unknown(gateway.node.id) }
        let promise = loop.makePromise(of: Void.self)
        gateway.reloads.append(promise)
        let timer = loop.assumeIsolated().scheduleTask(in: control.timeout) {
            let tail = LogTail.lines(of: self.options.folder.file("\(gateway.node.id).log"))
            promise.fail(
                TopologyError("\(gateway.node.id) did not take over its new configuration after SIGHUP", logTail: tail))
        }
        promise.futureResult.assumeIsolated().whenComplete { _ in timer.cancel() }
        let signalled = process.signal(SIGHUP)
        return signalled.flatMap { promise.futureResult }
    }

    /// A record of the event stream may be what a reload waits for.
    func noticeReload(_ record: JSONValue, of gateway: GatewayProcess) {
        guard record["kind"]?.stringValue == "config", record["source"]?.stringValue == "reload",
            !gateway.reloads.isEmpty
        else { return }
        gateway.reloads.removeFirst().succeed()
    }

    // MARK: Health by hand

    /// `PUT /upstreams/…/targets/…/unhealthy`
    func setHealth(of target: TargetReference, _ state: HealthState, step: String) -> EventLoopFuture<Void> {
        health(of: target.gateway).assumeIsolated()
            .flatMap { reports in
                let before = reports.first { $0.upstream == target.upstream && $0.target == target.target }
                self.formerHealth[step] = before?.isGood == false ? .unhealthy : .healthy
                return self.put(state, on: target)
            }
            .nonisolated()
    }

    /// As it was before the step.
    func setHealthBack(of target: TargetReference, step: String) -> EventLoopFuture<Void> {
        put(formerHealth.removeValue(forKey: step) ?? .healthy, on: target)
    }

    private func put(_ state: HealthState, on target: TargetReference) -> EventLoopFuture<Void> {
        guard let admin = gateways[target.gateway]?.admin else { return unknown(target.gateway) }
        let path = "/upstreams/\(target.upstream)/targets/\(target.target)/\(state.rawValue)"
        return control.send(.put, path, to: admin).flatMapThrowing { answer in
            guard answer.status == 204 else {
                let reason = answer.json["message"]?.stringValue ?? "status \(answer.status)"
                throw TopologyError("\(target.gateway) refused to set \(target.name) \(state.rawValue): \(reason)")
            }
        }
    }
}
