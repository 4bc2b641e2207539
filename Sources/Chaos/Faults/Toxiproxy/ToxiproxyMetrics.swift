// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// `GET /metrics`: Toxiproxy's two counters, which move while a connection lives, and what it does not count. In
/// Prometheus' text format.
enum ToxiproxyMetrics {
    private struct Family {
        var name: String
        var help: String
        var type: String
        var value: (Link.Counters) -> Int
    }

    private static func directed(_ name: String, up: Int, down: Int, _ proxy: ToxicProxy) -> [String] {
        [("downstream", down), ("upstream", up)].map { direction, value in
            "\(name){direction=\"\(direction)\",\(labels(proxy))} \(value)\n"
        }
    }

    static func text(_ proxies: [ToxicProxy]) -> String {
        let sorted = proxies.sorted { $0.name < $1.name }
        var text = ""
        func family(_ name: String, _ help: String, _ type: String, _ lines: (ToxicProxy) -> [String]) {
            guard !sorted.isEmpty else { return }
            text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n" + sorted.flatMap(lines).joined()
        }
        let (received, sent) = ("toxiproxy_proxy_received_bytes_total", "toxiproxy_proxy_sent_bytes_total")
        family(received, "", "counter") { proxy in
            directed(received, up: proxy.link.counters.bytesUp, down: proxy.link.counters.bytesDown, proxy)
        }
        family(sent, "", "counter") { proxy in
            directed(sent, up: proxy.link.counters.sentUp, down: proxy.link.counters.sentDown, proxy)
        }
        let ours: [Family] = [
            Family(
                name: "gatecrash_proxy_connections_total", help: "Connections accepted.", type: "counter",
                value: \.accepted),
            Family(
                name: "gatecrash_proxy_connections_open", help: "Connections open now.", type: "gauge", value: \.open),
            Family(
                name: "gatecrash_proxy_refused_total", help: "Connections reset at once by a refuse toxic.",
                type: "counter", value: \.refused),
            Family(
                name: "gatecrash_proxy_unreachable_total", help: "Connections whose upstream could not be reached.",
                type: "counter", value: \.unreachable),
        ]
        for entry in ours {
            family(entry.name, entry.help, entry.type) { proxy in
                ["\(entry.name){\(labels(proxy))} \(entry.value(proxy.link.counters))\n"]
            }
        }
        let hits = "gatecrash_toxic_hits_total"
        family(hits, "Connections or requests that a toxic has hit.", "counter") { proxy in
            proxy.link.toxicCounts.map { toxic, count in
                "\(hits){proxy=\"\(escaped(proxy.name))\",toxic=\"\(escaped(toxic.name))\","
                    + "type=\"\(toxic.toxic.name)\"} \(count)\n"
            }
        }
        return text
    }

    private static func labels(_ proxy: ToxicProxy) -> String {
        "listener=\"\(escaped(proxy.listen))\",proxy=\"\(escaped(proxy.name))\",upstream=\"\(escaped(proxy.upstream))\""
    }

    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            switch character {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.append(character)
            }
        }
    }
}
