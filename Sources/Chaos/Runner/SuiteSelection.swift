// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document
import FoundationEssentials

/// Which scenarios of which files are wanted: files and folders, narrowed by name and tag.
package struct SuiteSelection: Sendable {
    /// Files, and folders of which every `*.yml` and `*.yaml` counts, at any depth, in the order of their names.
    package var paths: [String]
    /// Shell patterns (`*`, `?`) over the scenario's id; empty takes all.
    package var only: [String] = []
    /// A scenario is taken when it has one of these; empty takes all.
    package var tags: [String] = []
    package var options = PlanOptions()

    package init(paths: [String]) { self.paths = paths }

    /// Reads everything that is wanted.
    ///
    /// - Throws: every mistake of every file at once; a path that does not exist; a selection that leaves nothing.
    package func entries() throws(Problems) -> [SuiteEntry] {
        var problems = Problems()
        var entries: [SuiteEntry] = []
        let files = self.files(&problems)
        for path in files {
            do throws(Problems) {
                entries += try self.entries(ofFile: path)
            } catch {
                problems.list += error.sorted
            }
        }
        if !problems.isEmpty { throw problems }
        if entries.isEmpty {
            let advice = files.isEmpty ? "name a file or a folder with *.yml" : "loosen --only or --tag"
            throw Problems([Problem(at: nil, "no scenario is selected", advice: advice)])
        }
        return entries
    }

    private func entries(ofFile path: String) throws(Problems) -> [SuiteEntry] {
        let text = try ScenarioFile.text(ofFile: path)
        let file = try ScenarioFile(parsing: text, path: path)
        guard only.isEmpty || only.contains(where: { Self.matches(file.id, pattern: $0) }) else { return [] }
        return try Plan.cells(file, options)
            .filter { plan in tags.isEmpty || tags.contains { plan.tags.contains($0) } }
            .map { SuiteEntry(plan: $0, file: path, text: text) }
    }

    private func files(_ problems: inout Problems) -> [String] {
        var files: [String] = []
        for path in paths {
            var isFolder = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
                problems.add(Problem(at: nil, "\(path): there is no such file or folder"))
                continue
            }
            files += isFolder ? Self.scenarios(in: path) : [path]
        }
        return files
    }

    private static func scenarios(in folder: String) -> [String] {
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? []
        let base = folder.hasSuffix("/") ? folder : folder + "/"
        return names.filter { ($0.hasSuffix(".yml") || $0.hasSuffix(".yaml")) && isScenario(base + $0) }.sorted()
            .map { base + $0 }
    }

    /// A folder may hold other YAML beside the scenarios, such as the Kong files they name.
    private static func isScenario(_ path: String) -> Bool {
        guard let text = try? ScenarioFile.text(ofFile: path) else { return true }
        return text.split(separator: "\n").contains { $0.hasPrefix("scenario:") }
    }

    /// `*` stands for any characters, `?` for one.
    static func matches(_ name: String, pattern: String) -> Bool {
        matches(Array(name)[...], Array(pattern)[...])
    }

    private static func matches(_ name: ArraySlice<Character>, _ pattern: ArraySlice<Character>) -> Bool {
        switch (name.first, pattern.first) {
        case (_, "*"): matches(name, pattern.dropFirst()) || (!name.isEmpty && matches(name.dropFirst(), pattern))
        case (nil, nil): true
        case (_?, "?"): matches(name.dropFirst(), pattern.dropFirst())
        case (let a?, let b?) where a == b: matches(name.dropFirst(), pattern.dropFirst())
        default: false
        }
    }
}
