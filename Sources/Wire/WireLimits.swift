// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// How much of a message head, chunk line or trailer section a connection accepts. What is beyond is refused, never
/// cut.
package struct WireLimits: Sendable, Hashable {
    /// Longest request line, status line, field line or chunk-size line, in bytes without its CRLF. 8 KiB is nginx's
    /// `large_client_header_buffers`.
    package static let defaultLineBytes = 8 * 1024
    /// Longest head (start line and fields), in bytes with the final empty line. Four lines of the longest kind, as
    /// nginx.
    package static let defaultHeadBytes = 32 * 1024
    /// Most field lines in a head or trailer section. Kong reads at most 100 (`lua_max_req_headers`).
    package static let defaultFieldCount = 100
    /// Empty lines ignored before a request line (RFC 9112 section 2.2 asks for at least one).
    package static let leadingEmptyLines = 2

    /// Interim responses (1xx) before the final one. More of them are an attack or a bug: nothing else in HTTP bounds
    /// them.
    package static let interimResponses = 16

    package var lineBytes = defaultLineBytes
    package var headBytes = defaultHeadBytes
    package var fieldCount = defaultFieldCount
    /// Requests that one client connection is good for; with the last one it closes (nginx `keepalive_requests`).
    package var requestsPerConnection = Int.max

    package init() {}
}
