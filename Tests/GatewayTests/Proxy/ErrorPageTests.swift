// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Gateway

@Suite struct ErrorPageTests {
    static let formats: [(generator: ErrorPage.Generator, accept: String?, contentType: String?, format: ErrorFormat)] =
        [
            // Kong's own: Accept decides, JSON without a wish.
            (.kong, nil, nil, .json),
            (.kong, "*/*", nil, .json),
            (.kong, nil, "text/html", .json),
            (.kong, "text/html,application/xhtml+xml,*/*;q=0.8", nil, .html),
            (.kong, "text/plain;q=0.4, application/xml;q=0.9", nil, .xml),
            (.kong, "image/png", nil, .json),
            (.kong, "application/json;q=0", nil, .json),
            (.kong, "TEXT/HTML", nil, .html),
            (.kong, "text/plain;q=abc", nil, .plain),
            // nginx's: Accept, then the request's type, then plain text.
            (.nginx, nil, nil, .plain),
            (.nginx, nil, "application/json; charset=utf-8", .json),
            (.nginx, "text/html", "application/json", .html),
            (.nginx, "*/*", "application/xml", .xml),
        ]

    @Test(arguments: formats)
    func `the media type follows Kong's two rules`(
        row: (generator: ErrorPage.Generator, accept: String?, contentType: String?, format: ErrorFormat)
    ) {
        #expect(ErrorFormat(for: row.generator, accept: row.accept, contentType: row.contentType) == row.format)
    }

    @Test func `bodies are Kong's to the byte`() {
        #expect(ErrorFormat.json.body("M", requestID: "I") == "{\n  \"message\":\"M\",\n  \"request_id\":\"I\"\n}")
        #expect(ErrorFormat.plain.body("M", requestID: "I") == "M\nrequest_id: I\n")
        #expect(ErrorFormat.html.body("M", requestID: "I").contains("<p>M.</p>"))
        #expect(
            ErrorFormat.xml.body("M", requestID: "I").hasPrefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<error>"))
    }

    @Test(arguments: [
        (431, 400, "Request header or cookie too large"), (414, 414, "URI too long"), (400, 400, "Bad request"),
        (417, 417, "Expectation failed"), (408, 408, "Request timeout"),
    ])
    func `a refused head is answered as nginx would`(row: (wire: Int, status: Int, message: String)) {
        let page =
            switch row.wire {
            case 431: ErrorPage.refusal(status: 431, .headTooLong)
            case 414: ErrorPage.refusal(status: 414, .targetTooLong)
            case 417: ErrorPage.refusal(status: 417, .unknownExpectation)
            case 408: ErrorPage.refusal(status: 408, nil)
            default: ErrorPage.refusal(status: 400, .bareLineFeed)
            }
        #expect(page.status == row.status)
        #expect(page.message == row.message)
    }
}
