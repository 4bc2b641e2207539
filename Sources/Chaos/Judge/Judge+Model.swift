// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

extension JudgeContext {
    /// Does the gateway's account of itself agree with the reference state machine, and with what the mocks recorded?
    ///
    /// Three questions, an address at a time: does every change follow from the reports that the gateway made (and the
    /// other way round); was a report made for every answer that had to be one; did what was reported happen?
    func judgeKongHealth() -> Finding {
        let subject = "kong-health"
        guard !replays.isEmpty else {
            return nothingToJudge(subject, "no health event and no probe of any target", allowed: "agreement")
        }
        let diagnosis = Diagnosis(context: self)
        var differences: [String] = []
        var count = 0
        for replay in replays {
            count += replay.mismatches.count
            differences += replay.mismatches.prefix(1).map { diagnosis.sentence($0, of: replay) }
            let evidence = HealthEvidence(replay: replay, context: self)
            count += evidence.contradictions.count
            differences += evidence.contradictions.prefix(2)
        }
        let agreed = replays.reduce(0) { $0 + $1.agreed }
        guard let first = differences.first else {
            let seen = "\(agreed) changes as predicted"
            return Finding(result: .pass, seen: seen, allowed: "agreement", sentence: "\(subject): \(seen)")
        }
        let more = count == 1 ? "" : ", \(count) differences in all"
        return Finding(
            result: .fail, seen: first, allowed: "Kong's state machine",
            sentence: "\(first)\(more)", reasons: Array(differences.dropFirst().prefix(3)))
    }
}
