// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

extension Step.Action {
    /// What it does, in one phrase for journals and live lines: `mock api: ERROR_RATE 0.9`.
    package var phrase: String {
        switch self {
        case .checkpoint: "checkpoint"
        case .set(let mock, let settings):
            "mock \(mock): "
                + settings.map { "\($0.name) \($0.value.stringValue ?? $0.value.description)" }
                .joined(separator: ", ")
        case .fault(let fault): "link \(fault.link): \(fault.phrase)"
        case .names(let fault): "dns \(fault.name): \(fault.phrase)"
        case .stress(let spec): "stress \(spec.node): \(spec.phrase)"
        case .kill(let node): "kill \(node)"
        case .pause(let node): "pause \(node)"
        case .resume(let node): "resume \(node)"
        case .start(let node): "start \(node)"
        case .restart(let node, _): "restart \(node)"
        case .stop(let node, _): "stop \(node)"
        case .signal(let node, let name): "signal \(name) to \(node)"
        case .configure(let gateway, let change):
            "\(change.kind.isPatch ? "patch" : "config") \(gateway): \(change.label)"
        case .health(let target, let state): "health \(target.name): set \(state.rawValue)"
        case .run(let program, _): "exec \(program.shown)"
        }
    }

    /// Steps on one subject are done one after the other, in order.
    var subject: String {
        switch self {
        case .checkpoint: ""
        case .set(let node, _), .kill(let node), .pause(let node), .resume(let node), .start(let node),
            .restart(let node, _), .stop(let node, _), .signal(let node, _):
            node
        case .configure(let gateway, _): gateway
        case .health(let target, _): target.gateway
        case .run(let program, _): program.path
        case .fault(let fault): fault.link
        case .stress(let spec): "stress \(spec.node)"
        case .names(let fault): "dns \(fault.name)"
        }
    }
}
