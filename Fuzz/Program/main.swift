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

/// The libFuzzer program. `ci/fuzz` builds and runs it; its one argument of its own, the first, is what to fuzz:
/// `heads` or `exchange`. The rest are libFuzzer's. What is found stays in Tests/GatewayTests/Data/fuzz, and the tests
/// run it again.
let target = CommandLine.arguments.dropFirst().first ?? "exchange"

guard ["heads", "exchange"].contains(target) else {
    fputs("usage: gatecrash-fuzz heads|exchange [libFuzzer's arguments]\n", stderr)
    exit(2)
}

let isHeads = target == "heads"

/// Called for every input.
func run(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: bytes, count: count))
    let problem = isHeads ? HeadChecker.problem(with: input) : ExchangeChecker.problem(with: input)
    if let problem {
        fputs("\(target): \(problem)\n", stderr)
        abort()
    }
    return 0
}

var count = CommandLine.argc - 1
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv + 1
exit(LLVMFuzzerRunDriver(&count, &arguments) { bytes, count in run(bytes, count) })
