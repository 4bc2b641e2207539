// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import CFuzz
import GatewayHarness

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The libFuzzer program. `ci/fuzz` builds and runs it; GATECRASH_FUZZ_TARGET says what to fuzz, all arguments are
/// libFuzzer's (which starts itself again with other ones). What is found stays in Tests/GatewayTests/Data/fuzz, and
/// the tests run it again.
enum Fuzzer {
    static let target: FuzzTarget = {
        let name = getenv("GATECRASH_FUZZ_TARGET").map { String(cString: $0) } ?? ""
        guard let target = FuzzTarget(rawValue: name) else {
            let names = FuzzTarget.allCases.map(\.rawValue).joined(separator: ", ")
            complain("GATECRASH_FUZZ_TARGET=\(name): no such target; say one of \(names)")
            exit(2)
        }
        return target
    }()

    /// Called for every input.
    static func run(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
        if let problem = target.problem(with: Array(UnsafeBufferPointer(start: bytes, count: count))) {
            complain(problem)
            abort()
        }
        return 0
    }

    /// The C library's stream for this is a global variable, which Swift does not let us touch.
    private static func complain(_ text: String) {
        let line = "gatecrash-fuzz: \(text)\n"
        _ = line.withCString { write(STDERR_FILENO, $0, strlen($0)) }
    }
}

_ = Fuzzer.target
var count = CommandLine.argc
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
exit(LLVMFuzzerRunDriver(&count, &arguments) { Fuzzer.run($0, $1) })
