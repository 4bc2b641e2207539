// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Foundation

/// A text file of the package, as the rules see it.
struct SourceFile: Sendable {
    /// From the package's root, with `/`.
    let path: String
    let text: String
    /// The lines as they are.
    let lines: [String]
    /// The same lines with the contents of comments and strings blanked, for rules about code. Empty unless it is
    /// Swift.
    let code: [String]
    let codeText: String

    init(path: String, text: String) {
        self.path = path
        self.text = text
        lines = text.utf8.split(separator: 0x0a, omittingEmptySubsequences: false).map { String($0) ?? "" }
        codeText = path.hasSuffix(".swift") ? SwiftCode.withoutCommentsAndStrings(text) : ""
        code = codeText.utf8.split(separator: 0x0a, omittingEmptySubsequences: false).map { String($0) ?? "" }
    }

    var isSwift: Bool { path.hasSuffix(".swift") }
    var isScript: Bool { path.hasPrefix("ci/") || path.hasPrefix(".ci/") }

    /// In a folder, or the file itself.
    func isIn(_ place: String) -> Bool { path == place || path.hasPrefix(place + "/") }
}

/// Something that a rule objects to: where, what, and what to do instead.
struct Finding: Equatable, CustomStringConvertible, Sendable {
    let path: String
    let line: Int
    let message: String

    init(_ file: SourceFile, line: Int, _ message: String) {
        (path, self.line, self.message) = (file.path, line, message)
    }

    var description: String { "\(path):\(line): \(message)" }
}

/// The package's own text files: what is tracked, without what building leaves behind.
enum Tree {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static let all: [SourceFile] = {
        let isBinary = { (name: String) in ["png", "ico", "pem", "der", "gz"].contains { name.hasSuffix("." + $0) } }
        return paths(in: "").sorted().filter { !isBinary($0) }.compactMap { path in
            guard let data = FileManager.default.contents(atPath: root.appendingPathComponent(path).path),
                let text = String(data: data, encoding: .utf8)
            else { return nil }
            return SourceFile(path: path, text: text)
        }
    }()

    static let swift = all.filter(\.isSwift)

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appendingPathComponent(path).path)
    }

    /// Folders that are no part of the package: of git, of builds, of editors, of runs.
    private static func isSkipped(_ name: String) -> Bool {
        let ownHidden = [".ci", ".swift-format", ".gitignore", ".github", ".spi.yml"]
        return (name.hasPrefix(".") && !ownHidden.contains(name)) || ["journals", "Package.resolved"].contains(name)
    }

    private static func paths(in folder: String) -> [String] {
        let names =
            (try? FileManager.default.contentsOfDirectory(atPath: root.appendingPathComponent(folder).path)) ?? []
        return names.filter { !isSkipped($0) }.flatMap { name -> [String] in
            let path = folder.isEmpty ? name : folder + "/" + name
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: root.appendingPathComponent(path).path, isDirectory: &isFolder)
            return isFolder.boolValue ? paths(in: path) : [path]
        }
    }
}
