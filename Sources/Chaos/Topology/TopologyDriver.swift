// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document
package import NIOCore

/// What a topology tells while it lives, stamped with the clock of the event loops.
package enum TopologyEvent: Sendable {
    /// A line of a gateway's event stream; its field `t` is its stamp.
    case gatewayRecord(gateway: String, JSONValue)
    /// A record of a mock; its field `t` is its stamp.
    case mockRecord(mock: String, JSONValue)
    case process(node: String, ProcessChange, at: NIODeadline)
    /// A document that a gateway is given from now on.
    case document(gateway: String, JSONValue)
    /// The name server was asked; what it was asked, and what it said.
    case lookup(question: String, type: String, answer: String, faults: [String], at: NIODeadline)
    /// It was decided whether a fault of a link hits a connection or a request.
    case decision(LinkDecision, at: NIODeadline)
    /// A line of a node's log that explains what became of it.
    case log(node: String, String)
    /// Something that a reader of the journal should know: lost evidence above all.
    case note(String)
}

/// What a node's process uses at a moment.
package struct NodeUsage: Hashable, Sendable {
    package var node: String
    package var usage: ProcessUsage
    package var descriptors: Int

    package init(node: String, usage: ProcessUsage, descriptors: Int) {
        self.node = node
        self.usage = usage
        self.descriptors = descriptors
    }
}

/// When the effect of a step set in: not before `earliest`, and for certain at `latest`.
package struct StepEffect: Hashable, Sendable {
    package var earliest: NIODeadline
    package var latest: NIODeadline

    package init(earliest: NIODeadline, latest: NIODeadline) {
        self.earliest = earliest
        self.latest = latest
    }
}

/// A target as the gateway's Admin API reports it.
package struct ReportedHealth: Hashable, Sendable {
    package var upstream: String
    package var target: String
    /// HEALTHY, UNHEALTHY, HEALTHCHECKS_OFF or DNS_ERROR.
    package var health: String

    package init(upstream: String, target: String, health: String) {
        self.upstream = upstream
        self.target = target
        self.health = health
    }

    /// It gets traffic.
    package var isGood: Bool { health == "HEALTHY" || health == "HEALTHCHECKS_OFF" }
}

/// All that the engine needs of gateways, mocks and the links between them, whatever they are made of: child processes
/// in real time (`ProcessTopology`), or objects of one process in virtual time. Confined to one event loop, on which
/// its futures complete. Whatever fails is a `TopologyError`.
package protocol TopologyDriver: AnyObject {
    var loop: any EventLoop { get }
    /// Set before `start`; called on the loop.
    var onEvent: (TopologyEvent) -> Void { get set }

    /// Starts everything: mocks, links, gateways, event streams. When it fails, `stop` still has to be called.
    func start() -> EventLoopFuture<Void>
    /// Programs that this host must have and has not; known before the start.
    func missingPrograms() -> [String]
    /// Where a gateway, or a program in front of it, takes requests; nil before it has started.
    func proxyAddress(of entry: String) -> SocketAddress?
    /// The names and addresses under which a node is known to Kong documents and in the gateway's events.
    func names(of node: String) -> [String]
    func health(of gateway: String) -> EventLoopFuture<[ReportedHealth]>
    /// One GET through a gateway, outside any load: the status of the answer.
    func probe(_ gateway: String, path: String) -> EventLoopFuture<Int>

    /// Does a step; the future completes when its effect is there. `name` keeps steps apart and names their draws.
    func perform(_ action: Step.Action, name: String) -> EventLoopFuture<StepEffect>
    /// Takes back what `perform` did under this name.
    func undo(_ action: Step.Action, name: String) -> EventLoopFuture<StepEffect>

    /// What the processes use at the moment.
    func usage() -> [NodeUsage]
    /// What the processes have waited for a core since the last question, the runner's own among them.
    func waits() -> [NodeWait]
    /// What a node has logged since the last question.
    func newLogLines(of node: String) -> [String]
    /// A node's metrics, in Prometheus' text format.
    func metrics(of node: String) -> EventLoopFuture<String>

    /// Ends everything in order, gateways first, so that all of their events are told before it completes. Never fails.
    func stop() -> EventLoopFuture<Void>
    /// Ends everything at once, in whatever state it is; `stop` then completes soon.
    func kill()
}

extension TopologyDriver {
    package func missingPrograms() -> [String] { [] }
    package func usage() -> [NodeUsage] { [] }
    package func waits() -> [NodeWait] { [] }
    package func newLogLines(of node: String) -> [String] { [] }
    package func metrics(of node: String) -> EventLoopFuture<String> {
        loop.makeFailedFuture(TopologyError("there are no metrics of \(node)"))
    }
}
