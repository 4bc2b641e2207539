// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

@testable import Wire

extension Specimen {
    private static func chunked(_ body: String) -> String {
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\(body)"
    }

    static let chunks: [Specimen] =
        ["2\r\nhi\r\n", "02\r\nhi\r\n", "2\r\nhi\r\n1\r\n!\r\n", "a\r\n0123456789\r\n", "A\r\n0123456789\r\n", ""].map {
            Specimen("chunks \($0.debugDescription)", chunked($0 + "0\r\n\r\n"), .accepted(1))
        } + [
            Specimen("last chunk of many zeros", chunked("2\r\nhi\r\n000000000000000\r\n\r\n"), .accepted(1)),
            Specimen("chunk data with CRLF in it", chunked("4\r\n\r\n\r\n\r\n0\r\n\r\n"), .accepted(1)),
            Specimen("chunk extension", chunked("2;a=b\r\nhi\r\n0\r\n\r\n"), .accepted(1)),
            Specimen("chunk extension in quotes", chunked("2;a=\"b c\";d\r\nhi\r\n0;e\r\n\r\n"), .accepted(1)),
            Specimen("empty chunk extension", chunked("2;\r\nhi\r\n0\r\n\r\n"), .refused(.badChunkSize)),
            Specimen("chunk extension without a name", chunked("2; ;a\r\nhi\r\n0\r\n\r\n"), .refused(.badChunkSize)),
            Specimen("two chunk extensions", chunked("2;a;b=c\r\nhi\r\n0\r\n\r\n"), .accepted(1)),
            Specimen("space before a chunk extension", chunked("2 ;a=b\r\nhi\r\n0\r\n\r\n"), .refused(.badChunkSize)),
            Specimen("space after a chunk size", chunked("2 \r\nhi\r\n0\r\n\r\n"), .refused(.badChunkSize)),
            Specimen("space before a chunk size", chunked(" 2\r\nhi\r\n0\r\n\r\n"), .refused(.badChunkSize)),
            Specimen("NUL in a chunk extension", chunked("2;a\0\r\nhi\r\n0\r\n\r\n"), .refused(.controlByte)),
            Specimen("CR in a chunk extension", chunked("2;a\rb\r\nhi\r\n0\r\n\r\n"), .refused(.bareCarriageReturn)),
            Specimen("LF in a chunk extension", chunked("2;a\nhi\r\n0\r\n\r\n"), .refused(.bareLineFeed)),
            Specimen("no chunk size", chunked("\r\nhi\r\n0\r\n\r\n"), .refused(.badChunkSize)),
            Specimen("chunk size of no digits", chunked("g\r\nhi\r\n0\r\n\r\n"), .refused(.badChunkSize)),
            Specimen("chunk size with 0x", chunked("0x2\r\nhi\r\n0\r\n\r\n"), .refused(.badChunkSize)),
            Specimen("chunk size with a sign", chunked("+2\r\nhi\r\n0\r\n\r\n"), .refused(.badChunkSize)),
            Specimen("negative chunk size", chunked("-2\r\nhi\r\n0\r\n\r\n"), .refused(.badChunkSize)),
            Specimen("chunk size with an underscore", chunked("0_2\r\nhi\r\n0\r\n\r\n"), .refused(.badChunkSize)),
            Specimen("chunk size of 2^64", chunked("10000000000000000\r\nhi"), .refused(.badChunkSize)),
            Specimen("chunk size of 2^60 - 1", chunked("fffffffffffffff\r\nhi"), .unfinished),
            Specimen(
                "chunk size of 16 digits", chunked("0000000000000002\r\nhi\r\n0\r\n\r\n"), .refused(.badChunkSize)),
            Specimen("LF after a chunk size", chunked("2\nhi\r\n0\r\n\r\n"), .refused(.bareLineFeed)),
            Specimen("LF after chunk data", chunked("2\r\nhi\n0\r\n\r\n"), .refused(.badChunkEnd)),
            Specimen("nothing after chunk data", chunked("2\r\nhi0\r\n\r\n"), .refused(.badChunkEnd)),
            Specimen("CR without LF after chunk data", chunked("2\r\nhi\r0\r\n\r\n"), .refused(.badChunkEnd)),
            Specimen("chunk longer than its size", chunked("2\r\nhi!\r\n0\r\n\r\n"), .refused(.badChunkEnd)),
            Specimen("chunks without the last", chunked("2\r\nhi\r\n"), .unfinished),
            Specimen("last chunk without its empty line", chunked("2\r\nhi\r\n0\r\n"), .unfinished),
        ]

    static let trailers: [Specimen] = [
        Specimen("a trailer", chunked("2\r\nhi\r\n0\r\nA: b\r\n\r\n"), .accepted(1)),
        Specimen("two trailers", chunked("0\r\nA: b\r\nC:\td\r\n\r\n"), .accepted(1)),
        Specimen("trailer without colon", chunked("0\r\nA\r\n\r\n"), .refused(.missingColon)),
        Specimen("folded trailer", chunked("0\r\nA: b\r\n c\r\n\r\n"), .refused(.foldedLine)),
        Specimen("trailer with a space before its colon", chunked("0\r\nA : b\r\n\r\n"), .refused(.spaceBeforeColon)),
        Specimen("trailer with NUL", chunked("0\r\nA: \0\r\n\r\n"), .refused(.controlByte)),
        Specimen("trailer with a bare LF", chunked("0\r\nA: b\n\r\n"), .refused(.bareLineFeed)),
        Specimen("bare LF ends the trailers", chunked("0\r\nA: b\r\n\n"), .refused(.bareLineFeed)),
        Specimen("bare LF for the empty line", chunked("0\r\n\n"), .refused(.bareLineFeed)),
        Specimen(
            "Content-Length among the trailers", chunked("0\r\nContent-Length: 5\r\n\r\n"), .refused(.framingInTrailers)
        ),
        Specimen(
            "Transfer-Encoding among the trailers", chunked("0\r\nTransfer-Encoding: chunked\r\n\r\n"),
            .refused(.framingInTrailers)),
        Specimen("Host among the trailers", chunked("0\r\nHost: b\r\n\r\n"), .refused(.framingInTrailers)),
    ]

    private static let one = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
    private static let two = "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n"

    static let sequences: [Specimen] = [
        Specimen("two requests", one + two, .accepted(2)),
        Specimen("two requests with an empty line between", one + "\r\n" + two, .accepted(2)),
        Specimen(
            "a body and a request", "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi" + two, .accepted(2)),
        Specimen("chunks and a request", chunked("2\r\nhi\r\n0\r\n\r\n") + two, .accepted(2)),
        Specimen("trailers and a request", chunked("0\r\nA: b\r\n\r\n") + two, .accepted(2)),
        Specimen("a request and a bad one", one + "GET /\r\n\r\n", .refused(.badRequestLine)),
        Specimen(
            "a request after close", "GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + two, .accepted(1)),
        Specimen("a request after HTTP/1.0", "GET /1 HTTP/1.0\r\n\r\n" + two, .accepted(1)),
        Specimen(
            "a request after a kept HTTP/1.0", "GET /1 HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n" + two, .accepted(2)),
        Specimen(
            "close wins over keep-alive", "GET /1 HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, close\r\n\r\n" + two,
            .accepted(1)),
        Specimen("a request after CONNECT", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n" + two, .accepted(2)),
        Specimen(
            "a request after Upgrade", "GET /1 HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n" + two,
            .accepted(2)),
        Specimen("three requests and a half", one + two + one + "GET", .unfinished),
    ]
}
