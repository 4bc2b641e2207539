// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

// `processes:` of a topology: load balancers in front of the gateways.
extension Reader {
    /// Programs that may be started by their name alone. Anything else must lie beside the scenario: a file that a
    /// person downloads and runs must not start whatever it likes.
    static let knownPrograms = [
        "haproxy", "nginx", "envoy", "traefik", "caddy", "varnishd", "squid", "apache2", "httpd", "toxiproxy-server",
    ]

    mutating func programs(_ node: DocumentNode?, _ topology: Topology) -> [ProgramNode] {
        var programs: [ProgramNode] = []
        let list = members(node, "`processes`")
        let names = topology.gateways.map(\.id) + topology.mocks.map(\.id) + list.map(\.key)
        for member in list {
            guard isNodeName(member.key, at: member.keyLocation) else { continue }
            if topology.nodeNames.contains(member.key) {
                report(member.keyLocation, "`\(member.key)` is a process and something else", advice: "rename one")
                continue
            }
            if let program = program(member, nodes: names, gateways: topology.gateways.map(\.id)) {
                programs.append(program)
            }
        }
        return programs
    }

    private mutating func program(
        _ member: DocumentNode.Member, nodes: [String], gateways: [String]
    ) -> ProgramNode? {
        let what = "the process `\(member.key)`"
        guard let fields = fields(member.value, what, keys: Vocabulary.program.names) else { return nil }
        let commandNode = required(
            "command", in: fields, what, advice: "write command: [haproxy, -f, $(file(haproxy.cfg))]")
        let fileNames = (fields["files"]?.members ?? []).map(\.key)
        var places = ProgramPlaces(own: member.key, nodes: nodes, gateways: gateways, files: fileNames)
        var files: [ProgramNode.File] = []
        for file in members(fields["files"], "`files` of \(what)") {
            guard !file.key.isEmpty, !file.key.hasPrefix("."), !file.key.contains("/"), file.key.utf8.count <= 100
            else {
                report(file.keyLocation, "`\(file.key)` cannot name a file", advice: "write one such as haproxy.cfg")
                continue
            }
            if let text = programText(file.value, "the file `\(file.key)`", &places) {
                files.append(ProgramNode.File(name: file.key, text: text))
            }
        }
        let environment = members(fields["env"], "`env` of \(what)").compactMap { setting in
            text(setting.value, "`\(setting.key)`").map { EnvironmentSetting(name: setting.key, value: $0) }
        }
        guard let commandNode, let command = command(commandNode, what, &places), let first = command.first else {
            return nil
        }
        if !places.usesOwnPort {
            report(
                commandNode.location, "\(what) is not told where to listen",
                advice: "use $(port) in its command or in one of its files")
        }
        guard let program = executable(first, at: commandNode.items?.first?.location ?? commandNode.location) else {
            return nil
        }
        var requirements = (fields["requires"].map { $0.items ?? [$0] } ?? []).compactMap { word($0, "`requires`") }
        if !program.contains("/"), !requirements.contains(program) { requirements.append(program) }
        return ProgramNode(
            id: member.key, command: [ProgramText([.text(program)])] + command.dropFirst(), requirements: requirements,
            environment: environment, files: files, folder: self.files.folder, location: member.keyLocation)
    }

    private mutating func command(
        _ node: DocumentNode, _ what: String, _ places: inout ProgramPlaces
    ) -> [ProgramText]? {
        guard let items = node.items, !items.isEmpty else {
            report(
                node.location, "`command` of \(what) must be a list: a program and its arguments",
                advice: "write command: [haproxy, -f, $(file(haproxy.cfg))]")
            return nil
        }
        let texts = items.compactMap { programText($0, "an item of `command`", &places) }
        return texts.count == items.count ? texts : nil
    }

    /// A known proxy by its name, or the path of a program beside the scenario.
    private mutating func executable(_ text: ProgramText, at location: SourceLocation) -> String? {
        guard case .text(let name)? = text.parts.first, text.parts.count == 1 else {
            report(location, "the program of `command` must be known before the run")
            return nil
        }
        if Self.knownPrograms.contains(name) { return name }
        guard name.contains("/") else {
            report(
                location, "`\(name)` is no proxy that a scenario may start by its name",
                advice:
                    "there are \(Self.knownPrograms.joined(separator: ", ")); put another one beside the scenario: "
                    + "./\(name)"
            )
            return nil
        }
        do {
            return try files.program(name).path
        } catch {
            report(location, error.message, advice: error.advice)
            return nil
        }
    }

    // MARK: Texts

    /// What `$(…)` may name in the texts of a process.
    private struct ProgramPlaces {
        var own: String
        var nodes: [String]
        var gateways: [String]
        var files: [String]
        var usesOwnPort = false
    }

    private mutating func programText(
        _ node: DocumentNode, _ what: String, _ places: inout ProgramPlaces
    ) -> ProgramText? {
        guard let text = node.scalar else {
            report(node.location, "\(what) must be text, not \(node.kindName)")
            return nil
        }
        guard let pieces = interpolationPieces(of: text, in: node) else { return nil }
        var parts: [ProgramText.Part] = []
        for piece in pieces {
            switch piece {
            case .text(let text): parts.append(.text(text))
            case .expression(let text, let offset):
                let place = Self.place(in: node)(offset)
                guard let part = part(text, at: place, &places) else { return nil }
                parts.append(part)
            }
        }
        return ProgramText(parts)
    }

    private mutating func part(
        _ text: String, at location: SourceLocation, _ places: inout ProgramPlaces
    ) -> ProgramText.Part? {
        let words = text.split(whereSeparator: { "() ".contains($0) }).map(String.init)
        guard let word = words.first, words.count <= 2 else {
            report(location, "`$(\(text))` is nothing that a process can be told", advice: Self.partHint)
            return nil
        }
        switch (word, words.count) {
        case ("port", 1):
            places.usesOwnPort = true
            return .port(places.own)
        case ("port", 2): return known(words[1], "node", places.nodes, at: location).map { .port($0) }
        case ("admin", 2): return known(words[1], "gateway", places.gateways, at: location).map { .admin($0) }
        case ("file", 2): return known(words[1], "file", places.files, at: location).map { .file($0) }
        case ("folder", 1): return .folder
        default:
            if words.count == 1, let value = scope.variable(word) { return .text(value.description) }
            report(location, "`$(\(text))` is nothing that a process can be told", advice: Self.partHint)
            return nil
        }
    }

    private mutating func known(
        _ name: String, _ kind: String, _ known: [String], at location: SourceLocation
    ) -> String? {
        if known.contains(name) { return name }
        problems.add(.unknownName(name, kind: kind, known: known, at: location))
        return nil
    }

    private static let partHint =
        "there are $(port), $(port(<node>)), $(admin(<gateway>)), $(file(<name>)), $(folder) and variables"
}
