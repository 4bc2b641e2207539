// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// What the mocks recorded, column by column, and which request of the load each record belongs to.
package struct ServedTable: Sendable {
    package private(set) var nodes = Names()
    package private(set) var methods = Names()
    package private(set) var paths = Names()
    package private(set) var times: [Int64] = []
    private var node: [UInt16] = []
    private var method: [UInt16] = []
    private var path: [Int32] = []
    private var statuses: [Int16] = []
    private var numbers: [Int32] = []
    private var connections: [Int32] = []
    private var loads = Names()
    /// The load's number and the request's number of an X-Chaos-Id; `probe` without the header, `stranger` with one
    /// that no load of ours writes.
    private var keys: [Int64] = []
    /// Row of the request in the request table, or -1.
    private var requests: [Int32] = []
    /// Linked lists: the first record of each request, the next record of the same request.
    private var firstOfRequest: [Int32] = []
    private var nextOfRequest: [Int32] = []
    private var rowsByNode: [[Int32]] = []

    private static let probe: Int64 = -1
    private static let stranger: Int64 = -2

    package var count: Int { times.count }
    package var indices: Range<Int> { 0..<times.count }

    package mutating func append(_ served: JournalEvent.Served) {
        times.append(served.at.t)
        node.append(UInt16(clamping: nodes.index(of: served.node)))
        method.append(UInt16(clamping: methods.index(of: served.method)))
        path.append(Int32(clamping: paths.index(of: served.path)))
        statuses.append(Int16(clamping: served.status))
        numbers.append(Int32(clamping: served.n))
        connections.append(Int32(clamping: served.connection ?? -1))
        keys.append(served.chaosID.map { key(ofID: $0) } ?? Self.probe)
    }

    package func node(_ row: Int) -> String { nodes[Int(node[row])] }
    package func method(_ row: Int) -> String { methods[Int(method[row])] }
    package func path(_ row: Int) -> String { paths[Int(path[row])] }
    package func status(_ row: Int) -> Int { Int(statuses[row]) }
    package func connection(_ row: Int) -> Int? { connections[row] < 0 ? nil : Int(connections[row]) }
    /// True for a request without X-Chaos-Id: a health probe.
    package func isProbe(_ row: Int) -> Bool { keys[row] == Self.probe }
    /// The row of the load's request, or nil.
    package func request(_ row: Int) -> Int? { requests[row] < 0 ? nil : Int(requests[row]) }

    /// The records of one node in the order of time.
    package func rows(of node: String) -> [Int32] { nodes.known(node).map { rowsByNode[$0] } ?? [] }

    /// The records of one request, in the order in which they were handed over.
    package func rows(ofRequest request: Int) -> [Int] {
        var rows: [Int] = []
        var next = request < firstOfRequest.count ? firstOfRequest[request] : -1
        while next >= 0 {
            rows.append(Int(next))
            next = nextOfRequest[Int(next)]
        }
        return rows
    }

    private mutating func key(ofID id: String) -> Int64 {
        guard let dash = id.utf8.lastIndex(of: UInt8(ascii: "-")), let n = Int32(id[id.index(after: dash)...]), n >= 0
        else { return Self.stranger }
        return Int64(loads.index(of: String(id[..<dash]))) << 32 | Int64(n)
    }
}

// MARK: Finishing

extension ServedTable {
    /// Sorts by time and joins the records with the requests.
    mutating func finish(joining table: RequestTable) {
        sort()
        rowsByNode = [[Int32]](repeating: [], count: nodes.all.count)
        for row in indices { rowsByNode[Int(node[row])].append(Int32(row)) }
        join(table)
    }

    private mutating func sort() {
        let order = indices.sorted { (times[$0], $0) < (times[$1], $1) }
        times = order.map { times[$0] }
        node = order.map { node[$0] }
        method = order.map { method[$0] }
        path = order.map { path[$0] }
        statuses = order.map { statuses[$0] }
        numbers = order.map { numbers[$0] }
        connections = order.map { connections[$0] }
        keys = order.map { keys[$0] }
    }

    private mutating func join(_ table: RequestTable) {
        var rows: [Int64: Int32] = [:]
        rows.reserveCapacity(table.count)
        for row in table.indices {
            guard let load = loads.known(table.loadName(row)) else { continue }
            rows[Int64(load) << 32 | Int64(table.number(row))] = Int32(row)
        }
        requests = keys.map { rows[$0] ?? -1 }
        firstOfRequest = [Int32](repeating: -1, count: table.count)
        nextOfRequest = [Int32](repeating: -1, count: count)
        for row in indices.reversed() where requests[row] >= 0 {
            nextOfRequest[row] = firstOfRequest[Int(requests[row])]
            firstOfRequest[Int(requests[row])] = Int32(row)
        }
    }
}
