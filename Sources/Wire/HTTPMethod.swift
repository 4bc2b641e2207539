// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// The methods of RFC 9110 section 9 and RFC 5789; any other token is `.other` and keeps its bytes in the head.
package enum HTTPMethod: UInt8, Sendable, CaseIterable {
    case get, head, post, put, delete, connect, options, trace, patch, other

    @inline(__always)
    package init(_ bytes: UnsafeRawBufferPointer) {
        switch bytes.count {
        case 3: self = bytes.elementsEqual("GET".utf8) ? .get : bytes.elementsEqual("PUT".utf8) ? .put : .other
        case 4: self = bytes.elementsEqual("POST".utf8) ? .post : bytes.elementsEqual("HEAD".utf8) ? .head : .other
        case 5: self = bytes.elementsEqual("PATCH".utf8) ? .patch : bytes.elementsEqual("TRACE".utf8) ? .trace : .other
        case 6: self = bytes.elementsEqual("DELETE".utf8) ? .delete : .other
        case 7:
            self =
                bytes.elementsEqual("OPTIONS".utf8) ? .options : bytes.elementsEqual("CONNECT".utf8) ? .connect : .other
        default: self = .other
        }
    }
}

/// HTTP/1.0 or HTTP/1.1; nothing else is read here.
package enum HTTPVersion: UInt8, Sendable { case http10, http11 }
