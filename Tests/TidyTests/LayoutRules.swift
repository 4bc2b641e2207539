// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// How files look: lines, lengths, headers, leftovers, and what must not leave the machine they were written on.
enum LayoutRules {
    static let header = "// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0"
    static let columns = 120
    static let fileLines = 500
    static let functionLines = 70

    /// Recorded data and texts of others are as long as they are.
    private static func isData(_ file: SourceFile) -> Bool { file.path.contains("/Data/") || file.path == "LICENSE" }

    static func longLines(in file: SourceFile) -> [Finding] {
        guard file.isSwift || file.isScript || file.path.hasSuffix(".c") || file.path.hasSuffix(".h") else { return [] }
        return file.lines.enumerated().filter { $0.element.utf8.count > columns && $0.element.count > columns }.map {
            Finding(file, line: $0.offset + 1, "\($0.element.count) columns, at most \(columns): break the line")
        }
    }

    static func longFiles(in file: SourceFile) -> [Finding] {
        let count = file.lines.count - (file.lines.last == "" ? 1 : 0)
        guard file.isSwift, count > fileLines else { return [] }
        return [
            Finding(
                file, line: count,
                "\(count) lines; one idea a file, at most \(fileLines): split it as Thing+Topic.swift")
        ]
    }

    static func longFunctions(in file: SourceFile) -> [Finding] {
        SwiftCode.functions(in: file.code).filter { $0.length > functionLines }.map {
            Finding(
                file, line: $0.line,
                "\($0.name) takes \($0.length) lines, at most \(functionLines): take a part out of it")
        }
    }

    static func headers(in file: SourceFile) -> [Finding] {
        let isSource = file.isSwift || file.path.hasSuffix(".c") || file.path.hasSuffix(".h")
        guard isSource, !file.path.hasSuffix("Package.swift") else { return [] }
        let second = file.lines.count > 1 ? file.lines[1] : "?"
        // C says what a file is for right behind it.
        if file.lines.first == header, second.isEmpty || (!file.isSwift && second == "//") { return [] }
        return [Finding(file, line: 1, "the first line must be '\(header)', the second empty")]
    }

    static func whiteSpace(in file: SourceFile) -> [Finding] {
        guard !isData(file) else { return [] }
        var found = file.lines.enumerated().filter { $0.element.last == " " || $0.element.last == "\t" }.map {
            Finding(file, line: $0.offset + 1, "white space at the end of the line; remove it")
        }
        if file.text.utf8.contains(0x0d) {
            found.append(Finding(file, line: 1, "CRLF line ends; use LF"))
        }
        if !file.text.isEmpty, !file.text.hasSuffix("\n") || file.text.hasSuffix("\n\n") {
            found.append(Finding(file, line: file.lines.count, "a file ends in one line feed"))
        }
        return found
    }

    // Written in two parts each, so that this file does not object to itself.
    private static let markers = [
        "TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK", "W" + "IP", "not " + "implemented yet",
        "un" + "implemented", "place" + "holder",
    ]

    static func leftovers(in file: SourceFile) -> [Finding] {
        guard file.isSwift || file.isScript || file.path.hasSuffix(".md") else { return [] }
        let markers = markers.filter(file.text.contains)
        return file.lines.enumerated().flatMap { index, line in
            markers.filter { contains(line, word: $0) }.map {
                Finding(file, line: index + 1, "'\($0)' marks unfinished work; finish it or leave it out")
            }
        }
    }

    private static func contains(_ line: String, word: String) -> Bool {
        guard let range = line.range(of: word) else { return false }
        let isWord = { (character: Character?) in character.map { $0.isLetter || $0.isNumber || $0 == "_" } ?? false }
        let before = range.lowerBound > line.startIndex ? line[line.index(before: range.lowerBound)] : nil
        let after = range.upperBound < line.endIndex ? line[range.upperBound] : nil
        return !isWord(before) && !isWord(after)
    }

    private static let machinePaths = ["/wo" + "rk", "/ro" + "ot", "/ho" + "me", "/opt/" + "swift", "/Us" + "ers"]
    private static let registryHosts = [
        "pypi" + ".org", "pythonhosted" + ".org", "deb.debian" + ".org", "security.debian" + ".org",
        "proxy.golang" + ".org",
        "npmjs" + ".org", "crates" + ".io",
    ]

    static func places(in file: SourceFile) -> [Finding] {
        guard !isData(file) else { return [] }
        let machinePaths = machinePaths.filter(file.text.contains)
        let registryHosts = registryHosts.filter(file.text.contains)
        return file.lines.enumerated().flatMap { index, line in
            let paths = machinePaths.filter { containsPath(line, $0) }.map {
                Finding(file, line: index + 1, "'\($0)' is a path of one machine; write it from the package's root")
            }
            let hosts = registryHosts.filter { line.contains($0) }.map {
                Finding(file, line: index + 1, "'\($0)' is a registry's host; leave its name to the tool that asks it")
            }
            return paths + hosts
        }
    }

    /// `path` as the beginning of an absolute path: not within a longer word, URL or path.
    private static func containsPath(_ line: String, _ path: String) -> Bool {
        line.ranges(of: path).contains { range in
            let before = range.lowerBound > line.startIndex ? line[line.index(before: range.lowerBound)] : " "
            let after = range.upperBound < line.endIndex ? line[range.upperBound] : "/"
            return !(before.isLetter || before.isNumber || "._-/:}".contains(before)) && (after == "/" || after == " ")
        }
    }
}
