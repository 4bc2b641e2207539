// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document
package import NIOCore
import World

/// What a person asked of `gatecrash bench`, as text; `plan` checks all of it at once.
package struct BenchFlags: Sendable {
    package var urls: [String] = []
    package var connections: String?
    package var requests: String?
    package var duration: String?
    package var rate: String?
    package var arrivals: String?
    package var method: String?
    package var headers: [String] = []
    package var body: ByteBuffer?
    package var timeout: String?
    package var warmup: String?
    package var rounds: String?
    package var threads: String?
    package var keepsAlive: String?
    package var seed: String?
    package var expectations: [String] = []
    package var tolerance: String?
    package var mostLateness: String?
    package var processes: [String] = []
    package var speed: String?
    package var allowsRemote = false
    package var isInsecure = false
    package var authorities: String?
    /// With the file it came from.
    package var log: (text: String, file: String)?

    package init() {}

    /// - Parameter cores: of the machine; no more threads than that are of any use.
    /// - Throws: every mistake, one line each.
    package func plan(cores: Int) throws(Problems) -> (plan: BenchPlan, subjects: [BenchSubject]) {
        var reader = FlagReader()
        var plan = BenchPlan()
        readShape(&plan, &reader)
        readRequest(&plan, &reader)
        plan.timeout = reader.time("--timeout", timeout, least: .milliseconds(1)) ?? plan.timeout
        plan.rounds = reader.integer("--rounds", rounds, in: 1...1000) ?? plan.rounds
        plan.threads = reader.integer("--threads", threads, in: 1...max(1, min(cores, 256))) ?? plan.threads
        plan.mostLateness = reader.time("--max-lateness", mostLateness, least: .microseconds(1)) ?? plan.mostLateness
        plan.reusesConnections = reader.flag("--keepalive", keepsAlive) ?? true
        plan.tolerance = reader.part("--tolerance", tolerance) ?? plan.tolerance
        plan.seed = reader.seed("--seed", seed) ?? World.drawSeed()
        plan.allowsRemote = allowsRemote
        plan.trust.verifies = !isInsecure
        plan.trust.authorities = authorities
        let subjects = readSubjects(&reader)
        plan.expectations = readExpectations(subjects, &reader)
        guard reader.problems.isEmpty else { throw reader.problems }
        return (plan, subjects)
    }

    private func readShape(_ plan: inout BenchPlan, _ reader: inout FlagReader) {
        if let rate, let wanted = reader.rate("--rate", rate) {
            plan.shape = .open(wanted, reader.choice("--arrivals", arrivals) ?? .even)
        } else if arrivals != nil, rate == nil {
            reader.report("--arrivals: a closed loop has no arrivals", advice: "give --rate, or leave it out")
        }
        if let log {
            if rate != nil { reader.report("--replay and --rate: a log has its own times", advice: "give --speed 2x") }
            let speed = reader.factor("--speed", speed) ?? 1
            do { plan.shape = .replay(try AccessLog(parsing: log.text, file: log.file), speed: speed) } catch {
                for problem in error.list { reader.problems.add(problem) }
            }
            if duration != nil { reader.report("--duration: a log has its own length", advice: "leave it out") }
            if method != nil { reader.report("--method: a log has its own methods", advice: "leave it out") }
            if body != nil { reader.report("--body: a log has no bodies", advice: "leave it out") }
        } else if speed != nil {
            reader.report("--speed belongs to --replay", advice: "leave it out")
        }
        // An open loop takes the connections that it needs; the limit keeps it from running out of descriptors.
        let usual = if case .closed = plan.shape { 64 } else { 1000 }
        plan.connections = reader.integer("--connections", connections, in: 1...100_000) ?? usual
        plan.requests = reader.integer("--requests", requests, in: 1...1_000_000_000)
        plan.duration = reader.time("--duration", duration, least: .milliseconds(10))
        if plan.requests == nil, plan.duration == nil, log == nil { plan.duration = .seconds(2) }
        plan.warmup = reader.time("--warmup", warmup, least: .zero) ?? plan.warmup
    }

    private func readRequest(_ plan: inout BenchPlan, _ reader: inout FlagReader) {
        if let method {
            if !method.isEmpty, method.utf8.allSatisfy({ (0x41...0x5a).contains($0) || $0 == 0x2d }) {
                plan.method = method
            } else {
                reader.report("--method: `\(method)` is no method", advice: "write \(method.uppercased())")
            }
        } else if body != nil {
            plan.method = "POST"
        }
        if plan.method == "CONNECT" { reader.report("--method: CONNECT asks for a tunnel", advice: "use another") }
        plan.body = body ?? ByteBuffer()
        for header in headers {
            guard let colon = header.firstIndex(of: ":"), colon > header.startIndex else {
                reader.report("--header: `\(header)` has no colon", advice: "write 'Name: value'")
                continue
            }
            let name = header[..<colon]
            let value = header[header.index(after: colon)...].drop { $0 == " " }
            let isToken = name.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                    || "!#$%&'*+-.^_`|~".utf8.contains(byte)
            }
            if !isToken {
                reader.report("--header: `\(name)` is no name of a field", advice: "write 'Name: value'")
            } else if ["content-length", "transfer-encoding", "connection"].contains(name.lowercased()) {
                reader.report(
                    "--header: `\(name)` is written by the bench itself",
                    advice: name.lowercased() == "connection" ? "use --keepalive off" : "use --body")
            } else if value.utf8.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7f }) {
                reader.report("--header: the value of `\(name)` has a control byte", advice: "leave it out")
            } else {
                plan.headers.append(.init(name: String(name), value: TextTemplate(String(value))))
            }
        }
    }

    private func readSubjects(_ reader: inout FlagReader) -> [BenchSubject] {
        var subjects: [BenchSubject] = []
        for url in urls {
            do throws(Problem) {
                var target = try BenchTarget(url)
                let others = subjects.filter { $0.target.name == target.name }.count
                if others > 0 { target.name += "-\(others + 1)" }
                subjects.append(BenchSubject(target: target))
            } catch {
                reader.problems.add(error)
            }
        }
        for text in processes {
            let parts = text.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, let pid = Int32(parts[1]), pid > 0 else {
                reader.report("--pid: `\(text)` is not name=number", advice: "write --pid nginx=4711")
                continue
            }
            for index in subjects.indices { subjects[index].processes.append(.init(name: String(parts[0]), pid: pid)) }
        }
        return subjects
    }

    private func readExpectations(_ subjects: [BenchSubject], _ reader: inout FlagReader) -> [BenchExpectation] {
        var list: [BenchExpectation] = []
        for text in expectations {
            do throws(Problem) { list += try BenchExpectation.list(text, option: "--expect") } catch {
                reader.problems.add(error)
            }
        }
        let names = subjects.isEmpty ? ["direct", "gateway"] : subjects.map(\.target.name)
        for expectation in list {
            if let subject = expectation.metric.subject, !names.contains(subject) {
                reader.report(
                    "--expect '\(expectation.text)': there is no `\(subject)`",
                    advice: "there is \(names.joined(separator: ", "))")
            }
            if case .overhead = expectation.metric.kind, names.count < 2 {
                reader.report(
                    "--expect '\(expectation.text)': one server has no overhead over another",
                    advice: "give two URLs, or none")
            }
        }
        return list
    }
}
