// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

/// A journal judged again. Nothing but the journal is needed: its header holds the scenario, the variables of the run
/// and the Kong documents, so that the verdict is that of the run, on another machine and in another year.
package struct JournalJudgement: Sendable {
    package let report: RunReport
    /// What a reader should know about the journal, a line each: a last line cut off by a crash, unknown events.
    package let notes: [String]

    /// - Parameters:
    ///   - path: of the journal.
    ///   - scenario: a file to judge by instead of the scenario in the journal, such as one with other bounds. It gets
    ///     the variables that were set for the run and the cell of the matrix.
    /// - Throws: a journal that cannot be read or has broken lines; a scenario with mistakes, or of another id.
    package init(journal path: String, scenario: String? = nil) throws(Problems) {
        let view: JournalView
        let summary: JournalReader.Summary
        do {
            (view, summary) = try JournalReader.view(path: path)
        } catch {
            throw Problems([error])
        }
        if !summary.problems.isEmpty { throw summary.problems }
        guard let header = view.header else {
            throw Problems([
                Problem(at: nil, "\(path): has no header", advice: "name a journal that `gatecrash run` wrote")
            ])
        }
        let plan = try RecordedPlan(header, journal: path, requests: view.requests).plan(scenario: scenario)
        report = RunReport(view: view, verdict: RunJudge.judge(plan, view))
        notes = summary.notes
    }
}

/// The plan of a run, made anew from the header of its journal.
private struct RecordedPlan {
    private let header: JournalEvent.Header
    private let journal: String
    private let requests: RequestTable

    init(_ header: JournalEvent.Header, journal: String, requests: RequestTable) {
        self.header = header
        self.journal = journal
        self.requests = requests
    }

    func plan(scenario: String?) throws(Problems) -> Plan {
        let file: ScenarioFile
        if let scenario {
            file = try ScenarioFile(path: scenario)
        } else if header.text.isEmpty {
            throw Problems([
                Problem(
                    at: nil, "\(journal): holds no scenario to judge by",
                    advice: "name its file: gatecrash check \(journal) FILE")
            ])
        } else {
            file = try ScenarioFile(parsing: header.text, path: header.file)
        }
        guard file.id == header.scenario else {
            throw Problems([
                Problem(
                    at: nil, "\(journal): is of the scenario `\(header.scenario)`, \(file.path) is `\(file.id)`",
                    advice: "name the file that was run")
            ])
        }
        return try cell(of: file, changedVariables(file))
    }

    /// The cell that was run: one of the file's own, else the axes narrowed to the recorded values.
    private func cell(of file: ScenarioFile, _ variables: [JournalEvent.Variable]) throws(Problems) -> Plan {
        if let plan = try Plan.cells(file, options(file, variables)).first(where: isRecorded) { return plan }
        let plans = try Plan.cells(file, options(file, variables + header.cell))
        guard let plan = plans.first(where: isRecorded) else {
            let cell = header.cell.map { "\($0.name)=\($0.value)" }.joined(separator: ", ")
            throw Problems([
                Problem(
                    at: nil, "\(journal): is of the cell [\(cell)], which \(file.path) does not have",
                    advice: "name the file that was run")
            ])
        }
        return plan
    }

    private func isRecorded(_ plan: Plan) -> Bool {
        plan.variables.filter(\.isMatrixAxis).map { JournalEvent.Variable($0.name, "\($0.value)") } == header.cell
    }

    /// What `--var` and the environment had set: values of the run that the scenario in the journal does not give by
    /// itself. Those that the file to judge by does not have are left out.
    private func changedVariables(_ file: ScenarioFile) -> [JournalEvent.Variable] {
        let names = Set((file.document["vars"]?.members ?? []).map(\.key))
        let known = header.variables.filter { names.contains($0.name) }
        guard !header.text.isEmpty, let recorded = try? ScenarioFile(parsing: header.text, path: header.file),
            let plans = try? Plan.cells(recorded, options(recorded, [])), let plan = plans.first(where: isRecorded)
        else { return known }
        let own = Dictionary(plan.variables.map { ($0.name, "\($0.value)") }, uniquingKeysWith: { $1 })
        return known.filter { own[$0.name] != $0.value }
    }

    private func options(_ file: ScenarioFile, _ variables: [JournalEvent.Variable]) -> PlanOptions {
        var options = PlanOptions(
            variables: variables.map { ($0.name, $0.value) }, seed: header.seed, checksCapabilities: false)
        let documents = documents(of: file).merging(logs(of: file)) { first, _ in first }
        options.readFile = { (path) throws(Problems) in
            if let document = documents[path] { return document }
            return try ScenarioFile.text(ofFile: path)
        }
        // It was right when it ran.
        options.checkKong = { _ in [] }
        return options
    }

    /// The access logs that the run replayed, as far as it got, by the paths under which the scenario names them.
    private func logs(of file: ScenarioFile) -> [String: String] {
        var logs: [String: String] = [:]
        for (index, load) in (file.document["load"]?.items ?? []).enumerated() {
            guard let replay = load["replay"], let path = replay.scalar ?? replay["file"]?.scalar else { continue }
            let id = load["id"]?.scalar ?? LoadSpec.defaultID(index)
            let speed = replay["speed"]?.scalar.flatMap { ReplaySpeed($0)?.factor } ?? 1
            let text = AccessLog.text(of: requests, load: id, speed: speed)
            // Without a request there is no log to make; then the file has to be there.
            if !text.isEmpty { logs[file.resolve(path)] = text }
        }
        return logs
    }

    /// The Kong documents of the run, by the paths under which the scenario names them.
    private func documents(of file: ScenarioFile) -> [String: String] {
        guard let gateway = file.document["topology"]?["gateway"] else { return [:] }
        var documents: [String: String] = [:]
        func add(_ node: DocumentNode, _ configuration: JournalEvent.NamedDocument?) {
            guard let path = node["kong"]?.scalar, let configuration else { return }
            documents[file.resolve(path)] = configuration.document.text()
        }
        add(gateway, header.configurations.first)
        for member in gateway.members ?? [] {
            add(member.value, header.configurations.first { $0.name == member.key })
        }
        return documents
    }
}
