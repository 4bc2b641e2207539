import NIOCore
import World
final class Balancer {
    let targets: TargetSet
    var at = 0
    init(_ targets: TargetSet, random: RandomStreams) { self.targets = targets }
    func pick(tried: [Peer], hash: UInt32?) -> TargetAddress? {
        guard targets.isHealthy else { return nil }
        for _ in targets.addresses { at += 1; let a = targets.addresses[at % targets.addresses.count]; if a.isAvailable { return a } }
        return nil
    }
}
struct Prober {
    let loop: any EventLoop
    init(world: World, loop: any EventLoop) { self.loop = loop }
    func probe(_ r: ProbeRequest) -> EventLoopFuture<ProbeAnswer> { loop.makePromise(of: ProbeAnswer.self).futureResult }
}
