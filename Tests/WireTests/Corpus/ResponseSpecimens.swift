// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

@testable import Wire

extension Specimen {
    /// Every response of the tables below, as answers to GET unless the name says HEAD; names are unique.
    static let responses: [Specimen] =
        statusLines + responseFields + responseFraming + withoutBodies + interimResponses

    /// The method that a response answers.
    var method: HTTPMethod { name.contains("HEAD") ? .head : .get }

    private static func ok(_ fields: String, _ body: String = "") -> String {
        "HTTP/1.1 200 OK\r\n\(fields)\r\n\(body)"
    }
    private static func lineOnly(_ line: String) -> String { "\(line)\r\nContent-Length: 0\r\n\r\n" }

    private static let statusLines: [Specimen] =
        ["200 OK", "200 ", "404 Not Found", "599 \u{e4}\t!", "999 x"].map {
            Specimen("status \($0)", lineOnly("HTTP/1.1 \($0)"), .accepted(1))
        } + [
            Specimen("status with a colon in its reason", lineOnly("HTTP/1.1 200 O:K"), .accepted(1)),
            Specimen("status without space and reason", lineOnly("HTTP/1.1 200"), .accepted(1)),
            Specimen("HTTP/1.0 status", lineOnly("HTTP/1.0 200 OK"), .accepted(1)),
            Specimen("status 099", lineOnly("HTTP/1.1 099 x"), .refused(.badStatusLine)),
            Specimen("status of two digits", lineOnly("HTTP/1.1 20 OK"), .refused(.badStatusLine)),
            Specimen("status of four digits", lineOnly("HTTP/1.1 2000 OK"), .refused(.badStatusLine)),
            Specimen("status with a letter", lineOnly("HTTP/1.1 2x0 OK"), .refused(.badStatusLine)),
            Specimen("negative status", lineOnly("HTTP/1.1 -20 OK"), .refused(.badStatusLine)),
            Specimen("no status", lineOnly("HTTP/1.1 OK"), .refused(.badStatusLine)),
            Specimen("two spaces before the status", lineOnly("HTTP/1.1  200 OK"), .refused(.badStatusLine)),
            Specimen("tab before the status", lineOnly("HTTP/1.1\t200 OK"), .refused(.badStatusLine)),
            Specimen("tab after the status", lineOnly("HTTP/1.1 200\tOK"), .refused(.badStatusLine)),
            Specimen("HTTP/1.2 status", lineOnly("HTTP/1.2 200 OK"), .refused(.badStatusLine)),
            Specimen("HTTP/2.0 status", lineOnly("HTTP/2.0 200 OK"), .refused(.badStatusLine)),
            Specimen("HTTP/0.9 status", lineOnly("HTTP/0.9 200 OK"), .refused(.badStatusLine)),
            Specimen("status in lower case", lineOnly("http/1.1 200 OK"), .refused(.badStatusLine)),
            Specimen("another protocol", lineOnly("ICY 200 OK"), .refused(.badStatusLine)),
            Specimen("a request", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", .refused(.badStatusLine)),
            Specimen("a TLS alert", "\u{15}\u{3}\u{1}\u{0}\u{2}\u{2}\u{46}", .refused(.badStatusLine)),
            Specimen("HTML without a head", "<html></html>\r\n", .refused(.badStatusLine)),
            Specimen("an empty line before the status", "\r\n" + ok("Content-Length: 0\r\n"), .refused(.badStatusLine)),
            Specimen("NUL in the reason", lineOnly("HTTP/1.1 200 O\0K"), .refused(.controlByte)),
            Specimen("CR in the reason", lineOnly("HTTP/1.1 200 O\rK"), .refused(.bareCarriageReturn)),
            Specimen("bare LF after the status", "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n", .refused(.bareLineFeed)),
            Specimen("half a status line", "HTTP/1.1 2", .unfinished),
        ]

    private static let responseFields: [Specimen] = [
        Specimen("response field with white space", ok("A: \t b \r\nContent-Length: 0\r\n"), .accepted(1)),
        Specimen("response obs-fold", ok("A: b\r\n c\r\nContent-Length: 0\r\n"), .refused(.foldedLine)),
        Specimen("response space before the colon", ok("A : b\r\nContent-Length: 0\r\n"), .refused(.spaceBeforeColon)),
        Specimen("response field without colon", ok("A\r\nContent-Length: 0\r\n"), .refused(.missingColon)),
        Specimen("response NUL in a value", ok("A: \0\r\nContent-Length: 0\r\n"), .refused(.controlByte)),
        Specimen("response bare CR in a value", ok("A: b\rc\r\nContent-Length: 0\r\n"), .refused(.bareCarriageReturn)),
        Specimen("response bare LF after a field", ok("A: b\nContent-Length: 0\r\n"), .refused(.bareLineFeed)),
        Specimen("response field with bytes above 0x7f", ok("A: \u{e4}\r\nContent-Length: 0\r\n"), .accepted(1)),
        Specimen("Set-Cookie twice", ok("Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n"), .accepted(1)),
    ]

    private static let responseFraming: [Specimen] = [
        Specimen("response with a length", ok("Content-Length: 2\r\n", "hi"), .accepted(1)),
        Specimen("response shorter than its length", ok("Content-Length: 3\r\n", "hi"), .unfinished),
        Specimen("response until close", ok("", "hi"), .unfinished),
        Specimen("response of nothing until close", ok("Connection: close\r\n"), .unfinished),
        Specimen("response length with a sign", ok("Content-Length: +2\r\n", "hi"), .refused(.badContentLength)),
        Specimen("response length that is a list", ok("Content-Length: 2, 2\r\n", "hi"), .refused(.badContentLength)),
        Specimen("empty response length", ok("Content-Length:\r\n", "hi"), .refused(.badContentLength)),
        Specimen(
            "response length twice", ok("Content-Length: 2\r\nContent-Length: 2\r\n", "hi"),
            .refused(.repeatedContentLength)),
        Specimen(
            "two response lengths", ok("Content-Length: 2\r\nContent-Length: 3\r\n", "hi"),
            .refused(.repeatedContentLength)),
        Specimen("chunked response", ok("Transfer-Encoding: chunked\r\n", "2\r\nhi\r\n0\r\n\r\n"), .accepted(1)),
        Specimen(
            "chunked response with trailer", ok("Transfer-Encoding: chunked\r\n", "0\r\nA: b\r\n\r\n"), .accepted(1)),
        Specimen("chunked response, unfinished", ok("Transfer-Encoding: chunked\r\n", "2\r\nhi\r\n"), .unfinished),
        Specimen(
            "chunked response, bad size", ok("Transfer-Encoding: chunked\r\n", "x\r\nhi\r\n"), .refused(.badChunkSize)),
        Specimen(
            "chunked response, bad end", ok("Transfer-Encoding: chunked\r\n", "2\r\nhi!\r\n"), .refused(.badChunkEnd)),
        Specimen(
            "response with length and coding", ok("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
            .refused(.lengthWithTransferEncoding)),
        Specimen(
            "response coding not last", ok("Transfer-Encoding: chunked, gzip\r\n", "hi"), .refused(.badTransferEncoding)
        ),
        Specimen(
            "response coding unknown", ok("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"),
            .refused(.unknownTransferCoding)),
        Specimen(
            "response coding without chunked", ok("Transfer-Encoding: gzip\r\n", "hi"), .refused(.badTransferEncoding)),
        Specimen(
            "response coding in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            .refused(.transferEncodingInOldVersion)),
    ]

    private static let withoutBodies: [Specimen] = [
        Specimen("HEAD with a length", ok("Content-Length: 5\r\n"), .accepted(1)),
        Specimen("HEAD with chunks announced", ok("Transfer-Encoding: chunked\r\n"), .accepted(1)),
        Specimen("HEAD without framing", ok(""), .accepted(1)),
        Specimen("204", "HTTP/1.1 204 No Content\r\n\r\n", .accepted(1)),
        Specimen("204 with a length", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", .accepted(1)),
        Specimen("304 with a length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", .accepted(1)),
        Specimen("304", "HTTP/1.1 304 Not Modified\r\n\r\n", .accepted(1)),
    ]

    private static let interimResponses: [Specimen] = [
        Specimen("100 and 200", "HTTP/1.1 100 Continue\r\n\r\n" + ok("Content-Length: 2\r\n", "hi"), .accepted(1)),
        Specimen(
            "103 with fields and 200",
            "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + ok("Content-Length: 0\r\n"), .accepted(1)),
        Specimen(
            "102, 103 and 204",
            "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", .accepted(1)),
        Specimen("100 alone", "HTTP/1.1 100 Continue\r\n\r\n", .unfinished),
        Specimen(
            "100 with a length", "HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n" + ok("Content-Length: 0\r\n"),
            .accepted(1)),
        Specimen(
            "101 that nobody asked for", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
            .refused(.unexpectedUpgrade)),
        Specimen(
            "17 interim responses",
            String(repeating: "HTTP/1.1 102 x\r\n\r\n", count: 17) + ok("Content-Length: 0\r\n"),
            .refused(.tooManyInterimResponses)),
    ]
}
