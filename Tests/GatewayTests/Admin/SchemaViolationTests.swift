// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Gateway
import Testing

/// What is sent, and the `fields` of the answer.
struct BadBody: CustomTestStringConvertible, Sendable {
    var body: String
    var fields: String
    var message: String?
    var testDescription: String { body }

    init(_ body: String, _ fields: String, _ message: String? = nil) {
        self.body = body
        self.fields = fields
        self.message = message
    }
}

@Suite struct SchemaViolationTests {
    private func check(_ bad: BadBody, at path: String) throws {
        let admin = try AdminHarness(strict: true)
        admin.form("POST", "/upstreams", "name=up")
        let before = admin.control.applied.count
        let isJSON = bad.body.hasPrefix("{")
        let answer = isJSON ? admin.json("POST", path, bad.body) : admin.form("POST", path, bad.body)
        #expect(answer.status == 400)
        #expect(answer.json?["code"] == 2)
        #expect(answer.json?["name"] == "schema violation")
        #expect(inKeyOrder(answer.json?["fields"]) == inKeyOrder(parsedJSON(bad.fields)), "\(answer.json ?? .null)")
        if let message = bad.message { #expect(answer.message == message) }
        #expect(admin.control.applied.count == before)
    }

    private static let conditional = #""failed conditional validation given value of field 'protocol'""#

    @Test(arguments: [
        BadBody(
            "name=a", #"{"host":"required field missing"}"#, "schema violation (host: required field missing)"),
        // Two mistakes of one URL, as Kong finds them.
        BadBody(
            "url=invalid url", #"{"host":"required field missing","path":"should start with: /"}"#,
            "2 schema violations (host: required field missing; path: should start with: /)"),
        BadBody(#"{"url":5}"#, #"{"url":"expected a string"}"#),
        BadBody("url=http://h:x", #"{"port":"expected an integer"}"#),
        BadBody("url=gopher://h", #"{"protocol":"\#(protocols)"}"#),
        BadBody("host=h&port=abc", #"{"port":"expected an integer"}"#),
        BadBody(#"{"host":"h","port":"80"}"#, #"{"port":"expected an integer"}"#),
        BadBody(#"{"host":"h","port":80.5}"#, #"{"port":"expected an integer"}"#),
        BadBody("host=h&port=65536", #"{"port":"value should be between 0 and 65535"}"#),
        BadBody("host=h&retries=-1", #"{"retries":"value should be between 0 and 32767"}"#),
        BadBody("host=h&read_timeout=0", #"{"read_timeout":"value should be between 1 and 2147483646"}"#),
        BadBody("host=h:80", #"{"host":"must not have a port"}"#),
        BadBody("host=h:99999", #"{"host":"must not have a port"}"#),
        BadBody("host=a b", #"{"host":"invalid value: a b"}"#),
        BadBody("host=*.example.com", #"{"host":"invalid value: *.example.com"}"#),
        BadBody(#"{"host":""}"#, #"{"host":"length must be at least 1"}"#),
        BadBody("host=", #"{"host":"required field missing"}"#),
        BadBody("host=h&path=x", #"{"path":"should start with: /"}"#),
        BadBody("host=h&path=/a//b", #"{"path":"must not have empty segments"}"#),
        BadBody(
            "host=h&path=/a b",
            #"{"path":"invalid path: '/a b' (characters outside of the reserved list of RFC 3986 found)"}"#),
        BadBody("host=h&path=/a%252w", #"{"path":"invalid url-encoded value: '%2w'"}"#),
        BadBody(
            "host=h&protocol=tcp&path=/a", #"{"path":"value must be null","@entity":[\#(conditional)]}"#,
            "2 schema violations (failed conditional validation given value of field 'protocol'; "
                + "path: value must be null)"),
        BadBody("host=h&tls_verify=true", #"{"tls_verify":"value must be null","@entity":[\#(conditional)]}"#),
        BadBody("host=h&protocol=https&tls_verify=yes", #"{"tls_verify":"expected a boolean"}"#),
        BadBody(
            "host=h&protocol=https&tls_verify_depth=65", #"{"tls_verify_depth":"value should be between 0 and 64"}"#),
        BadBody(
            "host=h&protocol=https&ca_certificates[]=x", #"{"ca_certificates":["expected a valid UUID"]}"#,
            "schema violation (ca_certificates.1: expected a valid UUID)"),
        BadBody(
            "host=h&name=a b",
            #"{"name":"invalid value 'a b': the only accepted ascii characters are alphanumerics or ., -, _, and ~"}"#),
        BadBody(
            "host=h&tags[]=a,b",
            #"{"tags":["invalid tag 'a,b': expected printable ascii (except `,` and `/`) or valid utf-8 sequences"]}"#),
        BadBody(#"{"host":"h","tags":"x"}"#, #"{"tags":"expected a set"}"#),
        BadBody("host=h&enabled=maybe", #"{"enabled":"expected a boolean"}"#),
        BadBody(#"{"host":"h","enabled":null}"#, #"{"enabled":"required field missing"}"#),
        BadBody("host=h&id=1", #"{"id":"expected a valid UUID"}"#),
        BadBody("host=h&failover=1&x=2", #"{"failover":"unknown field","x":"unknown field"}"#),
        BadBody(
            "port=99999&retries=x&name=a:b",
            """
            {"host":"required field missing","port":"value should be between 0 and 65535",
            "retries":"expected an integer",
            "name":"invalid value 'a:b': the only accepted ascii characters are alphanumerics or ., -, _, and ~"}
            """),
    ]) func `services are validated`(bad: BadBody) throws { try check(bad, at: "/services") }

    private static let protocols = "expected one of: grpc, grpcs, http, https, tcp, tls, tls_passthrough, udp"
    private static let needsOne =
        #"{"@entity":["must set one of 'methods', 'hosts', 'headers', 'paths', 'snis' when 'protocols' is 'https'"]}"#

    @Test(arguments: [
        BadBody("name=r", needsOne),
        BadBody(#"{"paths":[],"hosts":null}"#, needsOne),
        BadBody(
            "protocols[]=http",
            #"{"@entity":["must set one of 'methods', 'hosts', 'headers', 'paths' when 'protocols' is 'http'"]}"#),
        BadBody(
            "protocols[]=http&protocols[]=tcp&paths[]=/",
            #"{"protocols":"these sets are mutually exclusive: ('http', 'https'), ('tcp', 'tls', 'udp')"}"#),
        BadBody("protocols[]=foo&paths[]=/", #"{"protocols":"unknown type: foo"}"#),
        BadBody(#"{"protocols":["http","foo"],"paths":["/"]}"#, #"{"protocols":[null,"\#(protocols)"]}"#),
        BadBody(#"{"protocols":null,"paths":["/"]}"#, #"{"protocols":"required field missing"}"#),
        BadBody("methods[]=get", #"{"methods":["invalid value: get"]}"#),
        BadBody(
            "paths[]=hello", #"{"paths":["should start with: / (fixed path) or ~/ (regex path)"]}"#,
            "schema violation (paths.1: should start with: / (fixed path) or ~/ (regex path))"),
        BadBody("paths[]=/a&paths[]=/b//c", #"{"paths":[null,"must not have empty segments"]}"#),
        BadBody("paths[]=/a/../b", #"{"paths":["non-normalized path, consider use '/b' instead"]}"#),
        BadBody("paths[]=/%2541", #"{"paths":["non-normalized path, consider use '/A' instead"]}"#),
        BadBody("hosts[]=a.*.b", #"{"hosts":["invalid wildcard: must be placed at leftmost or rightmost label"]}"#),
        BadBody("hosts[]=*.a.*", #"{"hosts":["invalid wildcard: must have at most one wildcard"]}"#),
        BadBody("hosts[]=a_b!", #"{"hosts":["invalid hostname: a_b!"]}"#),
        BadBody("hosts[]=a:99999", #"{"hosts":["invalid port number"]}"#),
        BadBody("hosts=a,b", #"{"hosts":["invalid hostname: a,b"]}"#),
        BadBody(
            "headers[Host]=x",
            #"{"headers":"cannot contain 'host' header, which must be specified in the 'hosts' attribute"}"#),
        BadBody(#"{"headers":{"x-a":"b"}}"#, #"{"headers":"expected an array"}"#),
        BadBody("paths[]=/&https_redirect_status_code=303", #"{"https_redirect_status_code":"\#(redirects)"}"#),
        BadBody("paths[]=/&path_handling=v2", #"{"path_handling":"expected one of: v0, v1"}"#),
        BadBody(
            "protocols[]=grpc&hosts[]=a&strip_path=true",
            #"{"strip_path":"cannot set 'strip_path' when 'protocols' is 'grpc' or 'grpcs'"}"#),
        BadBody(
            "protocols[]=grpc&hosts[]=a&methods[]=GET",
            #"{"methods":"cannot set 'methods' when 'protocols' is 'grpc' or 'grpcs'"}"#),
        BadBody(
            "protocols[]=tcp&snis[]=a&paths[]=/",
            """
            {"paths":"cannot set 'paths' when 'protocols' is 'tcp', 'tls', 'tls_passthrough' or 'udp'",
            "snis":"length must be 0","@entity":["'snis' can only be set when 'protocols' is 'grpcs', 'https', 'tls' or
             'tls_passthrough'"]}
            """.replacing("\n '", with: " '")),
        BadBody(
            "protocols[]=tcp",
            """
            {"@entity":["must set one of 'sources', 'destinations', 'snis' when 'protocols' is 'tcp', 'tls' or 'udp'"]}
            """),
        BadBody(
            "protocols[]=tls_passthrough", #"{"@entity":["must set snis when 'protocols' is 'tls_passthrough'"]}"#),
        BadBody(
            #"{"protocols":["tcp"],"sources":[{"ip":"1.2.3.4"},{"ip":"x"},{}]}"#,
            """
            {"sources":[null,{"ip":"invalid ip or cidr range: 'x'"},
            {"@entity":["at least one of these fields must be non-empty: 'ip', 'port'"]}]}
            """),
        BadBody("paths[]=/&snis[]=1.2.3.4", #"{"snis":["must not be an IP"]}"#),
        BadBody("paths[]=/&snis[]=a.*.b", #"{"snis":["wildcard must be leftmost or rightmost character"]}"#),
        BadBody(#"{"paths":["/"],"service":{"id":"x"}}"#, #"{"service":{"id":"expected a valid UUID"}}"#),
        BadBody(#"{"paths":["/"],"service":"x"}"#, #"{"service":{"id":"missing primary key"}}"#),
    ]) func `routes are validated`(bad: BadBody) throws { try check(bad, at: "/routes") }

    private static let redirects = "expected one of: 426, 301, 302, 307, 308"
    private static let inputs = "none, consumer, ip, header, cookie, path, query_arg, uri_capture"

    private static func hashed(_ field: String, by mode: String = "hash_on") -> String {
        """
        {"\(field)":"required field missing",
        "@entity":["failed conditional validation given value of field '\(mode)'"]}
        """
    }

    @Test(arguments: [
        BadBody("slots=100", #"{"name":"required field missing"}"#),
        BadBody("name=1.2.3.4", #"{"name":"Invalid name ('1.2.3.4'); no ip addresses allowed"}"#),
        BadBody("name=a:80", #"{"name":"Invalid name ('a:80'); no port allowed"}"#),
        BadBody("name=1234", #"{"name":"Invalid name ('1234'); must be a valid hostname"}"#),
        BadBody("name=a/b", #"{"name":"Invalid name ('a/b'); must be a valid hostname"}"#),
        BadBody("name=u&slots=9", #"{"slots":"value should be between 10 and 65536"}"#),
        BadBody(
            "name=u&algorithm=random",
            #"{"algorithm":"expected one of: consistent-hashing, least-connections, round-robin, latency"}"#),
        BadBody("name=u&hash_on=x", #"{"hash_on":"expected one of: \#(inputs)"}"#),
        BadBody("name=u&hash_on=header", hashed("hash_on_header")),
        BadBody("name=u&hash_on=cookie", hashed("hash_on_cookie")),
        BadBody("name=u&hash_on=query_arg", hashed("hash_on_query_arg")),
        BadBody("name=u&hash_on=uri_capture", hashed("hash_on_uri_capture")),
        BadBody("name=u&hash_on=ip&hash_fallback=header", hashed("hash_fallback_header", by: "hash_fallback")),
        BadBody(
            "name=u&hash_on=ip&hash_fallback=ip",
            """
            {"hash_fallback":"expected one of: none, consumer, header, cookie, path, query_arg, uri_capture",
            "@entity":["failed conditional validation given value of field 'hash_on'"]}
            """),
        BadBody(
            "name=u&hash_fallback=ip",
            """
            {"hash_fallback":"expected one of: none",
            "@entity":["failed conditional validation given value of field 'hash_on'"]}
            """),
        BadBody(
            "name=u&hash_on=header&hash_on_header=a&hash_fallback=header&hash_fallback_header=a",
            """
            {"@entity":["values of these fields must be distinct: 'hash_on_header', 'hash_fallback_header'"]}
            """),
        BadBody("name=u&host_header=a b", #"{"host_header":"invalid hostname: a b"}"#),
        BadBody("name=u&healthchecks=x", #"{"healthchecks":"expected a record"}"#),
        BadBody(
            "name=u&healthchecks.active.https_path=/x",
            #"{"healthchecks":{"active":{"https_path":"unknown field"}}}"#,
            "schema violation (healthchecks.active: {\n  https_path = \"unknown field\"\n})"),
        BadBody(
            "name=u&healthchecks.active.unhealthy.http_statuses=500,503",
            #"{"healthchecks":{"active":{"unhealthy":{"http_statuses":["expected an integer"]}}}}"#),
        BadBody(
            "name=u&healthchecks.threshold=101&healthchecks.active.http_path=x"
                + "&healthchecks.passive.healthy.successes=256",
            """
            {"healthchecks":{"threshold":"value should be between 0 and 100",
            "active":{"http_path":"should start with: /"},
            "passive":{"healthy":{"successes":"value should be between 0 and 255"}}}}
            """),
        BadBody(
            "name=u&healthchecks.active.type=udp&healthchecks.active.timeout=70000&healthchecks.active.concurrency=0",
            """
            {"healthchecks":{"active":{"type":"expected one of: tcp, http, https, grpc, grpcs",
            "timeout":"value should be between 0 and 65535","concurrency":"value should be between 1 and 2147483648"}}}
            """),
        BadBody(
            "name=u&healthchecks.active.headers.X-A=1&healthchecks.active.headers[bad key]=1",
            """
            {"healthchecks":{"active":{"headers":"bad header name 'bad key', allowed characters are A-Z, a-z, 0-9, '_',
             and '-'"}}}
            """.replacing("\n and", with: " and")),
    ]) func `upstreams are validated`(bad: BadBody) throws { try check(bad, at: "/upstreams") }

    @Test(arguments: [
        BadBody("weight=1", #"{"target":"required field missing"}"#),
        BadBody("target=a b", #"{"target":"Invalid target; not a valid hostname or ip address"}"#),
        BadBody("target=1.2.3.256", #"{"target":"Invalid target; not a valid hostname or ip address"}"#),
        BadBody("target=a:99999", #"{"target":"Invalid target; not a valid hostname or ip address"}"#),
        BadBody("target=a&weight=65536", #"{"weight":"value should be between 0 and 65535"}"#),
        BadBody("target=a&failover=true", #"{"failover":"unknown field"}"#),
    ]) func `targets are validated`(bad: BadBody) throws { try check(bad, at: "/upstreams/up/targets") }
}
