// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Wire

/// One input of a codec and what becomes of it.
struct Specimen: Sendable, CustomTestStringConvertible {
    enum Verdict: Sendable, Equatable {
        /// So many whole messages, and nothing left.
        case accepted(Int)
        /// A message that is not whole yet.
        case unfinished
        case refused(WireError)
    }

    var name: String
    var bytes: String
    var verdict: Verdict

    init(_ name: String, _ bytes: String, _ verdict: Verdict) {
        self.name = name
        self.bytes = bytes
        self.verdict = verdict
    }

    var testDescription: String { name }
}

extension Specimen {
    /// Every request of the tables below; names are unique.
    static let requests: [Specimen] =
        requestLines + targets + versions + hosts + fieldLines + lengths + codings + chunks + trailers + sequences

    private static func get(_ fields: String) -> String { "GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n" }
    private static func post(_ fields: String, _ body: String) -> String {
        "POST / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\(body)"
    }

    private static let requestLines: [Specimen] =
        ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "PROPFIND", "M-SEARCH", "PURGE"].map {
            Specimen("method \($0)", "\($0) / HTTP/1.1\r\nHost: a\r\n\r\n", .accepted(1))
        } + [
            Specimen("method of a token nobody registered", "FROB / HTTP/1.1\r\nHost: a\r\n\r\n", .accepted(1)),
            Specimen("method with every token byte", "a!#$%&'*+-.^_`|~0 / HTTP/1.1\r\nHost: a\r\n\r\n", .accepted(1)),
            Specimen("method in lower case", "get / HTTP/1.1\r\nHost: a\r\n\r\n", .accepted(1)),
            Specimen("no method", " / HTTP/1.1\r\nHost: a\r\n\r\n", .refused(.badMethod)),
            Specimen("method with a bracket", "G[T / HTTP/1.1\r\nHost: a\r\n\r\n", .refused(.badMethod)),
            Specimen("method with a NUL", "G\0T / HTTP/1.1\r\nHost: a\r\n\r\n", .refused(.badMethod)),
            Specimen("tab after the method", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", .refused(.badMethod)),
            Specimen("two spaces after the method", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", .refused(.badRequestLine)),
            Specimen("two spaces before the version", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", .refused(.badVersion)),
            Specimen("space after the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", .refused(.badVersion)),
            Specimen("no target", "GET HTTP/1.1\r\nHost: a\r\n\r\n", .refused(.badRequestLine)),
            Specimen("no version", "GET /\r\nHost: a\r\n\r\n", .refused(.badRequestLine)),
            Specimen("bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", .refused(.bareLineFeed)),
            Specimen("CR in the request line", "GET /\r HTTP/1.1\r\nHost: a\r\n\r\n", .refused(.bareCarriageReturn)),
            Specimen("CR after the method", "GET\r / HTTP/1.1\r\nHost: a\r\n\r\n", .refused(.bareCarriageReturn)),
            Specimen("one empty line first", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .accepted(1)),
            Specimen("two empty lines first", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .accepted(1)),
            Specimen("three empty lines first", "\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .refused(.badMethod)),
            Specimen("an LF first", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .refused(.bareLineFeed)),
            Specimen("a TLS greeting", "\u{16}\u{3}\u{1}\u{1}\u{0}\u{1}", .refused(.badMethod)),
            Specimen("an HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .refused(.unsupportedVersion)),
            Specimen("half a request line", "GET / HT", .unfinished),
            Specimen("half a head", "GET / HTTP/1.1\r\nHost: a\r\n", .unfinished),
        ]

    private static let targets: [Specimen] =
        ["/", "/a/b", "/?q", "/a?b=c&d=%20", "/%zz", "//a//b", "/a;b=c", "/~a!$&'()*+,=:@", "/?a?b", "/a|b", "/{a}"].map
    {
        Specimen("target \($0)", "GET \($0) HTTP/1.1\r\nHost: a\r\n\r\n", .accepted(1))
    } + [
        Specimen("target with a fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", .accepted(1)),
        Specimen("target with bytes above 0x7f", "GET /\u{e4} HTTP/1.1\r\nHost: a\r\n\r\n", .accepted(1)),
        Specimen("absolute target", "GET http://b/c HTTP/1.1\r\nHost: b\r\n\r\n", .accepted(1)),
        Specimen("absolute target without path", "GET http://b HTTP/1.1\r\nHost: b\r\n\r\n", .accepted(1)),
        Specimen("absolute target with query only", "GET http://b?c HTTP/1.1\r\nHost: b\r\n\r\n", .accepted(1)),
        Specimen("absolute target with port", "GET http://b:80/ HTTP/1.1\r\nHost: b:80\r\n\r\n", .accepted(1)),
        Specimen("absolute target in capitals", "GET HTTPS://B/ HTTP/1.1\r\nHost: b\r\n\r\n", .accepted(1)),
        Specimen("absolute IPv6 target", "GET http://[::1]:80/ HTTP/1.1\r\nHost: [::1]\r\n\r\n", .accepted(1)),
        Specimen("absolute target without host", "GET http:///c HTTP/1.1\r\nHost: b\r\n\r\n", .refused(.badTarget)),
        Specimen("absolute target with user", "GET http://u@b/ HTTP/1.1\r\nHost: b\r\n\r\n", .refused(.badTarget)),
        Specimen("absolute target, bad port", "GET http://b:x/ HTTP/1.1\r\nHost: b\r\n\r\n", .refused(.badTarget)),
        Specimen("target of another scheme", "GET ftp://b/c HTTP/1.1\r\nHost: b\r\n\r\n", .refused(.badTarget)),
        Specimen("target without slash", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", .refused(.badTarget)),
        Specimen("target that is a query", "GET ?a HTTP/1.1\r\nHost: a\r\n\r\n", .refused(.badTarget)),
        Specimen("OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", .accepted(1)),
        Specimen("GET *", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", .refused(.badTarget)),
        Specimen("OPTIONS *a", "OPTIONS *a HTTP/1.1\r\nHost: a\r\n\r\n", .refused(.badTarget)),
        Specimen("CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", .accepted(1)),
        Specimen("CONNECT without port", "CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", .refused(.badTarget)),
        Specimen("CONNECT to a path", "CONNECT /a HTTP/1.1\r\nHost: a\r\n\r\n", .refused(.badTarget)),
        Specimen("CONNECT with a scheme", "CONNECT http://a:1 HTTP/1.1\r\nHost: a\r\n\r\n", .refused(.badTarget)),
        Specimen("NUL in the target", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", .refused(.badTarget)),
        Specimen("tab in the target", "GET /\ta HTTP/1.1\r\nHost: a\r\n\r\n", .refused(.badTarget)),
        Specimen("DEL in the target", "GET /\u{7f} HTTP/1.1\r\nHost: a\r\n\r\n", .refused(.badTarget)),
        Specimen("escape in the target", "GET /\u{1b}[0m HTTP/1.1\r\nHost: a\r\n\r\n", .refused(.badTarget)),
        Specimen("space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", .refused(.badVersion)),
    ]

    private static let versions: [Specimen] = [
        Specimen("HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", .accepted(1)),
        Specimen("HTTP/1.0 with Host", "GET / HTTP/1.0\r\nHost: a\r\n\r\n", .accepted(1)),
        Specimen("HTTP/1.0 with a body", "POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi", .accepted(1)),
        Specimen("HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", .refused(.badVersion)),
        Specimen("HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", .refused(.unsupportedVersion)),
        Specimen("HTTP/0.9", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", .refused(.unsupportedVersion)),
        Specimen("HTTP/3.0", "GET / HTTP/3.0\r\nHost: a\r\n\r\n", .refused(.unsupportedVersion)),
        Specimen("HTTP/1", "GET / HTTP/1\r\nHost: a\r\n\r\n", .refused(.badVersion)),
        Specimen("HTTP/01.1", "GET / HTTP/01.1\r\nHost: a\r\n\r\n", .refused(.badVersion)),
        Specimen("HTTP/1.10", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", .refused(.badVersion)),
        Specimen("version in lower case", "GET / http/1.1\r\nHost: a\r\n\r\n", .refused(.badVersion)),
        Specimen("version of another protocol", "GET / RTSP/1.0\r\nHost: a\r\n\r\n", .refused(.badVersion)),
        Specimen("version without digits", "GET / HTTP/x.y\r\nHost: a\r\n\r\n", .refused(.badVersion)),
        Specimen("comma in the version", "GET / HTTP/1,1\r\nHost: a\r\n\r\n", .refused(.badVersion)),
    ]

    private static let hosts: [Specimen] =
        ["a", "a:80", "a:", "127.0.0.1:8000", "[::1]", "[::1]:80", "[fe80::1%25lo]", "a_b.c", "A.B", "a."].map {
            Specimen("Host \($0)", "GET / HTTP/1.1\r\nHost: \($0)\r\n\r\n", .accepted(1))
        }
        + [
            "", "a b", "a/b", "a@b", "a:b", "a:80:80", "a:123456", "::1", "[::1", "[]", "[::1]a", "a]", "a\u{e4}",
            "a\"", ":80",
        ]
        .map {
            Specimen("Host \($0.debugDescription)", "GET / HTTP/1.1\r\nHost: \($0)\r\n\r\n", .refused(.badHost))
        } + [
            Specimen("no Host", "GET / HTTP/1.1\r\n\r\n", .refused(.missingHost)),
            Specimen("two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", .refused(.repeatedHost)),
            Specimen("two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n", .refused(.repeatedHost)),
            Specimen("absolute target, no Host", "GET http://b/ HTTP/1.1\r\n\r\n", .refused(.missingHost)),
            Specimen("absolute target, other Host", "GET http://b/ HTTP/1.1\r\nHost: c\r\n\r\n", .accepted(1)),
            Specimen("absolute target, bad Host", "GET http://b/ HTTP/1.1\r\nHost: c d\r\n\r\n", .refused(.badHost)),
        ]

    private static let fieldLines: [Specimen] = [
        Specimen("field without white space", get("A:b\r\n"), .accepted(1)),
        Specimen("field with white space around its value", get("A: \t b c \t\r\n"), .accepted(1)),
        Specimen("empty field", get("A:\r\n"), .accepted(1)),
        Specimen("empty field with spaces", get("A:   \r\n"), .accepted(1)),
        Specimen("field name of every token byte", get("a!#$%&'*+-.^_`|~0: b\r\n"), .accepted(1)),
        Specimen("field value with bytes above 0x7f", get("A: \u{e4}\u{20ac}\r\n"), .accepted(1)),
        Specimen("field value with colons and quotes", get("A: b:\"c\\\":,;\r\n"), .accepted(1)),
        Specimen("same field twice", get("A: b\r\nA: c\r\n"), .accepted(1)),
        Specimen("Content_Length", get("Content_Length: 5\r\n"), .refused(.badFieldName)),
        Specimen("Transfer_Encoding", get("transfer_encoding: chunked\r\n"), .refused(.badFieldName)),
        Specimen("Content_Type", get("Content_Type: a\r\n"), .accepted(1)),
        Specimen("space before the colon", get("A : b\r\n"), .refused(.spaceBeforeColon)),
        Specimen("tab before the colon", get("A\t: b\r\n"), .refused(.spaceBeforeColon)),
        Specimen(
            "space before the colon of Content-Length", get("Content-Length : 0\r\n"), .refused(.spaceBeforeColon)),
        Specimen("obs-fold with a space", get("A: b\r\n c\r\n"), .refused(.foldedLine)),
        Specimen("obs-fold with a tab", get("A: b\r\n\tc\r\n"), .refused(.foldedLine)),
        Specimen("obs-fold of nothing", get("A: b\r\n \r\n"), .refused(.foldedLine)),
        Specimen("space before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", .refused(.foldedLine)),
        Specimen("no colon", get("A\r\n"), .refused(.missingColon)),
        Specimen("no colon but a space", get("A b\r\n"), .refused(.missingColon)),
        Specimen("no name", get(": b\r\n"), .refused(.emptyFieldName)),
        Specimen("bracket in a name", get("A[b]: c\r\n"), .refused(.badFieldName)),
        Specimen("byte above 0x7f in a name", get("\u{e4}: b\r\n"), .refused(.badFieldName)),
        Specimen("NUL in a name", get("A\0b: c\r\n"), .refused(.controlByte)),
        Specimen("NUL in a value", get("A: b\0c\r\n"), .refused(.controlByte)),
        Specimen("escape in a value", get("A: \u{1b}[31m\r\n"), .refused(.controlByte)),
        Specimen("DEL in a value", get("A: \u{7f}\r\n"), .refused(.controlByte)),
        Specimen("vertical tab in a value", get("A: b\u{b}c\r\n"), .refused(.controlByte)),
        Specimen("bare LF after a field", get("A: b\nB: c\r\n"), .refused(.bareLineFeed)),
        Specimen("bare LF ends the head", "GET / HTTP/1.1\r\nHost: a\r\n\n", .refused(.bareLineFeed)),
        Specimen("bare CR in a value", get("A: b\rc\r\n"), .refused(.bareCarriageReturn)),
        Specimen("bare CR in a name", get("A\rb: c\r\n"), .refused(.bareCarriageReturn)),
        Specimen("CR CR LF", get("A: b\r\r\n"), .refused(.bareCarriageReturn)),
        Specimen("CR CR LF ends the head", "GET / HTTP/1.1\r\nHost: a\r\n\r\r\n", .refused(.bareCarriageReturn)),
        Specimen(
            "unknown expectation", post("Expect: 200-ok\r\nContent-Length: 2\r\n", "hi"),
            .refused(.unknownExpectation)),
        Specimen("expectation in capitals", post("Expect: 100-CONTINUE\r\nContent-Length: 2\r\n", "hi"), .accepted(1)),
        Specimen("Connection with several options", get("Connection: keep-alive, X-A\r\nX-A: b\r\n"), .accepted(1)),
        Specimen("Upgrade", get("Connection: upgrade\r\nUpgrade: websocket\r\n"), .accepted(1)),
    ]

    private static let lengths: [Specimen] =
        [("2", "hi"), ("02", "hi"), ("0", ""), ("00000000000000002", "hi")].map { length, body in
            Specimen("Content-Length \(length)", post("Content-Length: \(length)\r\n", body), .accepted(1))
        }
        + ["", "-1", "+2", "2 2", "0x2", "2,2", "2, 2", "2;", "two", "2.0", "1e1", "9999999999999999999", "2\u{b2}"].map
    {
        Specimen(
            "Content-Length \($0.debugDescription)", post("Content-Length: \($0)\r\n", "hi"),
            .refused(.badContentLength))
    } + [
        Specimen(
            "Content-Length twice", post("Content-Length: 2\r\nContent-Length: 2\r\n", "hi"),
            .refused(.repeatedContentLength)),
        Specimen(
            "two Content-Lengths", post("Content-Length: 2\r\nContent-Length: 3\r\n", "hi!"),
            .refused(.repeatedContentLength)),
        Specimen("body shorter than its length", post("Content-Length: 3\r\n", "hi"), .unfinished),
        Specimen("GET with a body", get("Content-Length: 2\r\n") + "hi", .accepted(1)),
        Specimen("POST without a length", post("", ""), .accepted(1)),
        Specimen("bytes behind a body", post("Content-Length: 2\r\n", "hi!"), .unfinished),
        Specimen("garbage behind a body", post("Content-Length: 2\r\n", "hi[]"), .refused(.badMethod)),
    ]

    private static let codings: [Specimen] =
        [
            "identity", "gzip", "chunked, gzip", "chunked, chunked", "xchunked", "chunkedx", "", "chunked;q=1",
            "\"chunked\"",
        ].map {
            Specimen(
                "Transfer-Encoding \($0.debugDescription)", post("Transfer-Encoding: \($0)\r\n", "0\r\n\r\n"),
                .refused(.badTransferEncoding))
        } + [
            Specimen(
                "Transfer-Encoding in capitals", post("TRANSFER-ENCODING: CHUNKED\r\n", "0\r\n\r\n"), .accepted(1)),
            Specimen(
                "Transfer-Encoding gzip, chunked", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"),
                .refused(.unknownTransferCoding)),
            Specimen(
                "Transfer-Encoding twice",
                post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
                .refused(.badTransferEncoding)),
            Specimen(
                "Transfer-Encoding on two lines",
                post("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
                .refused(.badTransferEncoding)),
            Specimen(
                "length before coding", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
                .refused(.lengthWithTransferEncoding)),
            Specimen(
                "coding before length", post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"),
                .refused(.lengthWithTransferEncoding)),
            Specimen(
                "coding with length 0", post("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", "0\r\n\r\n"),
                .refused(.lengthWithTransferEncoding)),
            Specimen(
                "Transfer-Encoding in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                .refused(.transferEncodingInOldVersion)),
            Specimen(
                "vertical tab before chunked", post("Transfer-Encoding: \u{b}chunked\r\n", "0\r\n\r\n"),
                .refused(.controlByte)),
            Specimen("GET with chunks", get("Transfer-Encoding: chunked\r\n") + "2\r\nhi\r\n0\r\n\r\n", .accepted(1)),
        ]
}
