// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import MockAPI
import NIOCore
import Testing

@Suite struct MockSettingsTests {
    /// What each text of a setting means, shown in canonical form.
    static let good: [(key: String, text: String, shown: String)] = [
        ("ERROR_RATE", "0.9", "0.9"), ("ERROR_RATE", " 90% ", "0.9"), ("ERROR_RATE", "1.5", "1.5"),
        ("ERROR_RATE", "-1", "-1"), ("ERROR_RATE", "1e-3", "0.001"),
        ("ERROR_STATUS", "503", "503"),
        ("ERROR_NEXT", "3 of 10", "\"3 of 10\""), ("ERROR_NEXT", "3", "\"3 of 3\""),
        ("ERROR_NEXT", "3/10", "\"3 of 10\""), ("ERROR_NEXT", "off", "null"),
        ("ERROR_SKIP_HEALTH", "off", "false"), ("ERROR_SKIP_HEALTH", "true", "true"), ("HANG", "1", "true"),
        ("LATENCY", "250ms", "\"250ms\""), ("LATENCY", "1m30s", "\"90s\""), ("LATENCY", "0ms", "\"0ms\""),
        ("LATENCY", "1.5ms", "\"1500us\""), ("LATENCY", "constant 2s", "\"2s\""),
        ("LATENCY", "uniform 10ms..50ms", #"{"uniform":{"min":"10ms","max":"50ms"}}"#),
        ("LATENCY", "uniform max 50ms min 10ms", #"{"uniform":{"min":"10ms","max":"50ms"}}"#),
        ("LATENCY", "normal mean 20ms deviation 5ms", #"{"normal":{"mean":"20ms","deviation":"5ms"}}"#),
        ("LATENCY", "lognormal median 3ms sigma 0.4", #"{"lognormal":{"median":"3ms","sigma":0.4}}"#),
        ("LATENCY", "pareto scale 3ms shape 1.5", #"{"pareto":{"scale":"3ms","shape":1.5}}"#),
        ("LATENCY", #"{"lognormal": {"median": "3ms", "sigma": 0.4}}"#, #"{"lognormal":{"median":"3ms","sigma":0.4}}"#),
        ("HEALTH", "Unhealthy", "\"unhealthy\""), ("CLOSE", "before_head", "\"before head\""),
        ("CLOSE", "mid body", "\"mid body\""), ("BODY_BYTES", "64KiB", "65536"), ("CATCH_ALL", "on", "true"),
    ]

    @Test(arguments: good)
    func `a good text is understood`(key: String, text: String, shown: String) throws {
        var settings = MockSettings()
        try settings.set(key, to: .string(text), from: .environment)
        #expect(settings.json[key]?.description == shown)
    }

    /// Every mistake is one line that names the setting, quotes the value and says what to write.
    static let bad: [(key: String, text: String, message: String)] = [
        (
            "ERROR_RATE", "abc",
            "environment variable ERROR_RATE: \"abc\" is not a number; give a probability such as 0.1 or 10%"
        ),
        (
            "ERROR_RATE", "nan",
            "environment variable ERROR_RATE: \"nan\" is not a number; give a probability such as 0.1 or 10%"
        ),
        (
            "ERROR_RATE", "",
            "environment variable ERROR_RATE: \"\" is not a number; give a probability such as 0.1 or 10%"
        ),
        (
            "ERROR_STATUS", "200",
            "environment variable ERROR_STATUS: \"200\" is no status of an error; give one from 400 to 599"
        ),
        (
            "ERROR_NEXT", "4 of 3",
            "environment variable ERROR_NEXT: \"4 of 3\" is no count of errors; write one such as `3 of 10`, or off"
        ),
        (
            "ERROR_NEXT", "0 of 0",
            "environment variable ERROR_NEXT: \"0 of 0\" is no count of errors; write one such as `3 of 10`, or off"
        ),
        (
            "ERROR_SKIP_HEALTH", "maybe",
            "environment variable ERROR_SKIP_HEALTH: \"maybe\" is no switch; write true or false"
        ),
        ("LATENCY", "250", "environment variable LATENCY: 250 has no unit; write 250ms or 250s"),
        (
            "LATENCY", "-5ms",
            "environment variable LATENCY: \"-5ms\" is no duration of at most 24h; write one such as "
                + "250ms, 1.5s or 1m30s"
        ),
        (
            "LATENCY", "25h",
            "environment variable LATENCY: \"25h\" is no duration of at most 24h; write one such as "
                + "250ms, 1.5s or 1m30s"
        ),
        (
            "LATENCY", "unform 1ms..2ms",
            "environment variable LATENCY: \"unform\" is no distribution; did you mean uniform?"
        ),
        (
            "LATENCY", "uniform 2ms..1ms",
            "environment variable LATENCY: uniform's min is above its max; write uniform 10ms..50ms"
        ),
        (
            "LATENCY", "uniform 2ms",
            "environment variable LATENCY: uniform \"2ms\" is no range; write uniform 10ms..50ms"
        ),
        (
            "LATENCY", "lognormal mean 3ms sigma 1",
            "environment variable LATENCY: lognormal has no \"mean\"; did you mean median?"
        ),
        (
            "LATENCY", "pareto scale 3ms shape 0",
            "environment variable LATENCY: shape must be above 0; 1.5 is a heavy tail"
        ),
        (
            "LATENCY", "{oops",
            "environment variable LATENCY: {oops is not valid JSON; write {\"uniform\": {\"min\": "
                + "\"1ms\", \"max\": \"2ms\"}}"
        ),
        (
            "HEALTH", "unhelthy",
            "environment variable HEALTH: \"unhelthy\" is none of healthy, unhealthy, hang; did you mean unhealthy?"
        ),
        ("CLOSE", "xyz", "environment variable CLOSE: \"xyz\" is none of none, before head, mid body"),
        (
            "BODY_BYTES", "1GiB",
            "environment variable BODY_BYTES: \"1GiB\" is no size of at most 64MiB; write one such as 1000 or 64KiB"
        ),
        ("ERORR_RATE", "1", "unknown setting ERORR_RATE; did you mean ERROR_RATE?"),
    ]

    @Test(arguments: bad)
    func `a bad text is one clear line and changes nothing`(key: String, text: String, message: String) {
        var settings = MockSettings()
        do {
            try settings.set(key, to: .string(text), from: .environment)
            Issue.record("accepted \(key)=\(text)")
        } catch {
            #expect(error.description == message)
        }
        #expect(settings == MockSettings())
    }

    @Test func `a scenario file and JSON mean the same`() throws {
        let yaml = """
            ERROR_RATE: 0.9
            LATENCY: { lognormal: { median: 3ms, sigma: 0.4 } }
            ERROR_SKIP_HEALTH: "false"
            ERROR_NEXT: 2 of 5
            """
        var fromFile = MockSettings()
        try fromFile.merge(DocumentNode(parsing: yaml, file: "s.yaml"))
        var fromJSON = MockSettings()
        try fromJSON.merge([
            "ERROR_RATE": 0.9, "LATENCY": ["lognormal": ["median": "3ms", "sigma": 0.4]], "ERROR_SKIP_HEALTH": false,
            "ERROR_NEXT": "2 of 5",
        ])
        #expect(fromFile == fromJSON)
        #expect(fromJSON.errorNext == .init(failures: 2, of: 5))
        var again = MockSettings()
        try again.merge(fromJSON.json)
        #expect(again == fromJSON)
    }

    @Test func `a merge keeps the rest, null is the default, and one mistake stops all of it`() throws {
        var settings = MockSettings()
        try settings.merge(["ERROR_RATE": 0.5, "HANG": true])
        try settings.merge(["ERROR_STATUS": 502, "HANG": nil])
        #expect(settings.errorRate == 0.5 && settings.errorStatus == 502 && !settings.hangs)
        let before = settings
        #expect(throws: Problems.self) { try settings.merge(["ERROR_RATE": 0.1, "LATENCY": 5, "CLOES": "none"]) }
        #expect(settings == before)
    }

    @Test func `mistakes in a file carry their places`() throws {
        let node = try DocumentNode(parsing: "ERROR_RATE: 0.1\nLATENCY: 250\nCLOES: none\n", file: "s.yaml")
        var settings = MockSettings()
        do throws(Problems) {
            try settings.merge(node)
            Issue.record("accepted")
        } catch {
            #expect(
                error.description == """
                    s.yaml:2:1: LATENCY: 250 has no unit; write 250ms or 250s
                    s.yaml:3:1: unknown setting CLOES; did you mean CLOSE?
                    """)
        }
    }
}

@Suite struct MockCommandOptionsTests {
    @Test func `defaults are Flask's`() throws {
        let options = try MockCommandOptions(flags: [:], environment: ["PATH": "/bin"])
        #expect(options.host == "127.0.0.1" && options.port == 5000 && options.settings == MockSettings())
    }

    @Test func `flags win over the environment`() throws {
        let options = try MockCommandOptions(
            flags: ["--port": "0", "--error-rate": "0.2"],
            environment: ["PORT": "6000", "HOST": "0.0.0.0", "ERROR_RATE": "abc", "GATECRASH_SEED": "7"])
        #expect(options.port == 0 && options.host == "0.0.0.0" && options.settings.errorRate == 0.2)
        #expect(options.seed == 7)
    }

    @Test func `all mistakes come at once`() {
        do {
            _ = try MockCommandOptions(
                flags: ["--port": "99999"], environment: ["ERROR_RATE": "abc", "GATECRASH_SEED": "x"])
            Issue.record("accepted")
        } catch {
            #expect(
                error.description == """
                    environment variable ERROR_RATE: "abc" is not a number; give a probability such as 0.1 or 10%
                    --port: "99999" is no port; give one from 0 (any free one) to 65535
                    environment variable GATECRASH_SEED: "x" is no seed; give a whole number from 0 to \
                    18446744073709551615
                    """)
        }
    }
}
