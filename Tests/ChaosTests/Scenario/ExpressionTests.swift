// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Testing

@testable import Chaos

/// A scope with one of everything: variables of each type, marks, an upstream, mocks and loads.
private let scope: Scope = {
    var scope = Scope()
    let values: [(String, Value)] = [
        ("rate", .rate(Rate(perSecond: 50))), ("slow", .rate(Rate(perSecond: 0.7))),
        ("interval", .duration(.seconds(5))), ("successes", .number(3)), ("share", .ratio(Ratio(0.25))),
        ("hit", .boolean(true)), ("policy", .text("exempt")), ("zero", .number(0)),
    ]
    scope.variables = values.map { Plan.Variable(name: $0, value: $1, isMatrixAxis: false) }
    scope.marks = ["start", "end", "errors-on", "errors-on.end", "tripped", "dark.start", "dark.end"].map {
        MarkName($0)
    }
    let document: JSONValue = [
        "upstreams": [
            ["name": "a", "healthchecks": ["active": ["unhealthy": ["interval": 0.5], "healthy": ["successes": 2]]]],
            ["name": "b-up", "healthchecks": ["active": ["timeout": 2]]],
        ]
    ]
    scope.upstreams = KongFacts(document).upstreams
    scope.mocks = ["api-1", "api-2"]
    scope.loads = ["writes"]
    return scope
}()

private func place(_ offset: Int) -> Document.SourceLocation {
    Document.SourceLocation(file: "e", line: 1, column: offset + 1)
}

/// The value as text, or `column: message; advice`.
private func worth(_ text: String) -> String {
    do {
        let folded = try scope.fold(try ExpressionParser.expression(text, place: place))
        if case .literal(let value) = folded { return "\(value)" }
        return "after the run: \(try scope.sample(of: folded).phrase)"
    } catch FoldError.mistake(let problem) {
        return String("\(problem)".dropFirst(4))
    } catch {
        return String("\(error)".dropFirst(4))
    }
}

struct ExpressionTests {
    @Test(arguments: [
        // Literals keep their unit; decimals are exact.
        ("3", "3"), ("0.9", "0.9"), ("90%", "90%"), ("99.9%", "99.9%"), ("5s", "5s"), ("250ms", "250ms"),
        ("1m30s", "90s"), ("2m", "2m"), ("1h", "1h"), ("500us", "500us"), ("500µs", "500us"), ("1.5s", "1.5s"),
        ("0.1s", "100ms"), ("15.3s", "15.3s"), ("50/s", "50/s"), ("300/m", "5/s"), ("true", "true"), ("'a b'", "a b"),
        // Precedence and grouping.
        ("1 + 2 * 3", "7"), ("(1 + 2) * 3", "9"), ("$(1 + 2) * 3", "9"), ("8 / 4 / 2", "1"), ("8 - 4 - 2", "2"),
        ("-2 * 3", "-6"), ("--2", "2"), ("1 < 2 && 3 >= 3", "true"), ("false || 1 == 1", "true"),
        ("!hit || false", "false"), ("hit ? 1 : 2", "1"), ("!hit ? 1 : hit ? 2 : 3", "2"),
        // Units are followed.
        ("interval * successes", "15s"), ("interval * (successes - 1)", "10s"),
        ("successes * interval + 0.3s", "15.3s"),
        ("interval / 2", "2.5s"), ("interval / 100ms", "50"), ("rate * 1s", "50"), ("1s * rate", "50"),
        ("3/rate", "60ms"), ("-1 / rate", "-20ms"), ("10 / 2s", "5/s"), ("rate * 2", "100/s"), ("rate / rate", "1"),
        ("rate * share", "12.5/s"), ("interval * 50%", "2.5s"), ("1 - share", "75%"), ("share + 10%", "35%"),
        ("interval * 0.1", "500ms"), ("interval - 5s", "0s"),
        // Functions; a product that decimals spoil by a hair is still whole.
        ("floor(rate * 0.99s)", "49"), ("ceil(rate * 1.01s)", "51"), ("floor(slow * 10s)", "7"),
        ("ceil(slow * 10s)", "7"),
        ("min(1s, 500ms, 2s)", "500ms"), ("max(1, 2)", "2"), ("max(share, 0.5)", "0.5"),
        // Comparisons of texts and of numbers with ratios.
        ("policy == 'exempt'", "true"), ("policy != 'hit'", "true"), ("share == 0.25", "true"), ("1s < 1500ms", "true"),
        // Marks.
        ("tripped", "tripped"), ("errors-on.end", "errors-on.end"), ("tripped + 200ms", "tripped + 200ms"),
        ("tripped - 1s + 200ms", "tripped - 800ms"), ("2s + dark.end", "dark.end + 2s"),
        ("hit ? errors-on.end : tripped", "errors-on.end"), ("tripped + 1s - tripped", "1s"),
        // The configuration, defaults included.
        ("hc.active.unhealthy.interval", "500ms"), ("hc.active.healthy.successes", "2"), ("hc.active.timeout", "1s"),
        ("hc(b-up).active.timeout", "2s"), ("hc('b-up').passive.unhealthy.timeouts", "0"), ("hc.active.type", "http"),
        ("hc.active.unhealthy.interval * hc.active.healthy.successes", "1s"),
        // Known only after the run.
        ("tripped - errors-on", "after the run: a duration"), ("inflight(api-2, tripped)", "after the run: a number"),
        ("inflight(api-2, tripped, writes) + 1", "after the run: a number"),
        ("(tripped - errors-on) / 2 + 1s", "after the run: a duration"),
        ("10 / (inflight(api-1, tripped) - 1)", "after the run: a number"),
    ])
    func `an expression is worth`(text: String, value: String) {
        #expect(worth(text) == value)
    }

    @Test(arguments: [
        ("", "1: nothing is written here"),
        ("1 +", "4: something is missing at the end"),
        ("(1", "3: `)` is missing before the end"),
        ("1)", "2: `)` is not expected here; a `(` is missing"),
        ("1 2", "3: `2` is not expected here; an operator is missing before it"),
        ("5 s", "3: `s` is not expected here; a unit has no blank before it: 5s"),
        ("5sec", "1: `5sec` has no unit known here; units are ns, us, ms, s, m, h (5s, 250ms, 1m30s), % and /s"),
        ("1_000", "1: a number has no `_`; write the digits only"),
        ("9999999999999999999", "1: the number has too many digits; at most 18"),
        ("999999999999h", "1: `999999999999h` is too long a time; at most 200000h"),
        ("1 ~ 2", "3: `~` has no meaning in an expression"),
        ("a = 1", "3: `=` has no meaning in an expression; write =="),
        ("hit & hit", "5: `&` has no meaning in an expression; write &&"),
        ("$x", "1: `$` stands alone; write $(…)"),
        ("'abc", "1: the text has no closing '"),
        ("hit ? 1", "8: `:` is missing; write condition ? value : other value"),
        ("1 ? 2 : 3", "3: `?` needs true or false before it; compare with == or <"),
        ("hit ? 1 : 2s", "5: the two sides of `:` are a number and a duration; make them alike"),
        ("1 ± 2", "3: `±` is not expected here; a range stands in a bound or in `during:` only, and only once"),
        ("interval + 1", "10: `+` cannot join a duration and a number; give the number a unit: 5s or 5ms"),
        ("rate * rate", "6: `*` cannot join a rate and a rate"),
        ("interval * interval", "10: `*` cannot join a duration and a duration"),
        ("tripped * 2", "9: `*` cannot join a mark and a number"),
        ("tripped + dark.end", "9: `+` cannot join a mark and a mark"),
        ("tripped < dark.end", "9: marks cannot be compared here; use an `order:` expectation"),
        ("1s < 2", "4: `<` cannot compare a duration with a number"),
        ("1 && hit", "3: `&&` needs true or false on both sides, not a number"),
        ("!1", "1: `!` needs true or false, not a number"),
        ("-policy", "1: `-` needs an amount, not text"),
        ("1 / zero", "3: division by zero"),
        (
            "interval-1s",
            "1: `interval-1s` is neither a variable nor a mark; a minus needs blanks around it: interval - 1s"
        ),
        ("rat", "1: `rat` is neither a variable nor a mark; did you mean `rate`?"),
        ("dark", "1: `dark` is an interval, not an instant; write `dark.start` or `dark.end`"),
        ("floor(1s)", "1: `floor` needs a number, not a duration"),
        ("min(1)", "1: `min` needs at least two arguments; write min(a, b)"),
        ("min(1, 1s)", "1: `min` cannot compare a number with a duration"),
        ("sqrt(2)", "1: there is no function `sqrt`; there are min, max, floor, ceil, inflight and hc"),
        ("health(api-1)", "1: `health(…)` is no amount; it belongs into `while:` or `when:`"),
        ("inflight(api-3, tripped)", "1: there is no mock `api-3`; did you mean `api-1`?"),
        ("inflight(api-1, tripped, write)", "1: there is no load `write`; did you mean `writes`?"),
        ("hc.activ.timeout", "1: `hc` has no `activ`; did you mean `active`?"),
        ("hc(c).active.timeout", "1: there is no upstream `c`; did you mean `a`?"),
        ("hc.", "4: a name is missing after `.`"),
    ])
    func `a wrong expression says what and where`(text: String, message: String) {
        #expect(worth(text) == message)
    }

    @Test(arguments: ["(", "-", "!", "min(1, ", "1 ? ", "$("])
    func `nesting is bounded`(opening: String) {
        let deep = worth(String(repeating: opening, count: 40) + "1")
        #expect(deep.contains("the expression is nested too deeply; name its parts in `vars:`"))
    }

    @Test func `length is bounded`() {
        let long = worth(String(repeating: "1+", count: 10_000) + "1")
        #expect(long == "257: the expression is too long; name its parts in `vars:`")
    }

    @Test func `a residue is worth what the run shows`() throws {
        struct Shown: Environment {
            func instant(of mark: MarkName) -> Sighting? {
                mark.text == "tripped" ? Sighting(at: .seconds(12)) : Sighting(at: .seconds(10))
            }
            func requestsInFlight(to target: String, at mark: MarkExpression, load: String?) -> Int? {
                target == "api-2" && load == "writes" ? 4 : nil
            }
        }
        func value(_ text: String) throws -> Value {
            let folded = try scope.fold(try ExpressionParser.expression(text, place: place))
            return try folded.value(in: Shown(), at: place(0))
        }
        #expect(try value("(tripped - errors-on) * 2 + 1s") == .duration(.seconds(5)))
        #expect(try value("inflight(api-2, tripped, writes) * 2") == .number(8))
        #expect(try value("min(inflight(api-2, tripped, writes), 3)") == .number(3))
        #expect(throws: Problem.self) { try value("inflight(api-1, tripped)") }
        #expect(throws: Problem.self) { try value("1 / (inflight(api-2, tripped, writes) - 4)") }
    }
}

struct NanosecondsTests {
    @Test(arguments: [
        (0, "0s"), (1, "1ns"), (1_500, "1.5us"), (250_000_000, "250ms"), (15_300_000_000, "15.3s"),
        (-110_000_000, "-110ms"), (75_000_000_000, "75s"), (120_000_000_000, "2m"), (150_000_000_000, "2m30s"),
        (3_600_000_000_000, "1h"), (3_661_000_000_000, "1h1m1s"),
    ])
    func `the text of a duration reads back as the same duration`(count: Int64, text: String) throws {
        #expect(Nanoseconds(count).description == text)
        #expect(Reader.inferred(text) == .duration(Nanoseconds(count)))
    }

    @Test func `arithmetic saturates`() {
        #expect(Nanoseconds(.max) + .seconds(1) == Nanoseconds(.max))
        #expect(Nanoseconds(.min) - .seconds(1) == Nanoseconds(.min))
        #expect(Nanoseconds.seconds(-4) * .max == Nanoseconds(.min))
        #expect(Nanoseconds(seconds: .infinity) == Nanoseconds(.max))
        #expect(Nanoseconds(seconds: .nan) == .zero)
    }
}
