// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// A part of the language that a plan can use.
package enum Capability: String, Hashable, Sendable, CaseIterable {
    case virtualMode, severalGateways, remoteGateway, gatewayInProcess, mockRoutes, mockHealthPath
    case loadReplay
    case stepWhen, stepEvery, stepBetween, stepAfterObserved
    case stepSignal, stepStop, stepConfig, stepPatch, stepHealth, stepExec, stepCrashLoop
    case stepChoosesNode
    case expectUsage, expectLog, expectMetric, expectBaseline
}

/// What the language has and the runner or the judge does not do yet. This is the one place: taking a line out is all
/// it needs to let a built part through.
package enum Capabilities {
    /// Each with what a person reads behind "not supported yet: ".
    package static let notYet: [Capability: String] = [
        .virtualMode: "`mode: virtual`; the file runs in real time without it",
        .severalGateways: "more than one gateway; keep one",
        .remoteGateway: "gateways that run elsewhere (`url:`, `admin:`); give `kong:` or `inline:`",
        .gatewayInProcess: "`process: in-process`; leave it out, the gateway is spawned",
        .mockRoutes: "`routes:` of a mock; it answers every path as /hello",
        .mockHealthPath: "a `health:` path other than /health",
        .loadReplay: "`replay:` of a load; write `rate:` and `for:`",
        .stepWhen: "`when:` of a step; write `at:`",
        .stepEvery: "`every:` of a step; write each step",
        .stepBetween: "`between:` of a step; write `at:`",
        .stepAfterObserved: "a step `after:` an observed mark; use `at:`, or the mark of a step",
        .stepSignal: "`signal:` steps; there are kill, pause and resume",
        .stepStop: "`stop:` steps; there are kill and restart",
        .stepConfig: "`config:` steps",
        .stepPatch: "`patch:` steps",
        .stepHealth: "`health:` steps",
        .stepExec: "`exec:` steps",
        .stepCrashLoop: "`crash_loop:` of a kill; write each kill",
        .stepChoosesNode: "choosing a node (`one-of:`); name it",
        .expectUsage: "`rss:` and `fds:` expectations",
        .expectLog: "`log:` expectations",
        .expectMetric: "`metric:` expectations",
        .expectBaseline: "`baseline:` expectations",
    ]
}
