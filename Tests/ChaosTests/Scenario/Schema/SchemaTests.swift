// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Foundation
import Testing

@testable import Chaos

struct SchemaTests {
    private static let validator = SchemaValidator(root: SchemaDocument.json)

    private func violations(_ text: String) throws -> [String] {
        Self.validator.violations(try DocumentNode(parsing: text, file: "s.yml").json)
    }

    /// Every scenario of the repository: those of the suite, of the documentation, of the templates.
    static let files: [String] = ["/Tests/Scenarios/files", "/docs/examples"].flatMap { folder in
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: Examples.root + folder)) ?? []
        return names.filter { $0.hasSuffix(".yml") }.sorted().map { Examples.root + folder + "/" + $0 }
    }.filter { path in (try? ScenarioFile.text(ofFile: path))?.contains("\nscenario:") == true }

    @Test func `there are files`() { #expect(Self.files.count >= 5) }

    @Test(arguments: files)
    func `every scenario of the repository fits the schema`(path: String) throws {
        #expect(try violations(try ScenarioFile.text(ofFile: path)) == [])
    }

    @Test(arguments: DocumentationTests.examples)
    func `every example of the reference fits the schema`(text: String) throws {
        #expect(try violations(text) == [])
    }

    @Test(arguments: StarterFile.allCases)
    func `every starter file fits the schema`(file: StarterFile) throws {
        #expect(try violations(file.text(name: "x")) == [])
    }

    @Test func `the file in the documentation is what the program prints`() throws {
        let path = Examples.root + "/docs/scenario.schema.json"
        let text = try ScenarioFile.text(ofFile: path)
        #expect(text == SchemaDocument.text, "write it anew: gatecrash schema > docs/scenario.schema.json")
    }

    /// A piece of the base, and something wrong in its place.
    static let broken: [(old: String, new: String)] = [
        ("scenario: small", "scenari: small"),
        ("scenario: small", "scenario: Small One"),
        ("vars: { rate: 50/s, slow: 3s }", "vars: [rate]"),
        ("vars: { rate: 50/s, slow: 3s }", "tolerance: { timers: 5ms }"),
        ("vars: { rate: 50/s, slow: 3s }", "seed: minus one"),
        ("vars: { rate: 50/s, slow: 3s }", "mode: vitrual"),
        ("vars: { rate: 50/s, slow: 3s }", "repeat: 0"),
        ("vars: { rate: 50/s, slow: 3s }", "timeout: 120"),
        ("    api: { health: /health }", "    api: { health: healthz }"),
        ("    api: { health: /health }", "    api: { haelth: /health }"),
        ("    pair: { count: 2 }", "    pair: { count: 0 }"),
        ("    wire: { from: gateway, to: api }", "    wire: { from: gateway }"),
        ("    wire: { from: gateway, to: api }", "    wire: { from: gateway, to: api, protocol: udp }"),
        ("for: 20s }", "for: 20 }"),
        ("for: 20s }", "for: 20sec }"),
        ("rate: \"$(rate)\", for: 20s", "for: 20s"),
        ("rate: \"$(rate)\", for: 20s", "rate: 50, for: 20s"),
        ("rate: \"$(rate)\", for: 20s", "rate: 50/s, for: 20s, arivals: even"),
        ("at: 5s, name: errors", "att: 5s, name: errors"),
        ("at: 5s, name: errors", "at: 5, name: errors"),
        ("at: 5s, name: errors", "at: 5s, name: \"two words\""),
        ("mock: api, set: { ERROR_RATE: 0.9 }", "mock: api"),
        ("mock: api, set: { ERROR_RATE: 0.9 }", "mock: api, set: { EROR_RATE: 0.9 }"),
        ("mock: api, set: { ERROR_RATE: 0.9 }", "kil: api"),
        ("fault: { latency: 3s }", "fault: { latncy: 3s }"),
        ("fault: { latency: 3s }", "fault: { latency: 3s }, stream: sideways"),
        ("within: 12 requests, as: tripped", "as: tripped"),
        ("becomes: unhealthy", "becomes: ill"),
        ("becomes: unhealthy", "becoms: unhealthy"),
        ("starts: 0ms..100ms after tripped", "starts: 0ms..100ms"),
        ("status: 503", "status: 5XX"),
        ("availability: \">= 99%\"", "availability: [99%]"),
        ("- never: { status: 502 }", "- nevr: { status: 502 }"),
        ("- never: { status: 502 }", "- never: { status: 502, orign: gateway }"),
        ("- never: { status: 502 }", "- { never: { status: 502 }, always: { latency: <= 1s } }"),
    ]

    @Test func `the base fits the schema`() throws { #expect(try violations(Examples.base) == []) }

    @Test(arguments: broken.indices)
    func `broken files do not fit the schema, and the reader refuses them too`(index: Int) throws {
        let (old, new) = Self.broken[index]
        let text = Examples.broken(old, new)
        #expect(try !violations(text).isEmpty, "\(new)")
        #expect(!Examples.messages(text).isEmpty, "\(new)")
    }

    @Test func `every key of the language is in the schema, with its description`() {
        for (key, schema) in SchemaDocument.json["properties"]?.objectValue ?? [:] {
            #expect(schema["description"]?.stringValue?.isEmpty == false, "\(key)")
        }
        let steps = SchemaDocument.json["properties"]?["timeline"]?["items"]?["properties"]?.objectValue ?? [:]
        #expect(Set(steps.keys) == Set(Reader.stepKeys))
        let expectations = SchemaDocument.json["properties"]?["expect"]?["items"]?["properties"]?.objectValue ?? [:]
        #expect(Set(expectations.keys) == Set(ExpectationShape.allKeys))
    }
}
