// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// Everything outside the program, behind small seams: what a gateway, a mock API, a fault link, a load generator and
/// the runner may know of time, chance and the network.
///
/// Intervals come from `eventLoop.now` and timers from `eventLoop.schedule…`, so they need no member here: whoever
/// supplies the event loops supplies the clock. The real world is `World.real(…)`; the virtual one replaces every
/// member.
package struct World: Sendable {
    /// The event loops: each belongs to one clock, all of one world to the same one.
    package var loops: any EventLoopGroup
    package var network: any Network
    /// Dates for people: headers, logs, cookies, ids. Never for intervals.
    package var wallClock: any WallClock
    /// Every draw comes from a stream named here.
    package var random: RandomStreams
    package var background: any Background

    package init(
        loops: any EventLoopGroup, network: any Network, wallClock: any WallClock, random: RandomStreams,
        background: any Background = ImmediateBackground()
    ) {
        self.loops = loops
        self.network = network
        self.wallClock = wallClock
        self.random = random
        self.background = background
    }
}
