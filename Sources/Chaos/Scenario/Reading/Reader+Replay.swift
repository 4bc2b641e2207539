// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

extension Reader {
    /// `replay: access.log`, or `replay: { file: access.log, speed: 2x }`.
    mutating func replay(_ fields: Fields, _ what: String, _ files: FileAccess) -> LoadSpec.Shape? {
        for key in ["rate", "for", "stages", "arrivals", "clients", "think", "requests", "mix"] where fields[key] != nil
        {
            report(
                fields.keyLocation(key), "`\(key)` beside `replay`: the log says what is sent, and when",
                advice: "remove it")
        }
        for key in ["method", "path", "body"] {
            guard let member = fields["request"]?.members?.first(where: { $0.key == key }) else { continue }
            report(
                member.keyLocation, "`\(key)` beside `replay`: the log says what is sent", advice: "keep `headers` only"
            )
        }
        guard let node = fields["replay"] else { return nil }
        var path = node
        var speed = 1.0
        if node.members != nil {
            guard let inner = self.fields(node, "`replay`", keys: ["file", "speed"]),
                let file = required("file", in: inner, "`replay`", advice: "write file: access.log")
            else { return nil }
            path = file
            if let node = inner["speed"] { speed = replaySpeed(node) ?? 1 }
        }
        guard let name = word(path, "`replay` of \(what)") else { return nil }
        let resolved = files.resolve(name)
        guard files.contains(resolved) else {
            report(
                path.location, "`replay` must name a file in the scenario's folder, not `\(name)`",
                advice: "copy the log there")
            return nil
        }
        do {
            return .replay(try AccessLog(parsing: try files.read(resolved), file: resolved), speed: speed)
        } catch {
            for problem in error.list {
                problems.add(
                    problem.location == nil
                        ? Problem(at: path.location, problem.message, advice: problem.advice) : problem)
            }
            return nil
        }
    }

    private mutating func replaySpeed(_ node: DocumentNode) -> Double? {
        guard let text = word(node, "`speed`") else { return nil }
        if let speed = ReplaySpeed(text) { return speed.factor }
        report(node.location, "`speed` cannot be `\(text)`", advice: ReplaySpeed.advice)
        return nil
    }
}
