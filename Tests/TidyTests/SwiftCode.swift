// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// As much of Swift's syntax as the rules need: where comments and strings are, and how far a body reaches.
enum SwiftCode {
    /// A text with every byte of comments and string contents (interpolations too) replaced by a space; quotes and line
    /// feeds stay.
    static func withoutCommentsAndStrings(_ text: String) -> String {
        var blanker = Blanker(bytes: Array(text.utf8))
        blanker.run()
        return String(decoding: blanker.output, as: UTF8.self)
    }

    private struct Blanker {
        let bytes: [UInt8]
        var output: [UInt8] = []
        var place = 0

        mutating func run() {
            output.reserveCapacity(bytes.count)
            while place < bytes.count { step() }
        }

        private func has(_ text: StaticString) -> Bool {
            let end = place + text.utf8CodeUnitCount
            guard end <= bytes.count, bytes[place] == text.utf8Start[0] else { return false }
            return bytes[place..<end].elementsEqual(UnsafeBufferPointer(start: text.utf8Start, count: end - place))
        }

        private mutating func keep() {
            output.append(bytes[place])
            place += 1
        }

        private mutating func blank(_ count: Int = 1) {
            for _ in 0..<count where place < bytes.count {
                output.append(bytes[place] == 0x0a ? 0x0a : 0x20)
                place += 1
            }
        }

        private mutating func step() {
            if has("//") {
                while place < bytes.count, bytes[place] != 0x0a { blank() }
            } else if has("/*") {
                comment()
            } else if let hashes = startOfString() {
                string(hashes: hashes)
            } else {
                keep()
            }
        }

        private mutating func comment() {
            var depth = 0
            repeat {
                if has("/*") {
                    depth += 1
                    blank(2)
                } else if has("*/") {
                    depth -= 1
                    blank(2)
                } else {
                    blank()
                }
            } while depth > 0 && place < bytes.count
        }

        /// The number of `#` before a quote; nil when no string begins here.
        private func startOfString() -> Int? {
            var end = place
            while end < bytes.count, bytes[end] == UInt8(ascii: "#") { end += 1 }
            return end < bytes.count && bytes[end] == UInt8(ascii: "\"") ? end - place : nil
        }

        private mutating func string(hashes: Int) {
            for _ in 0..<hashes { keep() }
            // `#"""#` is a string of one quote, not the beginning of several lines.
            let isOneQuote = hashes > 0 && hasHashes(at: place + 3, hashes)
            let quotes = has("\"\"\"") && !isOneQuote ? 3 : 1
            for _ in 0..<quotes { keep() }
            while place < bytes.count {
                if isEnd(quotes: quotes, hashes: hashes) {
                    for _ in 0..<(quotes + hashes) { keep() }
                    return
                }
                if quotes == 1, bytes[place] == 0x0a { return }
                if bytes[place] == UInt8(ascii: "\\"), hasHashes(at: place + 1, hashes) {
                    blank(1 + hashes)
                    if has("(") { interpolation() } else { blank() }
                } else {
                    blank()
                }
            }
        }

        private func hasHashes(at start: Int, _ count: Int) -> Bool {
            start + count <= bytes.count && bytes[start..<start + count].allSatisfy { $0 == UInt8(ascii: "#") }
        }

        private func isEnd(quotes: Int, hashes: Int) -> Bool {
            let end = place + quotes
            guard end <= bytes.count, bytes[place..<end].allSatisfy({ $0 == UInt8(ascii: "\"") }) else { return false }
            return hasHashes(at: end, hashes)
        }

        /// `( … )` within a string: code that may hold strings of its own; blanked as a whole.
        private mutating func interpolation() {
            let start = output.count
            var depth = 0
            repeat {
                if has("(") { depth += 1 }
                if has(")") { depth -= 1 }
                step()
            } while depth > 0 && place < bytes.count
            for i in start..<output.count where output[i] != 0x0a { output[i] = 0x20 }
        }
    }

    /// Every function, initialiser and subscript with a body: its name, its line (from 1) and how many lines it takes.
    static func functions(in code: [String]) -> [(name: String, line: Int, length: Int)] {
        var found: [(String, Int, Int)] = []
        for (index, line) in code.enumerated() where ["func ", "init", "subscript"].contains(where: line.contains) {
            guard
                let match = line.firstMatch(
                    of: /(^|[^\w.])(func\s+[^\s(<]+|init[?!]?\s*[(<]|deinit\b|subscript\s*[(<])/),
                let last = endOfBody(
                    code, from: index, column: line.distance(from: line.startIndex, to: match.range.upperBound))
            else { continue }
            found.append((String(match.2).replacing("func ", with: ""), index + 1, last - index + 1))
        }
        return found
    }

    /// The index of the line on which the body that opens behind a declaration closes; nil when there is no body.
    private static func endOfBody(_ code: [String], from first: Int, column: Int) -> Int? {
        var (braces, brackets) = (0, 0)
        for index in first..<code.count {
            let bytes = Array(code[index].utf8)
            // What stands before the declaration is no business of its body; `(` at the match's end counts.
            for byte in bytes[(index == first ? max(0, min(column, bytes.count) - 1) : 0)...] {
                switch byte {
                case UInt8(ascii: "("), UInt8(ascii: "["): brackets += 1
                case UInt8(ascii: ")"), UInt8(ascii: "]"): brackets -= 1
                case UInt8(ascii: "{") where brackets == 0 || braces > 0: braces += 1
                case UInt8(ascii: "}") where braces > 0:
                    braces -= 1
                    if braces == 0 { return index }
                case UInt8(ascii: "}") where brackets == 0: return nil
                default: break
                }
            }
            // A requirement of a protocol: the next declaration begins before any body has.
            if braces == 0, brackets == 0, index + 1 < code.count,
                code[index + 1].contains(
                    /^\s*(package |static |mutating |private |var |func |init|subscript|@|case |let )/)
            {
                return nil
            }
        }
        return nil
    }
}
