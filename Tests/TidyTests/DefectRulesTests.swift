// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Testing

@Suite struct DefectRulesTests {
    private static let header = "\(LayoutRules.header)\n\n"

    struct Example: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var table = "# lines\nhang\tno-retries\ttrips\n"
        var list = "    case noRetries = \"no-retries\"\n"
        var place = "#if GATECRASH_DEFECTS\nif Defect.noRetries.isChosen { left = 0 }\n#endif\n"
        var scenarios = ["hang"]
        /// Found in the message; nil for an example that is good.
        var objection: String?
    }

    @Test(arguments: [
        Example(testDescription: "complete"),
        Example(
            testDescription: "a scenario that finds nothing", scenarios: ["dns", "hang"],
            objection: "dns has no defect that it finds"),
        Example(
            testDescription: "a defect that nobody finds",
            list: "    case noRetries = \"no-retries\"\n    case other = \"other\"\n",
            place: "#if GATECRASH_DEFECTS\n_ = Defect.noRetries.isChosen || Defect.other.isChosen\n#endif\n",
            objection: "no scenario finds other"),
        Example(
            testDescription: "a line without its expectation", table: "hang\tno-retries\ttrips\nhang\tno-retries\n",
            objection: "with tabs between"),
        Example(
            testDescription: "a scenario that is not there",
            table: "hang\tno-retries\ttrips\ndns\tno-retries\ttrips\n", objection: "there is no scenario dns"),
        Example(
            testDescription: "a defect that is not there", table: "hang\tno-retries\ttrips\nhang\tother\ttrips\n",
            objection: "has no defect other"),
        Example(
            testDescription: "an expectation that is not there", table: "hang\tno-retries\ttrips,back\n",
            objection: "has no expectation back"),
        Example(testDescription: "a defect without a place", place: "", objection: "nothing asks for noRetries"),
        Example(
            testDescription: "a defect in every build",
            place: "if Defect.noRetries.isChosen { left = 0 }\n", objection: "outside of #if GATECRASH_DEFECTS"),
        Example(
            testDescription: "a module in every build",
            place: "import Defects\n#if GATECRASH_DEFECTS\n_ = Defect.noRetries.isChosen\n#endif\n",
            objection: "outside of #if GATECRASH_DEFECTS"),
        Example(
            testDescription: "behind a condition within the condition",
            place: "#if GATECRASH_DEFECTS\n#if os(Linux)\n#endif\n_ = Defect.noRetries.isChosen\n#endif\n"),
    ])
    func `scenarios and defects belong together`(_ example: Example) {
        let scenarios = example.scenarios.map { name in
            SourceFile(path: "\(DefectRules.scenarios)/\(name).yml", text: "expect:\n  - { id: trips }\n")
        }
        let files =
            scenarios + [
                SourceFile(path: DefectRules.table, text: example.table),
                SourceFile(path: DefectRules.list, text: Self.header + example.list),
                SourceFile(path: "Sources/Gateway/A.swift", text: Self.header + example.place),
            ]
        let found = DefectRules.findings(in: files)
        if let objection = example.objection {
            #expect(found.count == 1 && found.first?.message.contains(objection) == true, "\(found)")
        } else {
            #expect(found.isEmpty, "\(found)")
        }
    }

    @Test func `the table and the list are where the rules look for them`() {
        for path in [DefectRules.table, DefectRules.list] {
            #expect(Tree.all.contains { $0.path == path }, "\(path)")
        }
    }
}
