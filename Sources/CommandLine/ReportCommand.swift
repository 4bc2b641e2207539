// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chaos

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Make reports from journals.",
        discussion: """
            Judges each journal as `gatecrash check` does and writes the reports that are asked for; without any it \
            prints the table and the time line. The exit code is 0 when everything was written, whatever the verdict: \
            that is what `check` is for. 2: unreadable journal, bad usage.
            """)

    @Argument(
        help: ArgumentHelp(
            "Journals of `gatecrash run --journal`, or folders of them.", valueName: "journal"))
    var journals: [String]
    @OptionGroup var reports: ReportOptions

    func run() throws {
        try reports.checkWritable()
        let judged = RepeatedBaseline.settled(try Journals.judge(journals))
        try reports.write(judged)
        guard !reports.isAny else { return }
        let style = Style.detect(isTerminal: false, columns: Console.columns) { Console.environment[$0] }
        for report in judged { Console.out(RunText(report, style: style).text + "\n") }
        Console.out(SuiteSummary(judged, style: style).text)
    }
}
