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
    }

    /// The mark it makes when it is done; `<name>.end` when it is undone.
    package var name: String?
    package var trigger: Trigger
    /// Undone this long after it was done; nil = never. For `kill`, `restart: after 10s` is the same.
    package var length: Nanoseconds?
    package var action: Action
    package var location: SourceLocation

    package init(
        name: String?, trigger: Trigger, length: Nanoseconds?, action: Action, location: SourceLocation
    ) {
        self.name = name
        self.trigger = trigger
        self.length = length
        self.action = action
        self.location = location
    }

    package var mark: MarkName? { name.map { MarkName($0) } }
    /// When the undoing is done (a killed node: when it listens again).
    package var endMark: MarkName? { length == nil ? nil : name.map { MarkName($0 + ".end") } }
}
