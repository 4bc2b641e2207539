// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

/// Something done to the topology during a run.
package struct Step: Hashable, Sendable {
    package enum Trigger: Hashable, Sendable {
        /// At a time from the start of the load, or after a mark.
        case at(MarkExpression)
        /// As soon as the condition holds.
        case when(Condition)
    }

    package enum Action: Hashable, Sendable {
        /// A mark, and all invariants must hold now; as the first step it is a precondition (exit code 3).
        case checkpoint
        /// Changes switches of a mock; undone by setting them back to what they were.
        case set(mock: String, [MockSetting])
        /// Puts a fault on a link; undone by taking it off.
        case fault(LinkFault)
        /// Changes what the name server says of a name; undone by taking that back.
        case names(NameFault)
        /// Makes a node short of something; undone by giving it back.
        case stress(StressSpec)
        /// SIGKILL; undone by starting the node again on the same address.
        case kill(node: String)
        /// SIGSTOP; undone by SIGCONT.
        case pause(node: String)
        case resume(node: String)
        /// Starts a node that was killed, on the same address.
        case start(node: String)
        /// Ends a node (SIGTERM, after `drain` SIGKILL) and starts it again on the same address.
        case restart(node: String, drain: Nanoseconds)
        /// Ends a node as `restart` does and leaves it; undone by starting it again.
        case stop(node: String, drain: Nanoseconds)
        /// Sends a signal, by its name (`TERM`, `HUP`); undone by SIGCONT after a stopping one, by starting the node
        /// again after one that ends it.
        case signal(node: String, name: String)
        /// Loads a Kong document into a gateway under load; undone by loading what was there without it.
        case configure(gateway: String, ConfigurationChange)
        /// Sets the health of a target through the Admin API; undone by setting what it was before.
        case health(TargetReference, HealthState)
        /// Runs a program beside the scenario; undone by another call.
        case run(Program, undo: Program?)
    }

    /// The mark it makes when it is done; `<name>.end` when it is undone.
    package var name: String?
    package var trigger: Trigger
    /// Undone this long after it was done; nil = never. For `kill`, `restart: after 10s` is the same.
    package var length: Nanoseconds?
    package var action: Action
    package var location: SourceLocation
    /// What the seed still has to decide; nil when everything stands.
    package var draw: Draw?
    /// The first of a repeated step makes the mark of them all, the last of them its `.end`.
    package var isFirst = false
    package var isLast = false
    /// The name of the written step, when this is one of several made of it.
    package var family: String?

    package init(
        name: String?, trigger: Trigger, length: Nanoseconds?, action: Action, location: SourceLocation,
        draw: Draw? = nil
    ) {
        self.name = name
        self.trigger = trigger
        self.length = length
        self.action = action
        self.location = location
        self.draw = draw
    }

    package var mark: MarkName? { name.map { MarkName($0) } }
    /// When the undoing is done (a killed node: when it listens again).
    package var endMark: MarkName? { length == nil ? nil : name.map { MarkName($0 + ".end") } }
    /// The marks made when it is done: its own, and that of its family.
    package var marksDone: [MarkName] {
        [mark, isFirst ? family.map { MarkName($0) } : nil].compactMap(\.self)
    }
    /// The marks made when it is undone.
    package var marksUndone: [MarkName] {
        length == nil
            ? [] : [endMark, isLast ? family.map { MarkName($0 + ".end") } : nil].compactMap(\.self)
    }
}

/// A new configuration for a gateway that runs.
package struct ConfigurationChange: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// A whole Kong document, variables filled in.
        case document(JSONValue)
        /// Parts of one, laid over the document in force (`KongPatch`).
        case patch(JSONValue)
    }
    /// How the gateway is told.
    package enum Way: String, Hashable, Sendable, CaseIterable {
        /// `POST /config` of the Admin API.
        case admin
        /// The file is swapped, then SIGHUP.
        case signal
    }
    package var kind: Kind
    package var way: Way
    /// `./kong-2.yml` or what is patched, for people.
    package var label: String

    package init(kind: Kind, way: Way, label: String) {
        self.kind = kind
        self.way = way
        self.label = label
    }
}

/// A program of the scenario's own folder.
package struct Program: Hashable, Sendable {
    /// Absolute, links resolved.
    package var path: String
    package var arguments: [String]
    /// Where it runs: the scenario's folder.
    package var folder: String
    /// It is killed after this long, and the step fails.
    package var timeout: Nanoseconds

    package init(path: String, arguments: [String], folder: String, timeout: Nanoseconds) {
        self.path = path
        self.arguments = arguments
        self.folder = folder
        self.timeout = timeout
    }
}
