// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// The plan as text for a person: what is started, what happens when, what must be seen, all with their numbers.
package func explain(_ plan: Plan) -> String {
    var page = Page()
    page.line(plan.name)
    if let title = plan.title { page.line(title) }
    page.line(headline(plan))
    if !plan.variables.isEmpty {
        page.section("Variables")
        page.wrap(plan.variables.map { "\($0.name) \($0.value)" }.joined(separator: ", "))
    }
    page.section("Topology")
    page.table(topologyRows(plan.topology))
    for gateway in plan.topology.gateways {
        for upstream in gateway.upstreams {
            let targets = upstream.targets.map(\.target).joined(separator: ", ")
            page.section("Health of \(upstream.name) (\(targets))")
            page.table(HealthText(facts: upstream).lines.map { ($0.head, $0.text) })
        }
    }
    page.section("Load")
    page.table(plan.loads.map { ($0.id, Sentences.text($0)) })
    page.section("Time line")
    page.timeline(timelineRows(plan))
    if !plan.expectations.isEmpty {
        page.section("Expected")
        page.table(
            plan.expectations.map { ($0.id, Sentences.text($0.kind) + ($0.severity == .should ? " (should)" : "")) })
    }
    if !plan.invariants.isEmpty {
        page.section("At every moment")
        page.table(plan.invariants.map { ($0.id, Sentences.text($0)) })
    }
    let warnings = configurationWarnings(plan)
    if !warnings.isEmpty {
        page.section("Warnings")
        for warning in warnings { page.table([("!", warning)]) }
    }
    return page.text
}

/// What is legal in the plan's configuration and seldom meant, a sentence each.
package func configurationWarnings(_ plan: Plan) -> [String] { ConfigurationWarnings.of(plan) }

private func headline(_ plan: Plan) -> String {
    var parts = [plan.seed.map { "seed \($0)" } ?? "seed drawn at the start"]
    if plan.mode != .any { parts.append("\(plan.mode.rawValue) time only") }
    parts.append(plan.length.map { "load of \($0)" } ?? "load until its requests are done")
    parts.append("watch-dog \(plan.timeout)")
    if plan.repetitions > 1 { parts.append("\(plan.repetitions) times") }
    return parts.joined(separator: ", ")
}

private func topologyRows(_ topology: Topology) -> [(String, String)] {
    var rows: [(String, String)] = []
    for gateway in topology.gateways {
        let source =
            switch gateway.source {
            case .inline: "gateway with the Kong document of the scenario"
            case .file(let path): "gateway with \(path)"
            case .remote(let proxy, let admin): "gateway at \(proxy), Admin API at \(admin)"
            }
        rows.append((gateway.id, source))
    }
    for program in topology.programs {
        rows.append((program.id, "process \(program.command.map(\.shown).joined(separator: " "))"))
    }
    for mock in topology.mocks {
        let settings = mock.settings.filter { !["CATCH_ALL", "HEALTH_PATH"].contains($0.name) }.map {
            "\($0.name) \($0.value.stringValue ?? $0.value.description)"
        }
        rows.append(
            (
                mock.id,
                (["mock, health on \(mock.healthPath)"] + (mock.tls.map { [$0.phrase] } ?? [])
                    + (mock.speaksHTTP2 ? ["HTTP/2"] : []) + settings).joined(separator: ", ")
            ))
    }
    for link in topology.links {
        let hosts = topology.bindings.filter { $0.link == link.id }.map { "\($0.host):\($0.port)" }
        guard !hosts.isEmpty || link.location != nil else { continue }
        let transport = link.tls?.phrase ?? link.transport.rawValue
        rows.append((link.id, "\(transport) link to \(link.to) for \(hosts.joined(separator: ", "))"))
    }
    for name in topology.names { rows.append((name.name, "name server: \(name.answer.phrase), for \(name.ttl)")) }
    return rows
}

/// A row of the time line, sorted by the earliest time; unknown times come last.
private struct TimelineRow {
    var order: Nanoseconds
    var time: String
    var mark: String
    var text: String
}

private func timelineRows(_ plan: Plan) -> [(String, String, String)] {
    let forecast = MarkForecast(plan)
    var rows: [TimelineRow] = []
    func add(_ mark: MarkName, _ text: String) {
        let order = forecast.ranges[mark]?.lowerBound ?? Nanoseconds(.max)
        rows.append(TimelineRow(order: order, time: forecast.text(mark), mark: mark.text, text: text))
    }
    add(.start, "the load starts")
    for step in plan.steps { addStep(step, forecast, &rows) }
    for index in plan.expectations.indices {
        for mark in plan.expectations[index].marksMade { add(mark, "observed by \(plan.expectations[index].id)") }
    }
    add(.end, "the load ends")
    return rows.enumerated().sorted { ($0.element.order, $0.offset) < ($1.element.order, $1.offset) }
        .map { ($0.element.time, $0.element.mark, $0.element.text) }
}

private func addStep(_ step: Step, _ forecast: MarkForecast, _ rows: inout [TimelineRow]) {
    guard let range = forecast.range(of: step) else {
        var text = Sentences.text(step)
        if case .when(let condition) = step.trigger { text += ", as soon as \(condition)" }
        if let length = step.length { text += ", for \(length)" }
        rows.append(TimelineRow(order: Nanoseconds(.max), time: "?", mark: step.name ?? "", text: text))
        return
    }
    func text(_ range: ClosedRange<Nanoseconds>) -> String {
        let (low, high) = (MarkForecast.rounded(range.lowerBound), MarkForecast.rounded(range.upperBound))
        return low == high ? "\(low)" : "\(low)..\(high)"
    }
    rows.append(
        TimelineRow(
            order: range.lowerBound, time: text(range), mark: step.name ?? "", text: Sentences.text(step)))
    guard let lengths = step.lengths else { return }
    let undone = (range.lowerBound + lengths.lowerBound)...(range.upperBound + lengths.upperBound)
    rows.append(
        TimelineRow(
            order: undone.lowerBound, time: text(undone), mark: step.endMark?.text ?? "",
            text: Sentences.undoing(step.action)))
}
