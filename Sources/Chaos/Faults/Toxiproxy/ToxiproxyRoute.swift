// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// The paths of the API.
enum ToxiproxyRoute: Hashable {
    case version, metrics, reset, populate, proxies
    case proxy(String)
    case toxics(String)
    case toxic(String, String)

    /// - Parameter path: percent signs as they came.
    init?(path: String) {
        guard path.hasPrefix("/") else { return nil }
        let parts = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(Self.decoded)
        switch parts.count {
        case 1:
            switch parts[0] {
            case "version": self = .version
            case "metrics": self = .metrics
            case "reset": self = .reset
            case "populate": self = .populate
            case "proxies": self = .proxies
            default: return nil
            }
        case 2 where parts[0] == "proxies" && !parts[1].isEmpty: self = .proxy(parts[1])
        case 3 where parts[0] == "proxies" && !parts[1].isEmpty && parts[2] == "toxics": self = .toxics(parts[1])
        case 4 where parts[0] == "proxies" && !parts[1].isEmpty && parts[2] == "toxics" && !parts[3].isEmpty:
            self = .toxic(parts[1], parts[3])
        default: return nil
        }
    }

    /// Empty: any.
    var methods: [String] {
        switch self {
        case .version: ["GET"]
        case .metrics: []
        case .reset, .populate: ["POST"]
        case .proxies, .toxics: ["GET", "POST"]
        case .proxy, .toxic: ["GET", "POST", "PATCH", "DELETE"]
        }
    }

    private static func decoded(_ part: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(part.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
