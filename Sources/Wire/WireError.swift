// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// Why bytes are no acceptable HTTP/1.1. The connection they came on is of no further use: where one message ends and
/// the next begins is in doubt.
package enum WireError: Error, Sendable, Hashable, CaseIterable {
    // Start lines
    case badMethod, badTarget, badVersion, badRequestLine, unsupportedVersion, badStatusLine
    // Lines and fields
    case bareLineFeed, bareCarriageReturn, controlByte, foldedLine, spaceBeforeColon, missingColon, emptyFieldName
    case badFieldName
    case lineTooLong, targetTooLong, headTooLong, tooManyFields
    // Framing (RFC 9112 section 6)
    case badContentLength, repeatedContentLength, lengthWithTransferEncoding, badTransferEncoding, unknownTransferCoding
    case transferEncodingInOldVersion
    case badChunkSize, badChunkEnd, chunkLineTooLong, framingInTrailers
    // Responses (RFC 9110 section 15.2)
    case tooManyInterimResponses, unexpectedUpgrade
    // Host and expectations (RFC 9110 sections 7.2 and 10.1.1)
    case missingHost, repeatedHost, badHost, unknownExpectation

    /// The status with which a server refuses it.
    package var status: Int {
        switch self {
        case .targetTooLong: 414
        case .lineTooLong, .headTooLong, .tooManyFields: 431
        case .unsupportedVersion: 505
        case .unknownTransferCoding: 501
        case .unknownExpectation: 417
        default: 400
        }
    }

    /// One clause for logs: what was wrong.
    package var reason: String {
        switch self {
        case .badMethod: "the method is no token"
        case .badTarget: "the request target has a byte that no URI has, or an unknown form"
        case .badVersion: "the version is not HTTP/1.0 or HTTP/1.1"
        case .badRequestLine: "the request line is not 'method SP target SP version'"
        case .unsupportedVersion: "the major version is not 1"
        case .badStatusLine: "the status line is not 'HTTP/1.x SP three digits SP reason'"
        case .bareLineFeed: "a line ends in LF without CR"
        case .bareCarriageReturn: "a CR without LF"
        case .controlByte: "a control byte"
        case .foldedLine: "a field line begins with white space (obs-fold)"
        case .spaceBeforeColon: "white space before the colon of a field"
        case .missingColon: "a field line without a colon"
        case .emptyFieldName: "a field without a name"
        case .badFieldName: "a byte that no field name has"
        case .lineTooLong: "a line is too long"
        case .targetTooLong: "the request line is too long"
        case .headTooLong: "the head is too long"
        case .tooManyFields: "too many fields"
        case .badContentLength: "Content-Length is no decimal number"
        case .repeatedContentLength: "more than one Content-Length"
        case .lengthWithTransferEncoding: "both Content-Length and Transfer-Encoding"
        case .badTransferEncoding: "Transfer-Encoding does not end in one 'chunked'"
        case .unknownTransferCoding: "a transfer coding other than chunked"
        case .transferEncodingInOldVersion: "Transfer-Encoding in an HTTP/1.0 message"
        case .badChunkSize: "a chunk size that is no hexadecimal number"
        case .badChunkEnd: "chunk data that does not end where its size says"
        case .chunkLineTooLong: "a chunk-size line is too long"
        case .framingInTrailers: "Content-Length, Transfer-Encoding or Host among the trailers"
        case .tooManyInterimResponses: "interim responses without end"
        case .unexpectedUpgrade: "101 to a request that offered no other protocol"
        case .missingHost: "HTTP/1.1 without Host"
        case .repeatedHost: "more than one Host"
        case .badHost: "Host is no host"
        case .unknownExpectation: "an expectation other than 100-continue"
        }
    }
}
