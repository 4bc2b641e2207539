// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Wire

/// What the gateway itself answers when it cannot or will not proxy: Kong's texts in the form that the client asked for
/// (kong/error_handlers.lua, kong/tools/http.lua).
package struct ErrorPage: Sendable, Hashable {
    /// Which of Kong's two generators speaks; they choose the media type differently.
    package enum Generator: Sendable, Hashable {
        /// `kong.response.error`: router, balancer, plugins. Accept decides, JSON by default.
        case kong
        /// nginx's own errors: Accept, else the request's Content-Type, else plain text.
        case nginx
    }

    package var status: Int
    package var message: String
    package var generator: Generator
    /// Where the client is sent instead; the body is empty then.
    package var location: String?
    /// What the client would have to speak instead (Upgrade).
    package var upgrade: String?
    /// For gRPC where Kong does not take it from the status.
    package var grpcStatus: Int?

    package init(_ status: Int, _ message: String, by generator: Generator = .kong) {
        self.status = status
        self.message = message
        self.generator = generator
    }

    package static let noRoute = ErrorPage(404, "no Route matched with those values")
    package static let noService = ErrorPage(503, "no Service found with those values")
    package static let noPeer = ErrorPage(503, "failure to get a peer from the ring-balancer")
    package static let nameResolutionFailed = ErrorPage(503, "name resolution failed")

    /// Nobody could say where the host is (kong/runloop/balancer/init.lua).
    package static func resolving(_ host: String, failed words: String) -> ErrorPage {
        ErrorPage(500, "failed the initial dns/balancer resolve for '\(host)' with: \(words)")
    }

    package static let httpsRequired = upgrade("Please use HTTPS protocol", to: "TLS/1.2, HTTP/1.1")
    package static let http2Required = upgrade("Please use HTTP2 protocol", to: "HTTP/2")
    package static let grpcRequired = ErrorPage(415, "Non-gRPC request matched gRPC route")
    package static let grpcsRequired = grpcs()

    private static func upgrade(_ message: String, to protocols: String) -> ErrorPage {
        var page = ErrorPage(426, message)
        page.upgrade = protocols
        return page
    }

    private static func grpcs() -> ErrorPage {
        var page = ErrorPage(200, "gRPC request matched gRPCs route")
        page.grpcStatus = 1
        return page
    }

    /// An error that nginx would have made, with its text for the status.
    package static func nginx(_ status: Int) -> ErrorPage {
        let message =
            switch status {
            case 400: "Bad request"
            case 404: "Not found"
            case 405: "Method not allowed"
            case 408: "Request timeout"
            case 411: "Length required"
            case 412: "Precondition failed"
            case 413: "Payload too large"
            case 414: "URI too long"
            case 417: "Expectation failed"
            case 494: "Request header or cookie too large"
            case 500: "An unexpected error occurred"
            case 502: "An invalid response was received from the upstream server"
            case 503: "The upstream server is currently unavailable"
            case 504: "The upstream server is timing out"
            default: "The upstream server responded with \(status)"
            }
        // nginx sends its internal 494 as 400.
        return ErrorPage(status == 494 ? 400 : status, message, by: .nginx)
    }

    /// What a head that Wire refuses is for nginx: too large is 494, everything else keeps its status.
    package static func refusal(status: Int, _ error: WireError?) -> ErrorPage {
        switch error {
        case .headTooLong, .lineTooLong, .tooManyFields: nginx(494)
        case nil, .targetTooLong, .unknownExpectation: nginx(status)
        case .unsupportedVersion, .unknownTransferCoding: nginx(status)
        default: nginx(400)
        }
    }
}

/// How gRPC clients are told (kong/pdk/response.lua): nothing in the body, a status of theirs by the one of HTTP.
extension ErrorPage {
    package var statusForGRPC: Int {
        if let grpcStatus { return grpcStatus }
        return switch status {
        case 401: 16
        case 403: 7
        case 404: 5
        case 409: 6
        case 429: 8
        case 499: 1
        case 501: 12
        case 503: 14
        case 504: 4
        case 400..<500: 3
        default: 13
        }
    }

    package static func isGRPC(contentType: String?) -> Bool { contentType?.hasPrefix("application/grpc") ?? false }
}

/// The media types an error is written in.
package enum ErrorFormat: Sendable, Hashable, CaseIterable {
    case json, plain, xml, html

    package var contentType: StaticString {
        switch self {
        case .json: "application/json; charset=utf-8"
        case .plain: "text/plain; charset=utf-8"
        case .xml: "application/xml; charset=utf-8"
        case .html: "text/html; charset=utf-8"
        }
    }

    private init?(mediaType: Substring) {
        switch mediaType {
        case "application/json", "application/*": self = .json
        case "text/plain", "text/*": self = .plain
        case "application/xml", "text/xml": self = .xml
        case "text/html": self = .html
        default: return nil
        }
    }

    /// - Parameters:
    ///   - accept: the Accept field, or nil.
    ///   - contentType: the request's Content-Type, or nil.
    package init(for generator: ErrorPage.Generator, accept: String?, contentType: String?) {
        switch generator {
        case .kong:
            self = accept.flatMap(Self.best) ?? .json
        case .nginx:
            let fromType = contentType.flatMap { Self(mediaType: Self.mediaType($0[...])) }
            self = accept.flatMap(Self.best) ?? fromType ?? .plain
        }
    }

    /// The known type with the highest quality; of equals the first. `*/*` is no wish.
    private static func best(of accept: String) -> ErrorFormat? {
        var best: (format: ErrorFormat, quality: Double)?
        for range in accept.split(separator: ",") {
            guard let format = ErrorFormat(mediaType: mediaType(range)) else { continue }
            let quality =
                range.split(separator: ";").dropFirst().lazy
                .map { $0.filter { !$0.isWhitespace }.lowercased() }
                .first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            if quality > best?.quality ?? 0 { best = (format, quality) }
        }
        return best?.format
    }

    /// The type without parameters, in lower case, without white space.
    private static func mediaType(_ text: Substring) -> Substring {
        Substring((text.split(separator: ";").first ?? "").filter { !$0.isWhitespace }.lowercased())
    }

    /// The body to the byte as Kong writes it.
    package func body(_ message: String, requestID: String) -> String {
        switch self {
        case .json:
            "{\n  \"message\":\"\(message)\",\n  \"request_id\":\"\(requestID)\"\n}"
        case .plain: "\(message)\nrequest_id: \(requestID)\n"
        case .xml:
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <error>
              <message>\(message)</message>
              <requestid>\(requestID)</requestid>
            </error>
            """
        case .html:
            """
            <!doctype html>
            <html>
              <head>
                <meta charset="utf-8">
                <title>Error</title>
              </head>
              <body>
                <h1>Error</h1>
                <p>\(message).</p>
                <p>request_id: \(requestID)</p>
              </body>
            </html>
            """
        }
    }
}
