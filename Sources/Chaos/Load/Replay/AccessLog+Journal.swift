// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

extension AccessLog {
    /// The log that a load has replayed, made of the run's own requests: one JSON object a line. Queries are not in a
    /// journal, so they are not in it either.
    ///
    /// - Parameter speed: of the replay, which is undone.
    static func text(of requests: RequestTable, load: String, speed: Double) -> String {
        var text = ""
        for row in requests.indices where requests.loadName(row) == load {
            let (method, path) = (requests.method(row), requests.path(row))
            let line: JSONValue = [
                "ts": .number(Double(requests.planned[row]) / 1e9 * speed),
                "method": .string(method.isEmpty ? "GET" : method), "path": .string(path.isEmpty ? "/" : path),
            ]
            text += line.text() + "\n"
        }
        return text
    }
}
