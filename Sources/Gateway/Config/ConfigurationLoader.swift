// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

/// A declarative document, read, and prepared for the data plane.
package struct LoadedConfiguration: Sendable {
    package let reading: DeclarativeReading
    package let prepared: PreparedConfiguration

    package init(_ reading: DeclarativeReading) {
        self.reading = reading
        prepared = PreparedConfiguration(reading.store.configuration())
    }
}

/// Makes a configuration of a document: everything about it that takes long, and can be done in the background.
package struct ConfigurationLoader: Sendable {
    /// See `EntityStore`.
    package var acceptsServiceHealthChecks: Bool
    /// Nanoseconds since 1970, for `created_at` and `updated_at`.
    package var now: Int64
    /// What is stated as it was then is taken over.
    package var previous: DeclarativeReading?

    package init(acceptsServiceHealthChecks: Bool, now: Int64, after previous: DeclarativeReading? = nil) {
        self.acceptsServiceHealthChecks = acceptsServiceHealthChecks
        self.now = now
        self.previous = previous
    }

    /// - Parameter file: the name that messages begin with.
    /// - Throws: all mistakes at once, each with its place.
    package func load(_ text: String, file: String) throws(DeclarativeError) -> LoadedConfiguration {
        try load(try DeclarativeFile.parse(text, file: file))
    }

    package func load(_ document: DocumentNode) throws(DeclarativeError) -> LoadedConfiguration {
        LoadedConfiguration(
            try DeclarativeFile.read(
                document, acceptsServiceHealthChecks: acceptsServiceHealthChecks, now: now, after: previous))
    }
}
