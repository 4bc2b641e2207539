// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// A part of the language that a plan can use.
package enum Capability: String, Hashable, Sendable, CaseIterable {
    case virtualMode
}

/// What the language has and the runner or the judge does not do yet. This is the one place: taking a line out is all
/// it needs to let a built part through.
package enum Capabilities {
    /// Each with what a person reads behind "not supported yet: ".
    package static let notYet: [Capability: String] = [
        .virtualMode: "`mode: virtual`; the file runs in real time without it"
    ]
}
