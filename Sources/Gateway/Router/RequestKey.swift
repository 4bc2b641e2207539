// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// What routes are compared with, as bytes wherever the request's head lies. Valid as long as they are; for the time
/// of one call of `RouteTable.match`.
package struct RequestKey {
    package var method: UnsafeRawBufferPointer
    /// The value of the `Host` header, with its port if it has one; empty when there is none.
    package var host: UnsafeRawBufferPointer
    /// The path as it was received, without the query.
    package var path: UnsafeRawBufferPointer
    /// Where the connection came in; stands in for a port that `Host` does not name.
    package var listenerPort: Int
    /// Whether the request came over TLS.
    package var isEncrypted: Bool
    /// The name the client asked for in its TLS handshake; empty when there is none.
    package var serverName: UnsafeRawBufferPointer

    package init(
        method: UnsafeRawBufferPointer, host: UnsafeRawBufferPointer, path: UnsafeRawBufferPointer,
        listenerPort: Int = 0, isEncrypted: Bool = false,
        serverName: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
    ) {
        self.method = method
        self.host = host
        self.path = path
        self.listenerPort = listenerPort
        self.isEncrypted = isEncrypted
        self.serverName = serverName
    }
}

/// The header lines of a request, asked for only by routes that have `headers`.
package protocol RequestHeaders {
    /// Whether any line of this name has a value that `matches` accepts.
    ///
    /// - Parameter name: in lower case.
    func contains(_ name: [UInt8], where matches: (UnsafeRawBufferPointer) -> Bool) -> Bool
}

/// A request without header lines.
package struct NoHeaders: RequestHeaders {
    package init() {}

    package func contains(_ name: [UInt8], where matches: (UnsafeRawBufferPointer) -> Bool) -> Bool { false }
}
