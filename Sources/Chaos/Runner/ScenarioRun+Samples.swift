// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore

// Samples of what a scenario looks at beside the traffic: taken with each tick of the run, stamped with what is not
// known about their time.
extension ScenarioRun {
    /// Which nodes' logs and which series the expectations look at.
    struct Observed {
        var logs: [String] = []
        var metrics: [Metric] = []
        var usesUsage = false

        init(_ plan: Plan) {
            for kind in plan.expectations.map(\.kind) {
                switch kind {
                case .log(let log): add(log)
                case .metric(let metric): add(metric)
                case .usage: usesUsage = true
                default: continue
                }
            }
            for kind in plan.invariants.map(\.kind) {
                switch kind {
                case .neverLog(let log): add(log)
                case .alwaysMetric(let metric): add(metric)
                case .alwaysUsage: usesUsage = true
                default: continue
                }
            }
        }

        private mutating func add(_ log: LogMatch) { if !logs.contains(log.node) { logs.append(log.node) } }

        private mutating func add(_ metric: Metric) {
            if !metrics.contains(where: { $0.node == metric.node && $0.series == metric.series }) {
                metrics.append(metric)
            }
        }
    }

    /// - Parameter tick: counts from 1; memory and descriptors are looked at with every fourth when nobody asks for
    ///   them.
    func takeSamples(tick: Int) {
        readLogs()
        guard phase == .load else { return }
        if observed.usesUsage || tick % 4 == 0 { sampleUsage() }
        for node in Set(observed.metrics.map(\.node)).sorted() { sampleMetrics(of: node) }
    }

    /// Between the last look and this one.
    func readLogs() {
        guard !observed.logs.isEmpty, let loadStart else { return }
        let since = lastLogLook ?? loop.now
        lastLogLook = loop.now
        let at = Instant(now.count, lo: max(0, (loop.now - max(since, loadStart)).nanoseconds))
        for node in observed.logs {
            for text in driver.newLogLines(of: node) { journal.append(.log(.init(at: at, node: node, text: text))) }
        }
    }

    /// From the start of the load to its end, so often that a request and what held it up are not far apart.
    func watchWaits() {
        sampleWaits()
        waitTimer = schedule(in: Self.waitPeriod) { $0.watchWaits() }
    }

    func sampleWaits() {
        let since = lastWaitLook
        lastWaitLook = loop.now
        let at = Instant(now.count, lo: since.map { (loop.now - $0).nanoseconds } ?? 0)
        for wait in driver.waits() where since != nil && wait.waited >= Self.leastWait {
            journal.append(.waited(.init(at: at, node: wait.node, waited: wait.waited)))
        }
    }

    private static let waitPeriod = TimeAmount.milliseconds(50)
    /// Less is what any process waits; nanoseconds.
    private static let leastWait: Int64 = 1_000_000

    private func sampleUsage() {
        for sample in driver.usage() {
            journal.append(
                .usage(
                    .init(
                        at: Instant(now.count), node: sample.node, memory: sample.usage.resident,
                        descriptors: sample.descriptors, cpu: sample.usage.processor.count)))
        }
    }

    private func sampleMetrics(of node: String) {
        guard !scraping.contains(node) else { return }
        scraping.insert(node)
        let asked = now
        driver.metrics(of: node).assumeIsolated().whenComplete { result in
            self.scraping.remove(node)
            guard self.phase == .load else { return }
            switch result {
            case .failure(let error):
                // A node that is down has none; one that runs and has none is worth a word.
                if self.status.isRunning(node), self.scrapingFailed.insert(node).inserted {
                    self.note("metrics of \(node) cannot be read: \(Self.text(of: error))")
                }
            case .success(let text):
                let at = Instant(self.now.count, lo: max(0, (self.now - asked).count))
                for metric in self.observed.metrics where metric.node == node {
                    guard let value = MetricText.value(of: metric, in: text) else { continue }
                    self.journal.append(.metric(.init(at: at, node: node, series: metric.series, value: value)))
                }
            }
        }
    }
}
