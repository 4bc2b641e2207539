// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Testing

@Suite struct JSONValueTests {
    private func parse(_ text: String) throws -> JSONValue { try JSONValue(parsing: text.utf8) }

    @Test(arguments: [
        "null", "true", "false", "0", "-1", "1.5", "-0.25", "\"\"", "\"a\"", "[]", "{}", "[1,2,[3]]",
        "{\"b\":1,\"a\":2}",
        "{\"z\":{\"y\":[{\"x\":null}]},\"a\":[true,false]}", "9223372036854775807", "-9223372036854775808",
        "\"\\\"\\\\\\n\\r\\t\\u0000\\u001f\"", "\"ä€😀\"", "1e+100",
    ])
    func `a value is written as it was read`(text: String) throws {
        #expect(try parse(text).description == text)
    }

    @Test(arguments: [
        (" [ 1 , 2 ] ", "[1,2]"), ("\t{\r\n\"a\" :1}\n", "{\"a\":1}"), ("\u{feff}1", "1"), ("1.0", "1"), ("1e2", "100"),
        ("1E-2", "0.01"), ("-0", "0"), ("12345678901234567890", "1.2345678901234567e+19"),
        ("\"\\u00e4\\u20AC\\ud83d\\ude00\\/\\b\\f\"", "\"ä€😀/\\u0008\\u000c\""),
        ("{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}"),
    ])
    func `a value is written in its simplest form`(text: String, simplest: String) throws {
        let value = try parse(text)
        #expect(value.description == simplest)
        #expect(try parse(value.description).description == simplest)
    }

    @Test func `a whole number and one with a point are different values of the same amount`() throws {
        #expect(try parse("1") == .integer(1))
        #expect(try parse("1.0") == .number(1))
        #expect(try parse("1.0").intValue == 1)
        #expect(try parse("1").doubleValue == 1)
        #expect(try parse("1.5").intValue == nil)
        #expect(JSONValue.number(.infinity).description == "null")
        #expect(JSONValue.number(.nan).description == "null")
        #expect(JSONValue.number(1e15).description == "1000000000000000")
    }

    @Test(arguments: [
        // What is wrong, and where it is seen.
        ("", "the text ends where a value should be (line 1, column 1)"),
        ("  \n ", "the text ends where a value should be (line 2, column 2)"),
        ("nul", "no value begins like this (line 1, column 1)"),
        ("nulll", "something behind the value (line 1, column 5)"),
        ("True", "no value begins like this (line 1, column 1)"),
        ("'a'", "no value begins like this (line 1, column 1)"),
        ("1 2", "something behind the value (line 1, column 3)"),
        ("01", "something behind the value (line 1, column 2)"),
        ("+1", "no value begins like this (line 1, column 1)"),
        (".5", "no value begins like this (line 1, column 1)"),
        ("-", "a digit should be here (line 1, column 2)"),
        ("1.", "a digit should be here (line 1, column 3)"),
        ("1e", "a digit should be here (line 1, column 3)"),
        ("1e999", "a number out of range (line 1, column 6)"),
        ("NaN", "no value begins like this (line 1, column 1)"),
        ("[1,]", "no value begins like this (line 1, column 4)"),
        ("[1", "a comma or ] should be here (line 1, column 3)"),
        ("[,1]", "no value begins like this (line 1, column 2)"),
        ("{\"a\":1,}", "a key in quotes should be here (line 1, column 8)"),
        ("{a:1}", "a key in quotes should be here (line 1, column 2)"),
        ("{\"a\" 1}", "a colon should be here (line 1, column 6)"),
        ("{\"a\":}", "no value begins like this (line 1, column 6)"),
        ("{\"a\":1 \"b\":2}", "a comma or } should be here (line 1, column 8)"),
        ("{\n\"ä\": tru}", "no value begins like this (line 2, column 6)"),
        ("\"a", "the text ends within a string (line 1, column 3)"),
        ("\"\\", "the text ends within a string (line 1, column 3)"),
        ("\"a\nb\"", "a control character within a string (line 1, column 3)"),
        ("\"\\n\t\"", "a control character within a string (line 1, column 4)"),
        ("\"\\x\"", "no such escape (line 1, column 4)"),
        ("\"\\u12g4\"", "four hexadecimal digits should be here (line 1, column 6)"),
        ("\"\\ud800\"", "half a surrogate pair (line 1, column 8)"),
        ("\"\\udc00\"", "half a surrogate pair (line 1, column 8)"),
        ("\"\\ud800\\u0041\"", "half a surrogate pair (line 1, column 14)"),
        ("[1] // comment", "something behind the value (line 1, column 5)"),
    ])
    func `what is no JSON is refused with its place`(text: String, words: String) {
        let problem = #expect(throws: Problem.self) { try parse(text) }
        #expect(problem?.description == "not valid JSON: \(words)")
    }

    @Test func `bytes that are no UTF-8 are refused`() {
        for bytes: [UInt8] in [
            [0x22, 0xff, 0x22], [0x22, 0xc3, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22], [0xff],
            [0x22, 0x5c, 0x6e, 0x80, 0x22],
        ] {
            #expect(throws: Problem.self) { try JSONValue(parsing: bytes) }
        }
    }

    @Test func `nesting has its limit, and no depth overflows the stack`() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(try parse(nested(maximumJSONDepth + 1)).arrayValue?.count == 1)
        for text in [
            nested(maximumJSONDepth + 2), nested(10_000), String(repeating: "[", count: 1_000_000),
            String(repeating: "{\"a\":", count: 100_000),
        ] {
            let problem = #expect(throws: Problem.self) { try parse(text) }
            #expect(problem?.message.contains("nested more than 512 levels deep") == true)
        }
    }

    @Test func `members are read and set by their keys`() throws {
        var value: JSONValue = ["a": 1, "b": ["c": [true, nil, 2.5]]]
        #expect(value["a"]?.intValue == 1)
        #expect(value["b"]?["c"]?.arrayValue == [true, nil, 2.5])
        #expect(value["x"] == nil)
        #expect(JSONValue.string("a")["x"] == nil)
        value["a"] = "new"
        value["d"] = nil
        #expect(value.description == "{\"a\":\"new\",\"b\":{\"c\":[true,null,2.5]}}")
    }

    @Test func `indented text is the same value`() throws {
        let value: JSONValue = ["a": [], "b": [1, ["c": [:]]]]
        let text = value.text(indent: 2)
        #expect(text == "{\n  \"a\": [],\n  \"b\": [\n    1,\n    {\n      \"c\": {}\n    }\n  ]\n}")
        #expect(try parse(text) == value)
    }

    @Test func `a string writes every character so that it can be read again`() throws {
        let all = String(String.UnicodeScalarView((0..<0x3000).compactMap { Unicode.Scalar($0) }))
        let text = JSONValue.string(all).description
        #expect(text.utf8.allSatisfy { $0 >= 0x20 })
        #expect(try parse(text) == .string(all))
    }
}
