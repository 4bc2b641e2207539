// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Testing

@testable import Chaos

struct KongPatchTests {
    private static let document: JSONValue = [
        "_format_version": "3.0",
        "services": [["name": "s", "host": "up", "retries": 5, "routes": [["name": "r", "paths": ["/"]]]]],
        "upstreams": [
            [
                "name": "up", "slots": 100, "targets": [["target": "api-1:8080"], ["target": "api-2"]],
                "healthchecks": ["active": ["timeout": 1, "healthy": ["interval": 5]]],
            ]
        ],
    ]

    private func patched(_ patch: JSONValue) throws -> JSONValue { try KongPatch.apply(patch, to: Self.document) }

    @Test(
        arguments: [
            // In a map of names and in a list, as the document has it.
            ["upstreams": ["up": ["healthchecks": ["active": ["healthy": ["interval": 1]]]]]],
            ["upstreams": [["name": "up", "healthchecks": ["active": ["healthy": ["interval": 1]]]]]],
        ] as [JSONValue])
    func `records are merged field by field`(patch: JSONValue) throws {
        let upstream = try #require(try patched(patch)["upstreams"]?.arrayValue?.first)
        #expect(upstream["healthchecks"] == ["active": ["timeout": 1, "healthy": ["interval": 1]]])
        #expect(upstream["slots"] == 100)
        #expect(upstream["targets"]?.arrayValue?.count == 2)
    }

    @Test func `a target is added, changed or taken away`() throws {
        let patch: JSONValue = [
            "upstreams": ["up": ["targets": ["api-1:8080": .null, "api-2:8000": ["weight": 0], "api-3:8080": [:]]]]
        ]
        let targets = try patched(patch)["upstreams"]?.arrayValue?.first?["targets"]
        #expect(targets == [["target": "api-2", "weight": 0], ["target": "api-3:8080"]])
    }

    @Test func `null takes a field away, a list is replaced`() throws {
        let service = try patched(["services": ["s": ["retries": .null, "routes": ["r": ["paths": ["/a"]]]]]])[
            "services"]
        #expect(service == [["name": "s", "host": "up", "routes": [["name": "r", "paths": ["/a"]]]]])
    }

    @Test(
        arguments: [
            (["upstreams": ["upp": [:]]], "there is no upstream `upp` to patch; did you mean `up`?"),
            (["services": ["x-y-z": [:]]], "there is no service `x-y-z` to patch; there are s"),
            (["upstreams": [["slots": 10]]], "a upstream of a patch needs its `name`; it says which one is meant"),
            (["upstreams": 5], "a patch names each upstream; write { <name>: { … } }"),
        ] as [(JSONValue, String)])
    func `what is not there cannot be patched`(patch: JSONValue, message: String) {
        #expect { try patched(patch) } throws: { ($0 as? Problem)?.description == message }
    }
}
