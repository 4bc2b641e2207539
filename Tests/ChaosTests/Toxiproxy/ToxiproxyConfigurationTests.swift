// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Testing

@testable import Chaos

@Suite struct ToxiproxyConfigurationTests {
    private func messages(_ text: String) -> [String] {
        do throws(Problems) {
            _ = try ToxiproxyConfiguration(parsing: text, file: "p.json")
            return []
        } catch {
            return error.sorted.map(\.description)
        }
    }

    @Test func `a good file, in JSON and in YAML`() {
        #expect(messages("[]") == [])
        let json = #"[{"name":"a","listen":"127.0.0.1:0","upstream":"db.internal:6379","enabled":false,"toxics":null}]"#
        #expect(messages(json) == [])
        let yaml = """
            - name: a
              listen: localhost:26379
              upstream: 127.0.0.1:6379
              protocol: http
              toxics:
                - { type: latency, stream: upstream, toxicity: 0.5, attributes: { latency: 100 } }
                - { type: status, attributes: { code: 503 }, match: { method: get, path: /a }, count: 2 }
            """
        #expect(messages(yaml) == [])
    }

    /// A broken file and every line a person reads.
    @Test(arguments: [
        (
            "{}",
            [
                "p.json:1:1: the file must be a list of proxies, not a mapping; "
                    + "write [{\"name\": …, \"listen\": …, \"upstream\": …}]"
            ]
        ),
        (
            "[1, {\"name\": \"a\"}]",
            [
                "p.json:1:2: a proxy must be a mapping, not text", "p.json:1:5: a proxy needs `upstream`",
            ]
        ),
        (
            "[{\"nam\": \"a\", \"upstream\": \"b:1\"}]",
            ["p.json:1:3: unknown key `nam` in a proxy; did you mean `name`?"]
        ),
        (
            "[{\"name\": \"a\", \"listen\": \"nowhere\", \"upstream\": \"b\", \"enabled\": \"x\"}]",
            [
                "p.json:1:26: `listen` cannot be `nowhere`; write an address and a port, such as 127.0.0.1:26379",
                "p.json:1:49: `upstream` cannot be `b`; write a host and a port, such as 127.0.0.1:6379",
                "p.json:1:65: `enabled` must be true or false",
            ]
        ),
        (
            "[{\"name\": \"a\", \"upstream\": \"b:1\"},\n {\"name\": \"a\", \"upstream\": \"b:1\"}]",
            ["p.json:2:11: there are two proxies `a`; rename one: line 1 has it too"]
        ),
        (
            "[{\"name\": \"a\", \"upstream\": \"b:1\", \"toxics\": [\n{\"type\": \"latancy\"},\n"
                + "{\"type\": \"latency\", \"stream\": \"x\"},\n"
                + "{\"type\": \"latency\", \"attributes\": {\"latency\": \"x\"}},\n"
                + "{\"type\": \"latency\", \"attributes\": {\"laten\": 1}},\n"
                + "{\"type\": \"slicer\", \"toxicity\": 2}, {}]}]",
            [
                "p.json:2:10: unknown toxic type `latancy`; did you mean `latency`?",
                "p.json:3:31: stream was invalid, can be either upstream or downstream",
                "p.json:4:47: bad request body: json: cannot unmarshal string into Go struct field "
                    + "LatencyToxic.attributes.latency of type int64",
                "p.json:5:36: unknown key `laten` in the attributes of latency; did you mean `latency`?",
                "p.json:6:32: `toxicity` must be a number from 0 to 1", "p.json:6:36: a toxic needs `type`",
            ]
        ),
    ])
    func `every mistake of a broken file is named at its place`(text: String, expected: [String]) {
        #expect(messages(text) == expected)
    }
}
