// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import DNS
import NIOCore

// What the scenario's names mean to one gateway: its own links are the way to the mocks.
extension ProcessTopology {
    func zone(for gateway: String) -> NameZone {
        var zone = NameZone()
        for host in topology.names {
            guard let name = DomainName(host.name) else { continue }
            zone.set(entry(host.answer, of: name, ttl: Self.seconds(host.ttl), gateway: gateway), for: name)
        }
        return zone
    }

    /// Puts a fault on the name servers.
    func change(_ fault: NameFault, name step: String) {
        guard let name = DomainName(fault.name) else { return }
        let host = topology.names.first { $0.name == fault.name }
        let ttl = Self.seconds(fault.ttl ?? host?.ttl ?? NamedHost.defaultTTL)
        for (gateway, server) in nameServers {
            if let failure = fault.failure { server.zone.install(failure.zoneFault, on: name, id: step) }
            if let answer = fault.answer {
                let entry = entry(answer, of: name, ttl: ttl, gateway: gateway)
                server.zone.install(.entry(entry), on: name, id: step)
            } else if fault.ttl != nil {
                server.zone.install(.lifetime(ttl), on: name, id: step)
            }
            if fault.delay > .zero { server.zone.install(.delay(fault.delay.timeAmount), on: name, id: step) }
            if let copies = fault.copies { server.zone.install(.copies(copies), on: name, id: step) }
            if let hold = fault.hold { server.zone.install(.hold(hold.timeAmount), on: name, id: step) }
        }
    }

    private func entry(_ answer: HostAnswer, of name: DomainName, ttl: UInt32, gateway: String) -> NameZone.Entry {
        switch answer {
        case .addresses(let places):
            return .init(
                places.compactMap { place in
                    address(of: place, gateway: gateway).flatMap { DNSRecord(name, ttl: ttl, address: $0) }
                })
        case .alias(let target):
            return .init(DomainName(target).map { [DNSRecord(name, ttl: ttl, .cname($0))] } ?? [])
        case .services(let services):
            return .init(
                services.enumerated().flatMap { place, service in
                    records(service, number: place + 1, of: name, ttl: ttl, gateway: gateway)
                })
        }
    }

    /// An SRV record and the address of the host it names, which is made up: `1.orders.internal`.
    private func records(
        _ service: HostAnswer.Service, number: Int, of name: DomainName, ttl: UInt32, gateway: String
    ) -> [DNSRecord] {
        guard let address = address(of: service.place, gateway: gateway),
            let target = DomainName(labels: [Array("\(number)".utf8)] + name.labels),
            let host = DNSRecord(target, ttl: ttl, address: address)
        else { return [] }
        let port = service.port ?? address.port ?? 0
        let data = DNSRecord.Data.srv(
            priority: UInt16(clamping: service.priority), weight: UInt16(clamping: service.weight),
            port: UInt16(clamping: port), target: target)
        return [DNSRecord(name, ttl: ttl, data), host]
    }

    private func address(of place: HostPlace, gateway: String) -> SocketAddress? {
        switch place {
        case .address(let text): try? SocketAddress(ipAddress: text, port: 0)
        case .mock(let mock):
            topology.links.first { $0.from == gateway && $0.to == mock }.flatMap { links[$0.id]?.address }
        }
    }

    /// Records count whole seconds.
    private static func seconds(_ duration: Nanoseconds) -> UInt32 {
        UInt32(clamping: (duration.count + 999_999_999) / 1_000_000_000)
    }
}

extension NameFault.Failure {
    fileprivate var zoneFault: NameZone.Fault {
        switch self {
        case .nxdomain: .code(.nameError)
        case .servfail: .code(.serverFailure)
        case .timeout: .silence
        case .refuse: .code(.refused)
        }
    }
}
