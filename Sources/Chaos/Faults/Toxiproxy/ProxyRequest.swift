// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// A proxy as a body, or the configuration file, asks for it.
struct ProxyRequest: Sendable {
    var name: String
    var listen: String
    var upstream: String
    var isEnabled: Bool
    /// Not Toxiproxy's: what passes is HTTP/1.1, so that faults know requests from the first one on.
    var isHTTP: Bool
    /// Toxiproxy ignores them here; with them no connection slips through before they are there.
    var toxics: [ToxicRequest]

    init(name: String, listen: String, upstream: String, isEnabled: Bool, isHTTP: Bool, toxics: [ToxicRequest]) {
        self.name = name
        self.listen = listen
        self.upstream = upstream
        self.isEnabled = isEnabled
        self.isHTTP = isHTTP
        self.toxics = toxics
    }

    /// - Parameters:
    ///   - place: of the proxy in a list, from 1; nil when it stands alone.
    init(_ object: GoObject, place: Int? = nil) throws(ToxiproxyError) {
        let suffix = place.map { " at proxy \($0)" } ?? ""
        name = try object.text("name") ?? ""
        listen = try object.text("listen") ?? ""
        upstream = try object.text("upstream") ?? ""
        isEnabled = try object.flag("enabled") ?? true
        isHTTP = try object.text("protocol") == "http"
        if name.isEmpty { throw .missingField("name\(suffix)") }
        if upstream.isEmpty { throw .missingField("upstream\(suffix)") }
        toxics = []
        for entry in object.member("toxics")?.arrayValue ?? [] {
            do throws(ToxiproxyError) {
                let known = toxics.map(\.name)
                toxics.append(try ToxicRequest(entry) { known.contains($0) })
            } catch {
                throw ToxiproxyError(error.message + suffix, status: error.status)
            }
        }
    }

    /// The entries of `POST /populate`, all of them checked.
    static func list(_ body: [UInt8]) throws(ToxiproxyError) -> [ProxyRequest] {
        let value = try GoJSON.value(body)
        if value == .null { return [] }
        guard let entries = value.arrayValue else { throw GoJSON.mismatch(value, listType) }
        var requests: [ProxyRequest] = []
        for (index, entry) in entries.enumerated() {
            guard entry.objectValue != nil || entry == .null else {
                throw GoJSON.mismatch(entry, String(listType.dropFirst(2)))
            }
            requests.append(try ProxyRequest(GoObject(value: entry, structName: ""), place: index + 1))
        }
        return requests
    }

    private static let listType =
        #"[]struct { toxiproxy.Proxy; Enabled *bool "json:\"enabled\"" }"#
}
