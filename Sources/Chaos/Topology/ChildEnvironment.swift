// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

#if GATECRASH_DEFECTS
import Defects
#endif

/// What children take from the runner: its program, and of its environment what a program needs to run at all. A user's
/// `KONG_…` and `ERROR_RATE` stay outside: the scenario alone says what a run is.
package enum ChildEnvironment {
    private static let names = [
        "PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SWIFT_BACKTRACE",
        "ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS", "LLVM_PROFILE_FILE",
    ]

    package static var inherited: [String: String] {
        var environment: [String: String] = [:]
        for name in names {
            if let value = getenv(name) { environment[name] = String(cString: value) }
        }
        #if GATECRASH_DEFECTS
        environment[Defect.variable] = Defect.chosen?.rawValue
        #endif
        return environment
    }

    /// The path of the running program.
    package static var currentExecutable: String {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX))
        #if os(Linux)
        if readlink("/proc/self/exe", &path, path.count - 1) > 0 { return text(path) }
        #endif
        return realpath(CommandLine.arguments[0], &path) == nil ? CommandLine.arguments[0] : text(path)
    }

    private static func text(_ path: [CChar]) -> String {
        String(decoding: path.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
