// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What a process waited for a core since the last look.
package struct NodeWait: Hashable, Sendable {
    /// Nil for the runner itself.
    package var node: String?
    /// Of the thread that waited longest; of two of them in the runner, where a request passes the thread of its load
    /// and that of the links. Nanoseconds.
    package var waited: Int64

    package init(node: String?, waited: Int64) {
        self.node = node
        self.waited = waited
    }
}

/// How long threads could have run and did not, because others had the cores: the second number of
/// `/proc/PID/task/TID/schedstat`, in nanoseconds (Linux, Documentation/scheduler/sched-stats.rst). Systems without it
/// say nothing.
///
/// The files stay open: a look costs one `pread` a thread. Confined to its owner.
final class RunQueueMeter {
    /// Threads of a process beyond these are not looked at.
    private static let mostThreads = 64
    /// New threads are looked for with every so many looks.
    private static let rescanInterval = 20

    private struct Thread {
        var descriptor: CInt
        var waited: Int64
    }

    private struct Watched {
        var pid: Int32
        var threads: [String: Thread] = [:]
    }

    private var processes: [String?: Watched] = [:]
    private var looks = 0

    deinit { for watched in processes.values { Self.close(watched) } }

    /// - Parameter running: the nodes that run; nil is this process.
    /// - Returns: what each has waited since it was looked at last. A process that is new has waited for nothing.
    func look(at running: [(node: String?, pid: Int32)]) -> [NodeWait] {
        defer { looks += 1 }
        forget(except: running)
        return running.map { node, pid in
            var watched = processes[node] ?? Watched(pid: pid)
            let isNew = processes[node] == nil
            var waits: [Int64] = []
            for (name, thread) in watched.threads {
                guard let now = Self.waited(thread.descriptor) else {
                    _ = closeDescriptor(thread.descriptor)
                    watched.threads[name] = nil
                    continue
                }
                waits.append(now - thread.waited)
                watched.threads[name]?.waited = now
            }
            if isNew || looks % Self.rescanInterval == 0 { Self.findThreads(of: &watched) }
            processes[node] = watched
            return NodeWait(node: node, waited: waits.sorted(by: >).prefix(node == nil ? 2 : 1).reduce(0, +))
        }
    }

    /// Those that are gone, or have become others under the same name.
    private func forget(except running: [(node: String?, pid: Int32)]) {
        for (node, watched) in processes where !running.contains(where: { $0.node == node && $0.pid == watched.pid }) {
            Self.close(watched)
            processes[node] = nil
        }
    }

    private static func close(_ watched: Watched) {
        for thread in watched.threads.values { _ = closeDescriptor(thread.descriptor) }
    }

    private static func findThreads(of watched: inout Watched) {
        let folder = "/proc/\(watched.pid)/task"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in names where watched.threads[name] == nil && watched.threads.count < mostThreads {
            let descriptor = open("\(folder)/\(name)/schedstat", O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { continue }
            if let waited = waited(descriptor) {
                watched.threads[name] = Thread(descriptor: descriptor, waited: waited)
            } else {
                _ = closeDescriptor(descriptor)
            }
        }
    }

    /// The second of three numbers: time on a core, time waiting for one, turns.
    private static func waited(_ descriptor: CInt) -> Int64? {
        withUnsafeTemporaryAllocation(byteCount: 96, alignment: 1) { buffer in
            let count = pread(descriptor, buffer.baseAddress, buffer.count, 0)
            guard count > 0 else { return nil }
            let fields = UnsafeRawBufferPointer(rebasing: buffer[..<count]).split(separator: UInt8(ascii: " "))
            return fields.count == 3 ? Int64(String(decoding: fields[1], as: UTF8.self)) : nil
        }
    }
}

/// `close(2)`, where a method of that name hides it.
private func closeDescriptor(_ descriptor: CInt) -> CInt { close(descriptor) }
