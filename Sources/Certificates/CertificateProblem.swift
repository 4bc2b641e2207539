// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// What is wrong with a certificate or a key, in words that stand behind "certificate: ".
package struct CertificateProblem: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
