// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// Where our reading differs from llhttp's, as NIOHTTP1 sets it up, and why ours is as it is. Sections are of RFC 9112
/// unless another RFC is named.
enum KnownDifferences {
    typealias Difference = (name: String, reason: String)

    static let requests: [Difference] = startLines + hosts + fields + framing + sequences

    private static func all(_ names: [String], _ reason: String) -> [Difference] { names.map { ($0, reason) } }

    private static let startLines: [Difference] =
        all(
            ["method of a token nobody registered", "method in lower case", "method with every token byte"],
            "A method is any token (RFC 9110 section 9.1), and a proxy passes on those it does not "
                + "know; llhttp has a list."
        )
        + all(["method M-SEARCH"], "NIOHTTP1 calls it MSEARCH.")
        + all(
            ["two spaces after the method", "two spaces before the version"],
            "Section 3: single spaces. To skip more is allowed, but recipients that differ in it can be played off.")
        + all(
            ["three empty lines first", "an LF first"],
            "Section 2.2: a server ignores at least one empty line (CRLF) before a request; we "
                + "ignore two, and llhttp any."
        )
        + all(["target with bytes above 0x7f"], "nginx, and so Kong, takes them as they are.")
        + all(
            ["absolute target with user", "absolute target without host", "absolute target, bad port"],
            "RFC 9110 sections 4.2.1 and 4.2.4: an http URI needs a host, and user information is refused; RFC 3986 "
                + "section 3.2.3: a port is digits.")
        + all(["target of another scheme"], "Section 3.2: we are a server of http and https only.")
        + all(["GET *", "OPTIONS *a"], "Section 3.2.4: the asterisk is for OPTIONS and stands alone.")
        + all(
            ["CONNECT without port", "CONNECT to a path", "CONNECT with a scheme"],
            "Section 3.2.3: the target of CONNECT is host and port.")
        + all(["version of another protocol"], "Section 2.3: the name is HTTP.")

    private static let hosts: [Difference] =
        all(
            [
                "Host \"\"", "Host \"a b\"", "Host \"a@b\"", "Host \"a/b\"", "Host \"a:b\"", "Host \"a:80:80\"",
                "Host \"a:123456\"", "Host \"[::1\"", "Host \"::1\"", "Host \"[]\"", "Host \"[::1]a\"",
                "Host \"a\u{e4}\"",
                "Host \"a\\\"\"", "Host \":80\"", "Host \"a]\"", "absolute target, bad Host",
            ], "Section 3.2: a server answers 400 to an invalid Host; llhttp leaves it to others.")
        + all(
            ["no Host", "two Hosts", "two Hosts in HTTP/1.0", "absolute target, no Host"],
            "Section 3.2: a server answers 400 to an HTTP/1.1 request without Host, and to one with more than one.")

    private static let fields: [Difference] =
        all(
            ["field with white space around its value"], whiteSpace)
        + all(
            ["Content_Length", "Transfer_Encoding"],
            "Who makes variables of fields (RFC 3875 section 4.1.18) takes them for the ones with a hyphen.")
        + all(
            ["unknown expectation"],
            "RFC 9110 section 10.1.1: 417 is the answer to an expectation that is not understood.")

    private static let framing: [Difference] =
        all(
            ["Content-Length \"9999999999999999999\""],
            "18 digits are enough for an exabyte; the limit keeps the arithmetic clear of overflow.")
        + all(
            ["Transfer-Encoding \"\""],
            "Section 6.1: the field is there, so it must end in chunked; llhttp takes the head for "
                + "whole and objects to what "
                + "follows.")
        + all(
            ["Transfer-Encoding gzip, chunked", "Transfer-Encoding on two lines"],
            "Section 6.1: 501 for a coding that is not understood; to pass it on unread would leave framing to others.")
        + all(
            ["Transfer-Encoding in HTTP/1.0"],
            "Section 6.1: Transfer-Encoding in an HTTP/1.0 message means that its framing is faulty.")
        + all(["chunk size of 16 digits"], "15 digits are enough; the limit keeps the arithmetic clear of overflow.")
        + all(
            ["Host among the trailers"],
            "RFC 9110 section 6.5.1: what routes a message is no trailer. llhttp refuses the two that frame.")

    private static let sequences: [Difference] =
        all(
            ["a request after close", "a request after HTTP/1.0", "close wins over keep-alive"],
            "Section 9.6: what follows is not processed. We answer, close and drop it; llhttp makes it an error.")
        + all(
            ["bytes behind a body"],
            "They may begin a request of a method that nobody registered (see there).")
        + all(
            ["a request after CONNECT", "a request after Upgrade"],
            "Neither is done until we have answered 2xx or 101, which we never do: what follows is "
                + "another request. llhttp "
                + "stops and waits.")

    static let responses: [Difference] =
        all(["status 099"], "RFC 9110 section 15: statuses are from 100 to 599; HTTP/1.1 clients pass on up to 999.")
        + all(["NUL in the reason"], "Section 4: a reason is visible text and white space.")
        + all(
            ["response coding not last", "response coding without chunked", "response coding unknown"],
            "Section 6.3 reads such a response until the connection closes. We cannot undo the "
                + "coding and send none on, so "
                + "for a gateway it is a bad response.")
        + all(
            ["response coding in HTTP/1.0"],
            "Section 6.1: Transfer-Encoding in an HTTP/1.0 message means that its framing is faulty.")
        + all(
            ["101 that nobody asked for"], "RFC 9110 section 15.2.2: 101 answers a request with Upgrade; we send none.")
        + all(["17 interim responses"], "RFC 9110 section 15.2 sets no bound; without one a server may go on for ever.")
        + all(["an empty line before the status"], "Section 2.2 lets servers skip empty lines, not clients.")
        + all(["response field with white space"], whiteSpace)

    private static let whiteSpace =
        "Section 5.1: white space around a value is no part of it; llhttp leaves what stands behind it."
}
