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

/// The libFuzzer program. `ci/fuzz` builds and runs it; GATECRASH_FUZZ_TARGET says what to fuzz, `heads` or `exchange`,
/// all arguments are libFuzzer's (which starts itself again with other ones). What is found stays in
/// Tests/GatewayTests/Data/fuzz, and the tests run it again.
let target = getenv("GATECRASH_FUZZ_TARGET").map { String(cString: $0) } ?? "exchange"

guard ["heads", "exchange"].contains(target) else {
    fputs("gatecrash-fuzz: GATECRASH_FUZZ_TARGET=\(target): no such target; say heads or exchange\n", stderr)
    exit(2)
}

let isHeads = target == "heads"

/// Called for every input.
func run(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: bytes, count: count))
    let problem = isHeads ? HeadChecker.problem(with: input) : ExchangeChecker.problem(with: input)
    if let problem {
        fputs("gatecrash-fuzz: \(problem)\n", stderr)
        abort()
    }
    return 0
}

var count = CommandLine.argc
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
exit(LLVMFuzzerRunDriver(&count, &arguments) { bytes, count in run(bytes, count) })
