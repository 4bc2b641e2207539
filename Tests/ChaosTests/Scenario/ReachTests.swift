// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Foundation
import Testing
import World

@testable import Chaos

/// A scenario may come from anywhere: what it says stays in its folder and on this machine.
@Suite struct ReachTests {
    private static func text(gateway: String, load: String = "{ rate: 1/s, for: 3s }") -> String {
        """
        scenario: far
        topology:
          mocks: { api: {} }
          gateway: \(gateway)
        load: [\(load)]
        expect: [{ availability: ">= 0%" }]

        """
    }

    private static func inline(targets: String = "", host: String = "up", rest: String = "") -> String {
        #"{ inline: { _format_version: "3.0", services: [{ name: s, host: \#(host) }], upstreams: "#
            + #"[{ name: up, targets: [{ target: "api:8080" }\#(targets)] }] }\#(rest) }"#
    }

    private static func messages(_ text: String, allowing remotes: [String] = []) -> [String] {
        var options = PlanOptions(checksCapabilities: false)
        options.remotes = Remotes(remotes)
        return Examples.messages(text, options)
    }

    private static func far(_ host: String) -> String {
        "s.yml:4:12: the gateway would connect to `\(host)`, which is no mock and not on this machine; "
            + #"write bind: { "\#(host)": api }, or run with --allow-remote \#(host)"#
    }

    @Test(arguments: [
        ("../kong.yml", "../kong.yml"), ("/etc/passwd", "/etc/passwd"), ("a/../../kong.yml", "a/../../kong.yml"),
        ("./../kong.yml", "../kong.yml"), ("..", ".."), ("a/./b/../../../x", "a/./b/../../../x"),
    ])
    func `a file outside the scenario's folder is not read`(path: String, shown: String) {
        #expect(
            Self.messages(Self.text(gateway: "{ kong: \(path) }")) == [
                "s.yml:4:20: `\(shown)` is not in the scenario's folder; put the file beside the scenario"
            ])
    }

    @Test func `a link that leads out of the folder is not followed`() async throws {
        try await withTemporaryDirectory { folder in
            let inside = folder + "/scenarios"
            let manager = FileManager.default
            try manager.createDirectory(atPath: inside + "/deep", withIntermediateDirectories: true)
            let kong =
                #"{"_format_version": "3.0", "upstreams": [{"name": "up", "targets": [{"target": "api:8080"}]}]}"#
            for path in [folder + "/kong.yml", inside + "/deep/kong.yml"] {
                try kong.write(toFile: path, atomically: true, encoding: .utf8)
            }
            try manager.createSymbolicLink(atPath: inside + "/out.yml", withDestinationPath: "../kong.yml")
            try manager.createSymbolicLink(atPath: inside + "/in.yml", withDestinationPath: "deep/kong.yml")
            func messages(_ name: String) -> [String] {
                do {
                    let file = try ScenarioFile(
                        parsing: Self.text(gateway: "{ kong: \(name) }"), path: inside + "/s.yml")
                    _ = try Plan.cells(file)
                    return []
                } catch {
                    return error.list.map(\.message)
                }
            }
            #expect(messages("deep/kong.yml") == [])
            #expect(messages("./deep/./kong.yml") == [])
            #expect(messages("in.yml") == [])
            #expect(messages("out.yml") == ["`\(inside)/out.yml` is not in the scenario's folder"])
        }
    }

    @Test(arguments: [
        (inline(targets: #", { target: "10.1.2.3:80" }"#), "10.1.2.3:80"),
        (inline(targets: #", { target: "example.com" }"#), "example.com:8000"),
        (inline(host: "kong.example"), "kong.example:80"), (inline(host: "192.0.2.7"), "192.0.2.7:80"),
        (inline(host: "localhost.example"), "localhost.example:80"),
    ])
    func `a host beyond this machine must be a mock, or allowed`(gateway: String, host: String) {
        let text = Self.text(gateway: gateway)
        #expect(Self.messages(text) == [Self.far(host)])
        #expect(Self.messages(text, allowing: [host]) == [])
        #expect(Self.messages(text, allowing: [host.prefix { $0 != ":" }.description]) == [])
        #expect(Self.messages(text, allowing: ["other.example", host + "1"]) == [Self.far(host)])
    }

    @Test(arguments: ["localhost", "127.0.0.1", "127.9.9.9", "a.localhost", "LOCALHOST"])
    func `this machine needs no leave`(host: String) {
        #expect(Self.messages(Self.text(gateway: Self.inline(host: host))) == [])
    }

    @Test(arguments: [
        (
            "LD_PRELOAD: /tmp/x.so",
            "`env` of the gateway cannot set `LD_PRELOAD`; it takes KONG_…, RES_OPTIONS and GATECRASH_STRICT"
        ),
        (
            #"KONG_DNS_RESOLVER: "127.0.0.1:53, 9.9.9.9""#,
            "`KONG_DNS_RESOLVER` would ask `9.9.9.9`, which is not on this machine; "
                + "write `topology.dns`, or an address such as 127.0.0.1:53"
        ),
        ("PATH: /tmp", "`env` of the gateway cannot set `PATH`; it takes KONG_…, RES_OPTIONS and GATECRASH_STRICT"),
        (
            #"KONG_STATUS_LISTEN: "0.0.0.0:8007""#,
            "`KONG_STATUS_LISTEN` would listen on `0.0.0.0:8007`, which others can reach; "
                + "write 127.0.0.1 and a port, or leave it out"
        ),
        (
            #"KONG_PROXY_LISTEN: "127.0.0.1:0, [::]:8443 ssl""#,
            "`KONG_PROXY_LISTEN` would listen on `[::]:8443`, which others can reach; "
                + "write 127.0.0.1 and a port, or leave it out"
        ),
    ])
    func `the environment of a gateway is Kong's settings, and no door`(setting: String, message: String) {
        let gateway = Self.inline(rest: ", env: { \(setting) }")
        #expect(Self.messages(Self.text(gateway: gateway)) == ["s.yml:4:12: \(message)"])
        let good = Self.inline(
            rest: #", env: { KONG_STATUS_LISTEN: "off", KONG_PROXY_LISTEN: "127.0.0.1:0, [::1]:0" }"#)
        #expect(Self.messages(Self.text(gateway: good)) == [])
    }

    @Test(arguments: [
        ("http://10.0.0.1:8000", "http://127.0.0.1:8001", "`url` of the gateway leads to `10.0.0.1:8000`"),
        ("http://127.0.0.1:8000", "https://kong.example", "`admin` of the gateway leads to `kong.example:443`"),
        ("http://127.0.0.1:80@far.example/", "http://[::1]:8001", "`url` of the gateway leads to `far.example:80`"),
        ("127.0.0.1:8000", "http://127.0.0.1:8001", "`url` of the gateway is no URL: `127.0.0.1:8000`"),
    ])
    func `a gateway that runs elsewhere must be allowed`(url: String, admin: String, message: String) {
        let text = Self.text(gateway: "{ url: \"\(url)\", admin: \"\(admin)\" }")
        let seen = Self.messages(text)
        #expect(seen.count == 1 && seen[0].hasPrefix("s.yml:4:12: \(message)"), "\(seen)")
        #expect(Self.messages(Self.text(gateway: "{ url: \"http://[::1]:80\", admin: \"http://localhost\" }")) == [])
    }

    @Test(arguments: [
        (
            "{ rate: 0/s, for: 3s }",
            "s.yml:5:16: the load `load` sends nothing: its rate is 0/s throughout; write rate: 50/s"
        ),
        (
            "{ stages: [{ rate: 0/s, for: 1s }, { rate: 0/s..0/s, for: 1s }] }",
            "s.yml:5:18: the load `load` sends nothing: its rate is 0/s throughout; write rate: 50/s"
        ),
        (
            #"{ rate: 1/s, for: 3s, request: { headers: { "X Y": a } } }"#,
            "s.yml:5:52: `X Y` cannot name a header"
        ),
        (
            #"{ rate: 1/s, for: 3s, request: { headers: { X: "a\r\nEvil: b" } } }"#,
            "s.yml:5:55: the header `X` cannot hold a line break"
        ),
    ])
    func `a load that cannot be meant`(load: String, message: String) {
        #expect(Self.messages(Self.text(gateway: Self.inline(), load: load)) == [message])
        #expect(Self.messages(Self.text(gateway: Self.inline(), load: "{ rate: 0/s..5/s, for: 3s }")) == [])
    }

    @Test func `a file that never ends is too large, a folder is no file`() {
        #expect(throws: Problems.self) { try ScenarioFile.text(ofFile: "/dev/zero") }
        #expect(throws: Problems.self) { try ScenarioFile.text(ofFile: "/tmp") }
    }
}
