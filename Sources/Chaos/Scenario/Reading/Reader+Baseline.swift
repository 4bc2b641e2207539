// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

extension Reader {
    /// `baseline: ./base.json` with one bound or more: `latency.p99: "<= +10%"`, `rate: ">= -3%"`.
    mutating func baseline(_ fields: Fields) -> BaselineBounds? {
        guard let node = fields["baseline"], let name = word(node, "`baseline`") else { return nil }
        var bounds: [(figure: BaselineBounds.Figure, least: Double?, most: Double?)] = []
        for figure in BaselineBounds.Figure.allCases {
            guard let node = fields[figure.rawValue], let change = change(node, "`\(figure.rawValue)`") else {
                continue
            }
            bounds.append((figure, change.least, change.most))
        }
        if BaselineBounds.Figure.allCases.allSatisfy({ fields[$0.rawValue] == nil }) {
            report(fields.location, "a baseline bounds nothing", advice: "write latency.p99: \"<= +10%\"")
        }
        let path = files.resolve(name)
        guard files.contains(path) else {
            report(
                node.location, "`baseline` must name a file in the scenario's folder, not `\(name)`",
                advice: "copy it there")
            return nil
        }
        let baseline: RunBaseline
        do {
            let text = try files.read(path)
            let axes = scope.variables.filter(\.isMatrixAxis).map { ($0.name, "\($0.value)") }
            baseline = try RunBaseline(
                parsing: text, file: name, scenario: scenarioName,
                cell: Dictionary(axes, uniquingKeysWith: { first, _ in first }))
        } catch let problem as Problem {
            report(node.location, problem.message, advice: problem.advice)
            return nil
        } catch let list as Problems {
            for problem in list.list { report(node.location, problem.message, advice: problem.advice) }
            return nil
        } catch {
            preconditionFailure("a baseline threw \(error)")
        }
        var entries: [BaselineBounds.Entry] = []
        for (figure, least, most) in bounds {
            let values = baseline.values(of: figure)
            guard let entry = BaselineBounds.Entry(figure: figure, values: values, least: least, most: most) else {
                report(
                    fields.keyLocation(figure.rawValue), "\(name) has no `\(figure.rawValue)`", advice: "leave it out")
                continue
            }
            entries.append(entry)
        }
        return entries.isEmpty ? nil : BaselineBounds(file: name, entries: entries)
    }

    /// `<= +10%`, `>= -3%`: a part of what it was, more or less.
    private mutating func change(_ node: DocumentNode, _ what: String) -> (least: Double?, most: Double?)? {
        guard let text = word(node, what) else { return nil }
        let advice = "write \"<= +10%\" or \">= -3%\""
        let comparison = text.prefix(2)
        let amount = text.dropFirst(2).drop { $0 == " " }
        guard comparison == "<=" || comparison == ">=" else {
            report(node.location, "\(what) of a baseline cannot be `\(text)`", advice: advice)
            return nil
        }
        guard amount.last == "%", let sign = amount.first, sign == "+" || sign == "-",
            amount.dropFirst().dropLast().allSatisfy({ $0.isASCII && $0.isNumber || $0 == "." }),
            let percent = Double(amount.dropLast()), percent >= -100, percent <= 100_000
        else {
            report(node.location, "`\(amount)` is no change", advice: advice)
            return nil
        }
        return comparison == "<=" ? (nil, percent / 100) : (percent / 100, nil)
    }
}
