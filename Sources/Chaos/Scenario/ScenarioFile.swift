// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document
import FoundationEssentials
import Gateway
package import World

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A scenario as written: a document of the right outer shape. Its cells are made by `Plan.cells`.
package struct ScenarioFile: Sendable {
    package var document: DocumentNode
    /// As given by the person; names in messages, and what `kong: ./kong.yml` is relative to.
    package var path: String

    /// - Throws: all mistakes of the YAML, and a document that is no mapping.
    package init(parsing text: String, path: String) throws(Problems) {
        document = try DocumentNode(parsing: text, file: path)
        self.path = path
        guard document.members != nil else {
            throw Problems([
                Problem(
                    at: document.location, "a scenario must be a mapping, not \(document.kindName)",
                    advice: "start with `scenario: <id>`")
            ])
        }
    }

    /// Reads a file.
    package init(path: String) throws(Problems) {
        try self.init(parsing: try Self.text(ofFile: path), path: path)
    }

    /// The id, or the path when it has none.
    package var id: String { document["scenario"]?.scalar ?? path }

    /// A whole text file of at most 16 MiB.
    ///
    /// - Throws: one problem without a place when it cannot be read.
    package static func text(ofFile path: String) throws(Problems) -> String {
        let bytes: [UInt8]
        do throws(BoundedFile.Failure) {
            bytes = try BoundedFile.bytes(of: path, limit: 16 << 20)
        } catch .tooLarge {
            throw Problems([Problem(at: nil, "\(path): is too large", advice: "at most 16 MiB")])
        } catch {
            let exists = FileManager.default.fileExists(atPath: path)
            throw Problems([
                Problem(
                    at: nil, "\(path): cannot be read",
                    advice: exists ? "check its permissions, and that it is a file" : "there is no such file")
            ])
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Problems([Problem(at: nil, "\(path): is not UTF-8 text")])
        }
        return text
    }

    /// The folder of the scenario, absolute, links resolved where it exists.
    var folder: String {
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { String(path[...$0]) } ?? "."
        return Self.realPath(folder) ?? folder
    }

    /// A program that a scenario may run: a file of its own folder, wherever links lead.
    func program(_ name: String) throws(Problem) -> (path: String, folder: String) {
        guard !name.hasPrefix("/"), !name.split(separator: "/").contains(".."), !name.isEmpty else {
            throw Problem(
                at: nil, "`\(name)` is not in the scenario's folder", advice: "put the program beside the scenario")
        }
        let folder = folder
        guard let path = Self.realPath(folder + "/" + name) else {
            throw Problem(at: nil, "`\(name)` cannot be run: there is no such file in \(folder)")
        }
        let inside = folder.hasSuffix("/") ? folder : folder + "/"
        guard path.hasPrefix(inside) else {
            throw Problem(
                at: nil, "`\(name)` leads out of the scenario's folder", advice: "put the program beside the scenario")
        }
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw Problem(at: nil, "`\(name)` cannot be run: it is not executable", advice: "chmod +x it")
        }
        return (path, folder)
    }

    private static func realPath(_ path: String) -> String? {
        var resolved = [CChar](repeating: 0, count: Int(PATH_MAX))
        guard realpath(path, &resolved) != nil else { return nil }
        return String(decoding: resolved.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Whether a resolved path lies in the scenario's folder or below it, symbolic links followed. What does not exist
    /// is judged by its spelling.
    func contains(_ path: String) -> Bool {
        let folder = self.path.lastIndex(of: "/").map { String(self.path[...$0]) } ?? ""
        guard path.hasPrefix(folder), !path.dropFirst(folder.count).hasPrefix("/"),
            !path.dropFirst(folder.count).split(separator: "/").contains("..")
        else { return false }
        guard let real = Self.realPath(path), let root = Self.realPath(folder.isEmpty ? "." : folder) else {
            return true
        }
        return real.hasPrefix(root.hasSuffix("/") ? root : root + "/")
    }

    /// `./kong.yml` as seen from the folder of the scenario.
    func resolve(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        let relative = path.hasPrefix("./") ? String(path.dropFirst(2)) : path
        guard let slash = self.path.lastIndex(of: "/") else { return relative }
        return String(self.path[...slash]) + relative
    }
}

/// What the command line adds to a file.
package struct PlanOptions: Sendable {
    /// `--var name=value`, in order; a later one wins.
    package var variables: [(name: String, value: String)]
    /// The process's environment, for GATECRASH_VAR_NAME; `--var` wins over it.
    package var environment: [String: String]
    /// Wins over the file's `seed`.
    package var seed: UInt64?
    /// Wins over the file's `repeat`.
    package var repetitions: Int?
    /// Refuse what the runner cannot do yet (`Capabilities`).
    package var checksCapabilities: Bool
    /// Hosts beyond this machine that the scenario may lead to (`--allow-remote`).
    package var remotes = Remotes()
    /// Reads a file that the scenario names.
    package var readFile: @Sendable (String) throws(Problems) -> String
    /// All mistakes of a Kong document, by the gateway's own reader; the scenario's reader knows only what it needs.
    package var checkKong: @Sendable (DocumentNode) -> [Problem]

    package init(
        variables: [(name: String, value: String)] = [], environment: [String: String] = [:], seed: UInt64? = nil,
        repetitions: Int? = nil, checksCapabilities: Bool = true
    ) {
        self.variables = variables
        self.environment = environment
        self.seed = seed
        self.repetitions = repetitions
        self.checksCapabilities = checksCapabilities
        self.readFile = { (path) throws(Problems) in try ScenarioFile.text(ofFile: path) }
        self.checkKong = { DeclarativeFile.problems(in: $0) }
    }
}
