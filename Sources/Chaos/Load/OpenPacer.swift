// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import World

/// The planned starts of an open loop, one after the other: whatever the answers do, request n starts at its time.
///
///     even       the n-th request starts where N(t), the integral of the rate over all stages, reaches n (from 0)
///     poisson    the same with n replaced by the n-th arrival of a Poisson process of rate 1
///
/// A stage takes over the part of a request that the stage before it has left, so a row of stages of one rate is the
/// same as one long stage. Bursts stand between stages and leave that part alone.
package struct OpenPacer: Sendable {
    private enum Piece: Sendable {
        case paced(StagePace, length: Nanoseconds)
        case burst(size: Int, period: Nanoseconds, length: Nanoseconds)

        var length: Nanoseconds {
            switch self {
            case .paced(_, let length), .burst(_, _, let length): length
            }
        }
    }

    private let pieces: [Piece]
    private let isPoisson: Bool
    private var random: RandomStream
    private var piece = 0
    /// Of the piece, from the start of the load.
    private var pieceStart = Nanoseconds.zero
    /// Where the next request stands on the piece's axis of requests.
    private var next: RequestCount
    private var burst = (index: 0, sent: 0)

    /// - Parameter random: draws the arrivals when they are `poisson`.
    package init(stages: [LoadSpec.Stage], arrivals: LoadSpec.Arrivals, random: RandomStream) {
        pieces = stages.map { stage in
            switch stage {
            case .rate(let from, let to, let length):
                .paced(StagePace(from: from, to: to, length: length), length: length)
            case .burst(let size, let period, let length): .burst(size: size, period: period, length: length)
            }
        }
        isPoisson = arrivals == .poisson
        self.random = random
        next = RequestCount(0)
        if isPoisson { next = RequestCount(0, self.random.exponential(mean: 1)) }
    }

    /// The planned start of the next request, from the start of the load and never before the one before it; nil when
    /// there is none left.
    package mutating func nextStart() -> Nanoseconds? {
        while piece < pieces.count {
            switch pieces[piece] {
            case .paced(let pace, let length):
                if let time = pace.time(of: next), time < length.count {
                    next = next + (isPoisson ? RequestCount(0, random.exponential(mean: 1)) : RequestCount(1))
                    return pieceStart + Nanoseconds(time)
                }
                next = Self.rest(of: next, after: pace.total(in: length))
            case .burst(let size, let period, let length):
                if burst.sent == size { burst = (burst.index + 1, 0) }
                let start = period * Int64(burst.index)
                if size > 0, start < length, burst.index == 0 || period > .zero {
                    burst.sent += 1
                    return pieceStart + start
                }
                burst = (0, 0)
            }
            pieceStart += pieces[piece].length
            piece += 1
        }
        return nil
    }

    /// A request that rounding has put a hair before the stage's end starts at the beginning of the next one.
    private static func rest(of next: RequestCount, after total: RequestCount) -> RequestCount {
        let rest = next - total
        return rest.whole < 0 ? RequestCount(0) : rest
    }
}
