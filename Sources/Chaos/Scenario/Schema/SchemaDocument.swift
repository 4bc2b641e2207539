// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

/// The JSON Schema (draft 07, which editors know best) of scenario files, made from the tables that the reader checks
/// keys against. It says less than the reader: names, units and marks that exist are for `gatecrash validate`.
package enum SchemaDocument {
    package static var json: JSONValue {
        var root = object(Vocabulary.scenario)
        root["definitions"] = definitions
        var document: JSONValue = [
            "$schema": "http://json-schema.org/draft-07/schema#", "$id": "scenario.schema.json",
            "title": "Gatecrash scenario",
        ]
        for (key, value) in root.objectValue ?? [:] { document[key] = value }
        return document
    }

    /// As it is checked in.
    package static var text: String { json.text(indent: 2) + "\n" }

    // MARK: Mappings

    static func object(_ table: KeyTable) -> JSONValue {
        var properties: JSONValue = [:]
        for key in table.keys {
            var schema = shape(key.shape)
            // A reference has no room for a description beside it in draft 07.
            if schema["$ref"] != nil { schema = ["allOf": [schema]] }
            schema["description"] = .string(key.about)
            properties[key.name] = schema
        }
        var schema: JSONValue = [
            "type": "object", "description": .string(table.about), "properties": properties,
            "additionalProperties": false,
        ]
        if !table.patterns.isEmpty {
            var patterns: JSONValue = [:]
            for (pattern, shape) in table.patterns { patterns[pattern] = self.shape(shape) }
            schema["patternProperties"] = patterns
        }
        let required = table.keys.filter(\.isRequired).map { JSONValue.string($0.name) }
        if !required.isEmpty { schema["required"] = .array(required) }
        let rules = table.rules.map(rule)
        if !rules.isEmpty { schema["allOf"] = .array(rules) }
        return schema
    }

    private static func rule(_ rule: KeyTable.Rule) -> JSONValue {
        switch rule {
        case .anyOf(let names): ["anyOf": .array(names.map(having))]
        case .oneOf(let names): ["oneOf": .array(names.map(having))]
        case .needs(let name, let others): ["if": having(name), "then": ["required": strings(others)]]
        case .needsAny(let name, let others): ["if": having(name), "then": ["anyOf": .array(others.map(having))]]
        case .belongs(let names, let owners):
            ["if": ["anyOf": .array(names.map(having))], "then": ["anyOf": .array(owners.map(having))]]
        }
    }

    private static func having(_ name: String) -> JSONValue { ["required": [.string(name)]] }
    private static func strings(_ texts: [String]) -> JSONValue { .array(texts.map(JSONValue.string)) }

    // MARK: Values

    private static let scalar: JSONValue = ["type": ["string", "number", "boolean"]]
    /// Something that is computed: it names a variable, a mark or a function.
    private static let computed = "[A-Za-z_$(\\-].*"
    private static let number = "[0-9]+(\\.[0-9]+)?|\\.[0-9]+"
    private static let units = "(ns|us|µs|μs|ms|s|min|m|h)"
    /// `1m30s`, and what may follow in an expression.
    private static let length = "((\(number))\(units))+"
    private static let tail = "(\\s*[-+*/<>=!&|?].*)?"

    static func shape(_ shape: SchemaShape) -> JSONValue {
        switch shape {
        case .text: scalar
        case .pattern(let pattern, let hint): text(pattern, hint)
        case .duration: text("^\\s*(-?\(length)\(tail)|\(computed))$", "a duration with its unit: 5s, 250ms, 1m30s")
        case .durationRange:
            text("^\\s*(-?\(length)(\\s*\\.\\.\\s*.+|\(tail))|\(computed))$", "5s, or a range to draw from: 2s..5s")
        case .rate: text("^\\s*((\(number))/\(units)\(tail)|\(computed))$", "a rate: 50/s")
        case .rateRange:
            text(
                "^\\s*((\(number))/\(units)(\\s*\\.\\.\\s*.+|\(tail))|\(computed))$",
                "a rate, 50/s, or a straight line, 10/s..200/s")
        case .ratio:
            [
                "anyOf": [
                    ["type": "number", "minimum": 0, "maximum": 1],
                    text("^\\s*((\(number))%\(tail)|\(computed))$", "90% or 0.9"),
                ]
            ]
        case .whole(let range):
            [
                "anyOf": [
                    ["type": "integer", "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound)],
                    text("^\\s*([0-9]+\\s*[-+*/?].*|\(computed))$", "a whole number"),
                ]
            ]
        case .natural: ["type": "integer", "minimum": 0]
        case .number: ["anyOf": [["type": "number"], text("^\\s*(\(number)|.*[A-Za-z$(].*)$", "a number")]]
        case .boolean: ["anyOf": [["type": "boolean"], text("\\$\\(|[=<>!?]", "true or false")]]
        case .words(let words):
            ["anyOf": [["enum": strings(words)], text("\\$\\(", "one of the words, or $(…)")]]
        default: composite(shape)
        }
    }

    private static func composite(_ shape: SchemaShape) -> JSONValue {
        switch shape {
        case .bound: reference("bound")
        case .relativeBound:
            text("^.*\\S\\s+after\\s+\\S.*$", "a bound from a mark: 0ms..100ms after tripped")
        case .mark: text("^\\s*(\(length)\(tail)|\(computed))$", "a mark, moved by a time at most: tripped + 200ms")
        case .during: text("^.*(\\.\\.|[A-Za-z$(]).*$", "two marks, a..b, or something with a start and an end")
        case .condition: text("[A-Za-z$(]", "health(api) == unhealthy, process(api) == dead, joined by && and ||")
        case .list(let item): ["type": "array", "items": self.shape(item)]
        case .listOf(let item, let count):
            [
                "type": "array", "items": self.shape(item), "minItems": .integer(count),
                "maxItems": .integer(count),
            ]
        case .object(let table): object(table)
        case .map(let value): ["type": "object", "additionalProperties": self.shape(value)]
        case .named(let name): reference(name)
        case .either(let shapes): ["anyOf": .array(shapes.map(self.shape))]
        case .nothing: ["type": "null"]
        default: [:]
        }
    }

    private static func text(_ pattern: String, _ hint: String) -> JSONValue {
        ["type": "string", "pattern": .string(pattern), "title": .string(hint)]
    }

    private static func reference(_ name: String) -> JSONValue {
        ["$ref": .string("#/definitions/" + name.split(separator: " ").joined(separator: "-"))]
    }

    // MARK: Definitions

    private static var definitions: JSONValue {
        var switches: JSONValue = [:]
        for (name, shape, about) in Vocabulary.switches {
            var schema = self.shape(shape)
            schema["description"] = .string(about)
            switches[name] = schema
        }
        let node: JSONValue = ["anyOf": [["type": "string"], object(Vocabulary.choice)]]
        return [
            "bound": [
                "title": "<= 15s, \">= 99%\", == 0, 10s..15s, 3 ± 1, or { at_least: …, at_most: … }",
                "anyOf": [
                    ["type": "number"],
                    ["type": "string", "pattern": .string("^\\s*((<=|>=|==)\\s*\\S.*|[^<>=!\\s].*)$")],
                    object(Vocabulary.bounds),
                ],
            ],
            "status": [
                "anyOf": [
                    ["type": "integer", "minimum": 100, "maximum": 999],
                    text("^([1-5]xx|[0-9]{3}|[0-9]{3}\\.\\.[0-9]{3}|.*\\$\\(.*)$", "503, 5xx or 500..504"),
                ]
            ],
            "matrix": [
                "type": "object",
                "properties": [
                    "exclude": [
                        "type": "array", "items": ["type": "object"],
                        "description": "Combinations to leave out.",
                    ]
                ],
                "additionalProperties": ["type": "array", "items": scalar, "minItems": 1],
            ],
            "gateways": [
                "anyOf": [
                    object(Vocabulary.gateway),
                    [
                        "type": "object", "minProperties": 1, "additionalProperties": object(Vocabulary.gateway),
                        "description": "Gateways by name.",
                    ],
                ]
            ],
            "kong": [
                "type": "object", "description": "A Kong declarative document, or parts of one.",
                "properties": [
                    "_format_version": ["enum": ["3.0", "2.1", "1.1", 3.0, 2.1, 1.1]],
                    "_transform": ["type": "boolean"],
                    "services": ["type": ["array", "object"]], "routes": ["type": ["array", "object"]],
                    "upstreams": ["type": ["array", "object"]], "targets": ["type": ["array", "object"]],
                ],
            ],
            "switches": [
                "type": "object", "properties": switches, "additionalProperties": false,
                "description": "Switches of a mock API.",
            ],
            "node-choice": node, "mock-choice": node,
            "fault": fault,
        ]
    }

    /// `refuse`, or a mapping with the one fault.
    private static var fault: JSONValue {
        var properties: JSONValue = [:]
        let names = Reader.faultNames
        for name in names { properties[name] = [:] }
        return [
            "anyOf": [
                ["enum": strings(names)],
                [
                    "type": "object", "properties": properties, "additionalProperties": false, "minProperties": 1,
                    "maxProperties": 1,
                ],
            ]
        ]
    }
}
