// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Testing
import World

@testable import Gateway

/// Reading a document after another one takes over what is the same. It must never show.
@Suite struct DeclarativeReadingTests {
    /// A document that changes step by step.
    private struct Draft {
        struct Entity {
            var name: String
            var value: Int
            var children: [Entity] = []
        }

        var services: [Entity] = []
        var routes: [(entity: Entity, service: String)] = []
        var upstreams: [Entity] = []
        var nextName = 0

        mutating func newName(_ kind: String) -> String {
            nextName += 1
            return "\(kind)\(nextName)"
        }

        mutating func change(_ random: inout RandomStream) {
            switch Int(random.next() % 10) {
            case 0: services.insert(Entity(name: newName("s"), value: 1), at: place(services.count + 1, &random))
            case 1:
                guard !services.isEmpty else { return }
                services[place(services.count, &random)].value += 1
            case 2:
                guard !services.isEmpty else { return }
                let route = Entity(name: newName("r"), value: 1)
                services[place(services.count, &random)].children.append(route)
            case 3:
                guard let service = services.first else { return }
                let route = (entity: Entity(name: newName("r"), value: 1), service: service.name)
                routes.insert(route, at: place(routes.count + 1, &random))
            case 4:
                guard !routes.isEmpty, let service = services.last else { return }
                // It moves to another service: its text stays the same when that has been renamed.
                routes[place(routes.count, &random)].service = service.name
            case 5: services.shuffle(using: &random)
            case 6: upstreams.append(Entity(name: newName("u"), value: 1, children: [Entity(name: "a:1", value: 10)]))
            case 7:
                guard !upstreams.isEmpty else { return }
                let target = Entity(name: "\(newName("t")):1", value: 5)
                upstreams[place(upstreams.count, &random)].children.append(target)
            case 8:
                // Sometimes a mistake, which must be told in the same way: a reference to what is not there any more.
                if services.count > 1 { services.remove(at: place(services.count, &random)) }
            default: if !routes.isEmpty { routes.remove(at: place(routes.count, &random)) }
            }
        }

        private func place(_ count: Int, _ random: inout RandomStream) -> Int { Int(random.next() % UInt64(count)) }

        var text: String {
            var lines = ["_format_version: \"3.0\"", "services:"]
            for service in services {
                lines.append("- {name: \(service.name), host: h\(service.value), routes: [")
                for route in service.children { lines.append("   {name: \(route.name), paths: [/\(route.name)]},") }
                lines.append("  ]}")
            }
            // Known by its place only.
            lines.append("- {host: nameless}")
            lines.append("routes:")
            for (route, service) in routes {
                lines.append("- {name: \(route.name), service: \(service), paths: [/\(route.name)/\(route.value)]}")
            }
            lines.append("upstreams:")
            for upstream in upstreams {
                lines.append("- name: \(upstream.name)\n  targets:")
                for target in upstream.children {
                    lines.append("  - {target: \"\(target.name)\", weight: \(target.value)}")
                }
            }
            return lines.joined(separator: "\n").replacing("services:\nroutes", with: "services: []\nroutes") + "\n"
        }
    }

    private func read(
        _ text: String, now: Int64 = 1_700_000_000_000_000_000, after previous: DeclarativeReading?
    ) -> Result<DeclarativeReading, DeclarativeError> {
        Result { () throws(DeclarativeError) in
            try DeclarativeFile.read(
                try DeclarativeFile.parse(text, file: "kong.yml"), acceptsServiceHealthChecks: true, now: now,
                after: previous)
        }
    }

    @Test(arguments: 1...8)
    func `a document read after another one gives what it gives alone`(seed: Int) throws {
        var random = RandomStreams(seed: UInt64(seed)).stream("drafts")
        var draft = Draft()
        var previous: DeclarativeReading?
        for _ in 0..<30 {
            for _ in 0..<1 + random.next() % 4 { draft.change(&random) }
            let (alone, after) = (read(draft.text, after: nil), read(draft.text, after: previous))
            switch (alone, after) {
            case (.success(let alone), .success(let after)):
                #expect(after.store.configuration() == alone.store.configuration())
                #expect(after.store.flattened() == alone.store.flattened())
                previous = after
            case (.failure(let alone), .failure(let after)):
                #expect(after.problems.description == alone.problems.description)
                #expect(after.fields == alone.fields)
            default: Issue.record("one of two readings failed:\n\(draft.text)")
            }
        }
    }

    private static let text = """
        _format_version: "3.0"
        services:
        - name: a
          host: one.example.com
          routes: [{name: x, paths: [/x]}, {name: y, paths: [/y]}]
        - name: b
          host: two.example.com
        """

    @Test func `what is stated as before is the very same row, and keeps its times`() throws {
        let first = try read(Self.text, after: nil).get()
        let moved = Self.text.replacing("services:", with: "# moved\n\nservices:").replacing("/y", with: "/z")
        let second = try read(moved, now: 1_800_000_000_000_000_000, after: first).get()
        func row(_ reading: DeclarativeReading, _ kind: EntityKind, _ name: String) throws -> StoredRow {
            let table = reading.store[table: kind]
            return try #require(table.id(ofKey: name).flatMap { table.rows[$0]?.stored })
        }
        for (kind, name) in [(EntityKind.services, "a"), (.services, "b"), (.routes, "x")] {
            #expect(try row(second, kind, name) === row(first, kind, name), "\(name)")
        }
        #expect(try row(second, .routes, "y").json["updated_at"] == 1_800_000_000)
        #expect(try row(second, .routes, "x").json["updated_at"] == 1_700_000_000)
        #expect(try row(second, .routes, "y").json["paths"] == ["/z"])
    }

    @Test func `a name that leads elsewhere makes another row`() throws {
        let text =
            Self.text.replacing(", {name: y, paths: [/y]}", with: "")
            + "\nroutes: [{name: y, paths: [/y], service: b}]\n"
        let first = try read(text, after: nil).get()
        let id = "0d9f5b20-38a5-4f0f-9f15-1d1f4d1d1c11"
        let second = try read(text.replacing("name: b\n", with: "name: b\n  id: \(id)\n"), after: first).get()
        #expect(second.store.row(.routes, idOrName: "y")?["service"]?["id"] == .string(id))
    }
}
