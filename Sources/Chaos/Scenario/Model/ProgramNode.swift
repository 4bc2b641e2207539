// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

/// A program that is neither gateway nor mock, such as a load balancer in front of two gateways: started with the
/// topology, ready when it takes connections, ended with it.
package struct ProgramNode: Hashable, Sendable {
    package var id: String
    /// The program and its arguments; the program is a path in the scenario's folder or a name that PATH finds.
    package var command: [ProgramText]
    /// Names of programs without which the scenario is skipped.
    package var requirements: [String]
    package var environment: [EnvironmentSetting]
    /// Files that are written for it, by name; `$(file(name))` is the path of one.
    package var files: [File]
    /// Where it runs; the scenario's folder.
    package var folder: String
    package var location: SourceLocation

    package struct File: Hashable, Sendable {
        package var name: String
        package var text: ProgramText

        package init(name: String, text: ProgramText) {
            self.name = name
            self.text = text
        }
    }

    package init(
        id: String, command: [ProgramText], requirements: [String], environment: [EnvironmentSetting], files: [File],
        folder: String, location: SourceLocation
    ) {
        self.id = id
        self.command = command
        self.requirements = requirements
        self.environment = environment
        self.files = files
        self.folder = folder
        self.location = location
    }
}

/// Text with places that are known when the topology starts.
package struct ProgramText: Hashable, Sendable {
    package enum Part: Hashable, Sendable {
        case text(String)
        /// `$(port)`: the program's own; `$(port(gateway-a))`: where that node listens.
        case port(String)
        /// `$(admin(gateway-a))`: the port of a gateway's Admin API.
        case admin(String)
        /// `$(file(haproxy.cfg))`
        case file(String)
        /// `$(folder)`: a folder for what it writes.
        case folder
    }
    package var parts: [Part]

    package init(_ parts: [Part]) { self.parts = parts }

    /// For people: `$(…)` where something is filled in later.
    package var shown: String {
        parts.map { part in
            switch part {
            case .text(let text): text
            case .port(let node): "$(port(\(node)))"
            case .admin(let node): "$(admin(\(node)))"
            case .file(let name): "$(file(\(name)))"
            case .folder: "$(folder)"
            }
        }.joined()
    }
}
