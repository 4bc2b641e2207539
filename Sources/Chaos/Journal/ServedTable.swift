// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// What the mocks recorded, column by column, and which request of the load each record belongs to: 33 bytes a record.
package struct ServedTable: Sendable {
    package private(set) var nodes = Names()
    package private(set) var methods = Names()
    private var paths = TextPool()
    package private(set) var times = Column<Int64>()
    private var node = Column<UInt16>()
    private var method = Column<UInt8>()
    private var path = Column<Int32>()
    private var statuses = Column<Int16>()
    private var connections = Column<Int32>()
    private var loads = Names()
    /// Until they are joined: the load's and the request's number of an X-Chaos-Id; the load is `probe` without the
    /// header, `stranger` with one that no load of ours writes.
    private var keys = Column<ServedKey>()
    /// Row of the request in the request table, or `stranger`, or `probe`.
    private var requests = Column<Int32>()
    /// Linked lists: the first record of each request, the next record of the same request.
    private var firstOfRequest = Column<Int32>()
    private var nextOfRequest = Column<Int32>()
    private var rowsByNode: [RowList] = []

    package var count: Int { times.count }
    package var indices: Range<Int> { 0..<times.count }

    package mutating func append(_ served: JournalEvent.Served) {
        times.append(served.at.t)
        node.append(UInt16(clamping: nodes.index(of: served.node)))
        method.append(UInt8(clamping: methods.index(of: served.method)))
        path.append(paths.number(of: served.path))
        statuses.append(Int16(clamping: served.status))
        connections.append(Int32(clamping: served.connection ?? -1))
        keys.append(served.chaosID.map { key(ofID: $0) } ?? ServedKey(load: ServedKey.probe))
    }

    /// What the rows take of the memory, bytes, without the lists of several nodes.
    package var size: Int {
        let small = node.size + method.size + statuses.size
        let joined = keys.size + requests.size + firstOfRequest.size + nextOfRequest.size
        return small + joined + times.size + path.size + connections.size + paths.size
    }

    package func node(_ row: Int) -> String { nodes[Int(node[row])] }
    package func method(_ row: Int) -> String { methods[Int(method[row])] }
    package func path(_ row: Int) -> String { paths[path[row]] }
    package func status(_ row: Int) -> Int { Int(statuses[row]) }
    package func connection(_ row: Int) -> Int? { connections[row] < 0 ? nil : Int(connections[row]) }
    /// True for a request without X-Chaos-Id: a health probe.
    package func isProbe(_ row: Int) -> Bool { requests[row] == Int32(ServedKey.probe) }
    /// The row of the load's request, or nil.
    package func request(_ row: Int) -> Int? { requests[row] < 0 ? nil : Int(requests[row]) }

    /// The records of one node in the order of time.
    package func rows(of node: String) -> RowList { nodes.known(node).map { rowsByNode[$0] } ?? RowList(0..<0) }

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

    /// The number of records of one request, without a list of them.
    package func count(ofRequest request: Int) -> Int {
        var count = 0
        var next = request < firstOfRequest.count ? firstOfRequest[request] : -1
        while next >= 0 {
            count += 1
            next = nextOfRequest[Int(next)]
        }
        return count
    }

    /// Whether a mock answered a request with this status.
    func hasRecord(ofRequest request: Int, status: Int) -> Bool {
        var next = request < firstOfRequest.count ? firstOfRequest[request] : -1
        while next >= 0 {
            if self.status(Int(next)) == status { return true }
            next = nextOfRequest[Int(next)]
        }
        return false
    }

    private mutating func key(ofID id: String) -> ServedKey {
        guard let dash = id.utf8.lastIndex(of: UInt8(ascii: "-")), let n = Int32(id[id.index(after: dash)...]), n >= 0,
            let load = Int16(exactly: loads.index(of: String(id[..<dash])))
        else { return ServedKey(load: ServedKey.stranger) }
        return ServedKey(load: load, number: n)
    }
}

private struct ServedKey: Sendable {
    static let stranger: Int16 = -1
    static let probe: Int16 = -2

    var load: Int16
    var number: Int32 = 0
}

// MARK: Finishing

extension ServedTable {
    /// Sorts by time and joins the records with the requests.
    mutating func finish(joining table: RequestTable) {
        sort()
        if nodes.all.count == 1 {
            rowsByNode = [RowList(indices)]
        } else {
            var rows = nodes.all.map { _ in Column<Int32>() }
            for row in indices { rows[Int(node[row])].append(Int32(row)) }
            rowsByNode = rows.map { RowList($0) }
        }
        join(table)
    }

    private mutating func sort() {
        guard indices.dropFirst().contains(where: { times[$0] < times[$0 - 1] }) else { return }
        var order = (0..<Int32(count)).map { $0 }
        order.sort { (times[Int($0)], $0) < (times[Int($1)], $1) }
        times = times.permuted(by: order)
        node = node.permuted(by: order)
        method = method.permuted(by: order)
        path = path.permuted(by: order)
        statuses = statuses.permuted(by: order)
        connections = connections.permuted(by: order)
        keys = keys.permuted(by: order)
    }

    private mutating func join(_ table: RequestTable) {
        let rows = RequestRows(table, loads: loads)
        requests = Column()
        for key in keys {
            requests.append(key.load < 0 ? Int32(key.load) : rows.row(load: Int(key.load), number: key.number))
        }
        keys = Column()
        firstOfRequest = Column(repeating: -1, count: table.count)
        nextOfRequest = Column(repeating: -1, count: count)
        for row in indices.reversed() where requests[row] >= 0 {
            nextOfRequest[row] = firstOfRequest[Int(requests[row])]
            firstOfRequest[Int(requests[row])] = Int32(row)
        }
    }
}

/// The row of each request by load and number. Numbers of a load count from 1 without gaps, as a rule, so this is an
/// array; a journal whose numbers are far apart gets a dictionary.
private struct RequestRows {
    private var dense: [[Int32]]
    private var sparse: [Int64: Int32] = [:]

    /// - Parameter loads: numbers the loads as the records do.
    init(_ table: RequestTable, loads: Names) {
        dense = loads.all.map { _ in [] }
        let known = table.loads.all.map { loads.known($0) }
        // Later rows win, as in a dictionary that is filled in order.
        for row in table.indices {
            guard let load = known[table.loadIndex(row)] else { continue }
            let number = table.number(row)
            if (0..<2 * table.count + 1_024).contains(number) {
                if dense[load].count <= number {
                    dense[load] += [Int32](repeating: -1, count: number + 1 - dense[load].count)
                }
                dense[load][number] = Int32(row)
            } else {
                sparse[Int64(load) << 32 | Int64(number)] = Int32(row)
            }
        }
    }

    /// -1 when there is none.
    func row(load: Int, number: Int32) -> Int32 {
        if number < dense[load].count, dense[load][Int(number)] >= 0 { return dense[load][Int(number)] }
        return sparse[Int64(load) << 32 | Int64(number)] ?? -1
    }
}
