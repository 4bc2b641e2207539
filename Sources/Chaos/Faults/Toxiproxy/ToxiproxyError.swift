// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// What goes wrong in the API, in Toxiproxy's words.
struct ToxiproxyError: Error, Hashable {
    var message: String
    var status: Int

    init(_ message: String, status: Int) {
        self.message = message
        self.status = status
    }

    static let proxyNotFound = ToxiproxyError("proxy not found", status: 404)
    static let proxyAlreadyExists = ToxiproxyError("proxy already exists", status: 409)
    static let toxicNotFound = ToxiproxyError("toxic not found", status: 404)
    static let toxicAlreadyExists = ToxiproxyError("toxic already exists", status: 409)
    static let invalidToxicType = ToxiproxyError("invalid toxic type", status: 400)
    static let invalidStream = ToxiproxyError(
        "stream was invalid, can be either upstream or downstream", status: 400)

    static func badRequestBody(_ why: String) -> ToxiproxyError {
        ToxiproxyError("bad request body: \(why)", status: 400)
    }
    static func missingField(_ name: String) -> ToxiproxyError {
        ToxiproxyError("missing required field: \(name)", status: 400)
    }
    /// A link of a running scenario belongs to the scenario.
    static func ofScenario(_ name: String) -> ToxiproxyError {
        ToxiproxyError("proxy \(name) is a link of the running scenario: it can be disabled, not changed", status: 403)
    }
}
