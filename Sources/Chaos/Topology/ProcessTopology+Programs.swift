// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

// Programs that are not ours: load balancers in front of the gateways, and what `exec:` steps call. They are started by
// way of `gatecrash supervise`, which ties them to the runner before it becomes them.
extension ProcessTopology {
    final class ProgramProcess {
        let node: ProgramNode
        let process: NodeProcess
        let address: SocketAddress

        init(_ node: ProgramNode, _ process: NodeProcess, _ address: SocketAddress) {
            self.node = node
            self.process = process
            self.address = address
        }
    }

    package func missingPrograms() -> [String] {
        topology.programs.flatMap(\.requirements).filter { ProgramSearch.find($0, in: options.environment) == nil }
    }

    /// Ports first: programs name each other's.
    func prepare(_ programs: [ProgramNode]) throws(TopologyError) {
        var ports: [String: Int] = [:]
        for node in programs { ports[node.id] = try reserve().port }
        for node in programs {
            guard let port = ports[node.id] else { continue }
            let address = SocketAddress(loopbackPort: port)
            let specification = try specification(of: node, ports: ports)
            self.programs[node.id] = ProgramProcess(node, process(specification, listensAt: address), address)
        }
    }

    private func specification(
        of node: ProgramNode, ports: [String: Int]
    ) throws(TopologyError) -> ChildSpecification {
        let own = try options.folder.makeFolder("\(node.id).d")
        var paths: [String: String] = [:]
        for file in node.files { paths[file.name] = "\(own)/\(file.name)" }
        func filled(_ text: ProgramText) -> String {
            text.parts.map { part in
                switch part {
                case .text(let text): text
                case .port(let id): "\(ports[id] ?? port(of: id) ?? 0)"
                case .admin(let id): "\(gateways[id]?.adminPort ?? 0)"
                case .file(let name): paths[name] ?? ""
                case .folder: own
                }
            }.joined()
        }
        for file in node.files { _ = try options.folder.write(filled(file.text), to: "\(node.id).d/\(file.name)") }
        var environment = options.environment
        for setting in node.environment { environment[setting.name] = setting.value }
        let words = node.command.map(filled)
        guard let name = words.first, let program = ProgramSearch.find(name, in: options.environment) else {
            throw TopologyError("\(node.id) cannot be started: there is no program \(words.first ?? "")")
        }
        return supervised(node.id, program, Array(words.dropFirst()), folder: node.folder, environment)
    }

    /// Where a node will listen; known before it does.
    private func port(of node: String) -> Int? { gateways[node]?.proxyPort ?? mocks[node]?.port }

    private func supervised(
        _ name: String, _ program: String, _ arguments: [String], folder: String, _ environment: [String: String]
    ) -> ChildSpecification {
        ChildSpecification(
            name: name, executable: options.executable,
            arguments: ["supervise", "--folder", folder, "--", program] + arguments, environment: environment,
            logPath: options.folder.file("\(name.filter { $0 != "/" }).log"))
    }

    /// - Returns: when it took a connection.
    func start(_ program: ProgramProcess) -> EventLoopFuture<StepEffect> {
        let (loop, begun) = (loop, loop.now)
        return program.process.start().map { _ in StepEffect(earliest: begun, latest: loop.now) }
    }

    // MARK: Steps

    /// Runs a program to its end: what it prints goes to the journal. Fails when it fails, or takes too long.
    func run(_ program: Program, step: String) -> EventLoopFuture<Void> {
        var environment = options.environment
        for gateway in gateways.values {
            let name = gateway.node.id.uppercased().map { $0 == "-" ? "_" : String($0) }.joined()
            environment["GATECRASH_\(name)_PROXY"] = gateway.proxy.map { "http://127.0.0.1:\($0.port ?? 0)" }
            environment["GATECRASH_\(name)_ADMIN"] = gateway.admin.map { "http://127.0.0.1:\($0.port ?? 0)" }
        }
        for mock in mocks.values {
            let name = mock.node.id.uppercased().map { $0 == "-" ? "_" : String($0) }.joined()
            environment["GATECRASH_\(name)_URL"] = mock.address.map { "http://127.0.0.1:\($0.port ?? 0)" }
        }
        environment["GATECRASH_FOLDER"] = options.folder.path
        let name = "exec \(step)"
        let specification = supervised(name, program.path, program.arguments, folder: program.folder, environment)
        let call = ProgramCall(name: name, logPath: specification.logPath, loop: loop) { [weak self] text in
            self?.onEvent(.log(node: name, text))
        }
        return call.run(specification, supervisor: supervisor, timeout: program.timeout)
    }
}

/// One run of a program by an `exec:` step. Lives on one loop.
private final class ProgramCall {
    private let name: String
    private let logPath: String
    private let loop: any EventLoop
    private let onLine: (String) -> Void
    private let promise: EventLoopPromise<Void>
    private var child: ChildProcess?
    private var exit: ProcessExit?
    private var isOutputOver = false
    private var isTooSlow = false
    private var timer: Scheduled<Void>?

    init(name: String, logPath: String, loop: any EventLoop, onLine: @escaping (String) -> Void) {
        self.name = name
        self.logPath = logPath
        self.loop = loop
        self.onLine = onLine
        promise = loop.makePromise(of: Void.self)
    }

    func run(
        _ specification: ChildSpecification, supervisor: Supervisor, timeout: Nanoseconds
    ) -> EventLoopFuture<Void> {
        let bound = NIOLoopBound(self, eventLoop: loop)
        timer = loop.assumeIsolated().scheduleTask(in: timeout.timeAmount) {
            self.isTooSlow = true
            self.child?.signal(SIGKILL)
        }
        supervisor.spawn(specification, on: loop) { event in bound.value.received(event) }
            .assumeIsolated()
            .whenComplete { result in
                switch result {
                case .success(let child):
                    self.child = child
                    child.closeInput()
                    if self.isTooSlow { child.signal(SIGKILL) }
                case .failure(let error):
                    self.timer?.cancel()
                    self.promise.fail(error)
                }
            }
        return promise.futureResult
    }

    private func received(_ event: ChildEvent) {
        switch event {
        case .output(let lines): for line in lines { onLine(String(buffer: line)) }
        case .outputEnded: isOutputOver = true
        case .exited(let exit, _): self.exit = exit
        case .stopped, .continued: break
        }
        guard let exit, isOutputOver else { return }
        timer?.cancel()
        if isTooSlow { return fail("took too long and was killed") }
        if exit == .code(0) { promise.succeed() } else { fail("\(exit)") }
    }

    private func fail(_ what: String) {
        promise.fail(TopologyError("\(name) \(what)", logTail: LogTail.lines(of: logPath)))
    }
}
