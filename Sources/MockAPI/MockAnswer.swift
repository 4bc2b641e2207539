// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Wire

/// Every answer the mock API can give, to the byte what Flask 3.1 gives for
/// `@app.route("/hello")` and `@app.route("/health")`.
package enum MockAnswer: Hashable, Sendable {
    case hello
    /// An injected error on any path.
    case error(status: Int)
    case healthy
    case unhealthy
    /// What Flask answers to OPTIONS by itself.
    case options(MockMethods)
    case methodNotAllowed(MockMethods)
    case notFound
    /// An entry of ROUTES.
    case route(MockRoute)

    package var status: Int {
        switch self {
        case .hello, .healthy, .options: 200
        case .error(let status): status
        case .unhealthy: 503
        case .methodNotAllowed: 405
        case .notFound: 404
        case .route(let route): route.status
        }
    }

    package var contentType: String {
        switch self {
        case .hello, .error, .healthy, .unhealthy: "application/json"
        case .options, .methodNotAllowed, .notFound: "text/html; charset=utf-8"
        case .route(let route): route.contentType
        }
    }

    /// The `Allow` header, where there is one.
    package var allow: String? {
        switch self {
        case .options(let methods), .methodNotAllowed(let methods): methods.rawValue
        case .hello, .error, .healthy, .unhealthy, .notFound, .route: nil
        }
    }

    /// Fields of its own.
    package var headers: [MockRoute.Header] { if case .route(let route) = self { route.headers } else { [] } }

    /// - Parameter padding: `BODY_BYTES`; blanks before the line feed fill the answer of /hello up to it (still the
    ///   same JSON). A smaller size changes nothing.
    package func body(paddedTo padding: Int? = nil) -> String {
        switch self {
        case .hello:
            let text = #"{"message":"Hello from Mock API"}"#
            return text + String(repeating: " ", count: max(0, (padding ?? 0) - text.utf8.count - 1)) + "\n"
        case .error(let status): return #"{"message":"\#(reasonPhrase(of: status))"}"# + "\n"
        case .healthy: return #"{"status":"healthy"}"# + "\n"
        case .unhealthy: return #"{"status":"unhealthy"}"# + "\n"
        case .options: return ""
        case .route(let route): return route.body
        case .methodNotAllowed:
            return Self.page("405 Method Not Allowed", "The method is not allowed for the requested URL.")
        case .notFound:
            return Self.page(
                "404 Not Found",
                "The requested URL was not found on the server. If you entered the URL manually please check your "
                    + "spelling and try again.")
        }
    }

    /// Werkzeug's error page.
    private static func page(_ title: String, _ text: String) -> String {
        """
        <!doctype html>
        <html lang=en>
        <title>\(title)</title>
        <h1>\(title.dropFirst(4))</h1>
        <p>\(text)</p>

        """
    }
}

/// The methods a path takes, as `Allow` lists them.
package enum MockMethods: String, Hashable, Sendable {
    /// What Flask makes of a view for GET.
    case reading = "HEAD, OPTIONS, GET"
    /// Paths that `CATCH_ALL` made.
    case every = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
}
