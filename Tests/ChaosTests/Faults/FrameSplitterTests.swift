// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import Chaos

/// Frames are found wherever the bytes are cut.
@Suite struct FrameSplitterTests {
    private static let preface = ByteBuffer(string: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")

    /// A preface, SETTINGS, HEADERS, DATA of five bytes, of none, and PING.
    private static let stream: ByteBuffer = {
        var bytes = preface
        bytes.writeImmutableBuffer(FrameBench.frame(4, [0, 3, 0, 0, 0, 100]))
        bytes.writeImmutableBuffer(FrameBench.frame(1, flags: 4, stream: 1, [0x82]))
        bytes.writeImmutableBuffer(FrameBench.frame(0, stream: 1, Array("hello".utf8)))
        bytes.writeImmutableBuffer(FrameBench.frame(0, flags: 1, stream: 1))
        bytes.writeImmutableBuffer(FrameBench.frame(6, [1, 2, 3, 4, 5, 6, 7, 8]))
        return bytes
    }()

    /// What is found, with DATA in one piece.
    private func found(_ chunks: [ByteBuffer], isFromClient: Bool = true) -> [String] {
        var splitter = FrameSplitter(isFromClient: isFromClient)
        var (found, data) = ([String](), "")
        for chunk in chunks {
            splitter.push(chunk)
            while let piece = splitter.next() {
                switch piece {
                case .preface: found.append("preface")
                case .frame(let frame):
                    let payload = frame.payload.readableBytesView.map(String.init).joined(separator: ",")
                    found.append("\(frame.head.kind.rawValue) of \(frame.head.stream): \(payload)")
                case .data(let head):
                    found.append("data of \(head.stream), \(head.length)\(head.endsStream ? ", end" : "")")
                case .dataBytes(let bytes, let isLast):
                    data += String(buffer: bytes)
                    if isLast {
                        found.append("\"\(data)\"")
                        data = ""
                    }
                case .opaque(let bytes): found.append("opaque \(String(buffer: bytes))")
                }
            }
        }
        return found
    }

    private static let expected = [
        "preface", "4 of 0: 0,3,0,0,0,100", "1 of 1: 130", "data of 1, 5", "\"hello\"", "data of 1, 0, end", "\"\"",
        "6 of 0: 1,2,3,4,5,6,7,8",
    ]

    @Test(arguments: 0...stream.readableBytes)
    func `a cut at any byte changes nothing`(cut: Int) throws {
        let first = try #require(Self.stream.getSlice(at: 0, length: cut))
        let second = try #require(Self.stream.getSlice(at: cut, length: Self.stream.readableBytes - cut))
        #expect(found([first, second]) == Self.expected)
    }

    @Test func `one byte at a time changes nothing`() {
        #expect(found(Self.stream.readableBytesView.map { ByteBuffer(bytes: [$0]) }) == Self.expected)
    }

    @Test func `a body is not held until its frame is whole`() {
        var splitter = FrameSplitter(isFromClient: false)
        splitter.push(ByteBuffer(bytes: [0, 0x40, 0, 0, 0, 0, 0, 0, 1] + Array("he".utf8)))
        #expect(splitter.next() == .data(FrameHead(length: 0x4000, kind: .data, stream: 1)))
        #expect(splitter.next() == .dataBytes(ByteBuffer(string: "he"), isLast: false))
        #expect(splitter.next() == nil)
    }

    @Test func `the reserved bit of a stream means nothing`() {
        #expect(
            found([FrameBench.frame(3, stream: 0x8000_0003, [0, 0, 0, 8])], isFromClient: false) == ["3 of 3: 0,0,0,8"])
    }

    @Test func `what is no preface, and a frame that nobody may hold, pass as they are`() {
        #expect(found([ByteBuffer(string: "PRI * HTTP/2.1\r\n")]) == ["opaque PRI * HTTP/2.1\r\n"])
        var tooLong = ByteBuffer(bytes: [1, 0, 1, 1, 0, 0, 0, 0, 1])
        tooLong.writeString("abc")
        let (first, second) = (tooLong, ByteBuffer(string: "def"))
        #expect(found([first, second], isFromClient: false).count == 2)
    }
}
