// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

extension DeclarativeFile {
    /// Every mistake of a document that stands inside another one (a scenario's `inline:`), each at its place there.
    package static func problems(in document: DocumentNode, acceptsServiceHealthChecks: Bool = true) -> [Problem] {
        var reader = DeclarativeReader(
            store: EntityStore(acceptsServiceHealthChecks: acceptsServiceHealthChecks),
            // Any valid moment will do: nothing of what is read is kept.
            now: 1_000_000_000, after: nil)
        reader.read(document)
        return reader.mistakes.compactMap(\.problem)
    }
}
