// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// Joins the path of a service and the path of a request, `path_handling` v0 (kong/router/utils.lua, get_upstream_uri).
/// The flavour traditional_compatible honours no other.
package enum UpstreamPath {
    /// Appends the path for the upstream, escaped again.
    ///
    /// - Parameters:
    ///   - base: the service's path, `/` when it has none.
    ///   - path: the normalised path of the request.
    ///   - matched: how many bytes of it to strip; nil when the route does not strip or did not match by path.
    package static func append(
        base: UnsafeRawBufferPointer, path: UnsafeRawBufferPointer, stripping matched: Int?, to out: inout ByteBuffer
    ) {
        let endsInSlash = path.last == slash
        guard let matched else {
            if base.last == slash {
                escape(base, to: &out)
                escape(path.dropFirst(1), to: &out)
            } else {
                escape(base, to: &out)
                if path.count != 1 || !endsInSlash { escape(path[...], to: &out) }
            }
            return
        }
        let rest = sanitize(path.dropFirst(matched))
        if rest.isEmpty {
            let isRoot = base.count == 1 && base.first == slash
            if base.last == slash {
                escape(isRoot || endsInSlash ? base[...] : base.dropLast(1), to: &out)
            } else {
                escape(base, to: &out)
                if path.count > 1, endsInSlash { out.writeInteger(slash) }
            }
        } else {
            escape(base.last == slash ? base.dropLast(1) : base[...], to: &out)
            if rest.first != slash { out.writeInteger(slash) }
            escape(rest, to: &out)
        }
    }

    /// What is left after stripping may begin with a dot segment (sanitize_uri_postfix).
    private static func sanitize(_ rest: Slice<UnsafeRawBufferPointer>) -> Slice<UnsafeRawBufferPointer> {
        if rest.elementsEqual(".".utf8) || rest.elementsEqual("..".utf8) { return rest.dropFirst(rest.count) }
        if rest.starts(with: "./".utf8) { return rest.dropFirst(2) }
        if rest.starts(with: "../".utf8) { return rest.dropFirst(3) }
        return rest
    }

    // MARK: Escaping

    private static func escape(_ bytes: UnsafeRawBufferPointer, to out: inout ByteBuffer) {
        escape(bytes[...], to: &out)
    }

    /// Escapes what neither RFC 3986 reserves nor leaves free (kong/tools/uri.lua, escape). Percent signs stay, for they
    /// begin an escape already.
    private static func escape(_ bytes: Slice<UnsafeRawBufferPointer>, to out: inout ByteBuffer) {
        var bytes = bytes
        while let place = bytes.firstIndex(where: { !isSafe($0) }) {
            out.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[..<place]))
            let byte = bytes[place]
            out.writeInteger(UInt8(ascii: "%"))
            out.writeInteger(PathNormalization.hexadecimal(byte >> 4))
            out.writeInteger(PathNormalization.hexadecimal(byte & 15))
            bytes = bytes[(place + 1)...]
        }
        out.writeBytes(UnsafeRawBufferPointer(rebasing: bytes))
    }

    /// A bit for each ASCII character of `!#$&'()*+,/:;=?@[]`, letters, digits, `-_.~%`.
    private static func isSafe(_ byte: UInt8) -> Bool {
        let low: UInt64 = 0xAFFF_FFFA_0000_0000
        let high: UInt64 = 0x47FF_FFFE_AFFF_FFFF
        return switch byte {
        case 0..<64: low >> UInt64(byte) & 1 == 1
        case 64..<128: high >> UInt64(byte - 64) & 1 == 1
        default: false
        }
    }
}

private let slash = UInt8(ascii: "/")
