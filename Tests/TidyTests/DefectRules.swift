// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// How scenarios and defects belong together: the table of `ci/defects` is complete, names what there is, and no other
/// build has a defect.
enum DefectRules {
    static let table = "Tests/Scenarios/defects.tsv"
    static let scenarios = "Tests/Scenarios/files"
    static let list = "Sources/Defects/Defect.swift"

    private struct Row {
        var line: Int
        var scenario: String
        var defect: String
        var expectations: [String]
    }

    static func findings(in files: [SourceFile]) -> [Finding] {
        guard let table = files.first(where: { $0.path == table }) else { return [] }
        guard let list = files.first(where: { $0.path == list }) else { return [] }
        let scenarios = files.filter { $0.isIn(Self.scenarios) && $0.path.hasSuffix(".yml") }
        let (rows, malformed) = rows(of: table)
        return malformed + incomplete(rows, table, list, scenarios)
            + rows.flatMap { unknown($0, table, list, scenarios) } + places(in: files, list)
    }

    private static func rows(of table: SourceFile) -> (rows: [Row], malformed: [Finding]) {
        var (rows, malformed): ([Row], [Finding]) = ([], [])
        for (index, line) in table.lines.enumerated() where !line.isEmpty && !line.hasPrefix("#") {
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            if fields.count == 3, !fields.contains("") {
                let ids = fields[2].split(separator: ",").map(String.init)
                rows.append(Row(line: index + 1, scenario: fields[0], defect: fields[1], expectations: ids))
            } else {
                malformed.append(
                    Finding(table, line: index + 1, "write scenario, defect and expectations with tabs between them"))
            }
        }
        return (rows, malformed)
    }

    private static func incomplete(
        _ rows: [Row], _ table: SourceFile, _ list: SourceFile, _ scenarios: [SourceFile]
    ) -> [Finding] {
        let (tested, used) = (Set(rows.map(\.scenario)), Set(rows.map(\.defect)))
        return scenarios.filter { !tested.contains(name(of: $0)) }.map {
            Finding(table, line: 1, "\(name(of: $0)) has no defect that it finds: add a line, and a defect if need be")
        }
            + defects(in: list).filter { !used.contains($0.name) }.map {
                Finding(list, line: $0.line, "no scenario finds \($0.name): add a line to \(Self.table)")
            }
    }

    private static func unknown(
        _ row: Row, _ table: SourceFile, _ list: SourceFile, _ scenarios: [SourceFile]
    ) -> [Finding] {
        var found: [Finding] = []
        if !defects(in: list).contains(where: { $0.name == row.defect }) {
            found.append(Finding(table, line: row.line, "\(list.path) has no defect \(row.defect)"))
        }
        guard let file = scenarios.first(where: { name(of: $0) == row.scenario }) else {
            return found + [Finding(table, line: row.line, "there is no scenario \(row.scenario)")]
        }
        return found
            + row.expectations.filter { !ids(in: file).contains($0) }.map {
                Finding(table, line: row.line, "\(file.path) has no expectation \($0)")
            }
    }

    /// Every defect is asked for somewhere, and only where the compiler leaves it out of normal builds.
    private static func places(in files: [SourceFile], _ list: SourceFile) -> [Finding] {
        var (asked, found): (Set<Substring>, [Finding]) = ([], [])
        for file in files where file.isSwift && file.isIn("Sources") && !file.isIn("Sources/Defects") {
            guard file.codeText.contains("Defect") else { continue }
            var depth = 0
            for (index, line) in file.code.enumerated() {
                if line.contains("#if GATECRASH_DEFECTS") || (depth > 0 && line.contains("#if ")) { depth += 1 }
                if depth > 0, line.contains("#endif") { depth -= 1 }
                let names = line.matches(of: /\bDefect\.(\w+)\.isChosen\b/).map(\.1)
                asked.formUnion(names)
                if depth == 0, line.contains(/\bimport Defects\b|\bDefect\./) {
                    found.append(Finding(file, line: index + 1, "a defect outside of #if GATECRASH_DEFECTS"))
                }
            }
        }
        return found
            + defects(in: list).filter { !asked.contains($0.word) }.map {
                Finding(list, line: $0.line, "nothing asks for \($0.word)")
            }
    }

    // MARK: Reading

    private static func name(of file: SourceFile) -> String {
        String(file.path.dropFirst(scenarios.count + 1).dropLast(4))
    }

    private static func defects(in list: SourceFile) -> [(word: Substring, name: String, line: Int)] {
        list.lines.enumerated().compactMap { index, line in
            line.firstMatch(of: /^\s*case (\w+) = "([\w-]+)"/).map { ($0.1, String($0.2), index + 1) }
        }
    }

    private static func ids(in file: SourceFile) -> Set<String> {
        Set(file.text.matches(of: /\bid: *([\w-]+)/).map { String($0.1) })
    }
}
