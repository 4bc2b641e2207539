// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// What brings the requests of a load to the server: connections of HTTP, or sessions of a WebSocket. Confined to the
/// load's event loop.
protocol LoadCarrier: AnyObject {
    /// Most requests that waited for a connection at once.
    var longestQueue: Int { get }

    /// Starts the exchange, now or as soon as there is a connection.
    ///
    /// - Returns: false when it must wait because a limit is reached.
    func carry(_ exchange: LoadExchange) -> Bool

    /// Closes what is idle, and the rest when it is released.
    func close()
}
