// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import World

/// The plots of a bench's page.
struct BenchPlots {
    private let result: BenchResult

    init(_ result: BenchResult) { self.result = result }

    private var measured: [(index: Int, subject: BenchResult.Subject)] {
        result.subjects.enumerated().filter { $0.element.total.recorder.latency.count > 0 }.map {
            ($0.offset, $0.element)
        }
    }

    var html: String {
        guard !measured.isEmpty else { return "" }
        var html = "<h2>Latency by percentile</h2>"
        html += figure(spectrum, names, "How long the slowest part of the requests took; both scales are logarithmic.")
        html += "<h2>Latency, how often</h2>"
        for (index, subject) in measured {
            html += figure(
                histogram(subject, colour: colour(index)), [(subject.name, colour(index))], "Requests by latency.")
        }
        html += "<h2>Over time</h2>"
        html += figure(rates, names, "Requests a second. A dotted line begins a round; a red dot is a failure.")
        for (_, subject) in measured {
            let key: [(name: String, colour: Int)] = [("p50", 1), ("p99", 2), ("max", 6)]
            html += figure(latencies(subject), key, "Latency of \(subject.name).")
        }
        return html
    }

    private var names: [(name: String, colour: Int)] { measured.map { ($0.subject.name, colour($0.index)) } }
    private func colour(_ index: Int) -> Int { index % 6 + 1 }

    private func figure(_ plot: BenchPlot, _ key: [(name: String, colour: Int)], _ caption: String) -> String {
        let keys = key.map { "<i class=\"k\($0.colour)\"></i>\($0.name.htmlEscaped)" }.joined()
        return
            "<figure>\(plot.svg)<figcaption>\(caption.htmlEscaped)<span class=\"key\">\(keys)</span></figcaption>"
            + "</figure>\n"
    }

    // MARK: Percentiles

    /// One over the part that is slower: 1 at p0, 10 at p90, 100 at p99.
    private var spectrum: BenchPlot {
        let most = measured.map { Double($0.subject.total.recorder.latency.count) }.max() ?? 10
        let x = BenchAxis.logarithmic(
            from: 1, upTo: max(most, 10), start: BenchPlot.xRange.start, end: BenchPlot.xRange.end)
        let lines = measured.map { index, subject in
            let latency = subject.total.recorder.latency
            let last = Double(latency.count)
            let places = (0...120).map { x.low * raised(x.high / x.low, Double($0) / 120) }.filter { $0 <= last }
            var points: [(x: Double, y: Double)] = places.map {
                ($0, Double(latency.quantile(100 * (1 - 1 / $0)).count))
            }
            points.append((last, Double(latency.max.count)))
            return BenchPlot.Line(name: subject.name, colour: colour(index), points: points)
        }
        let y = timeAxis(lines)
        let ticks = [
            (1.0, "0"), (2, "50"), (10, "90"), (100, "99"), (1e3, "99.9"), (1e4, "99.99"), (1e5, "99.999"),
            (1e6, "99.9999"),
        ]
        var plot = BenchPlot("latency by percentile")
        plot.axes(x: x, ticks.filter { $0.0 <= x.high }.map { ($0.0, $0.1 + "%") }, y: y) { BenchText.time($0) }
        for line in lines { plot.line(line, x: x, y: y) }
        return plot
    }

    private func timeAxis(_ lines: [BenchPlot.Line]) -> BenchAxis {
        let values = lines.flatMap { $0.points.map(\.y) }.filter { $0 > 0 }
        return .logarithmic(
            from: values.min() ?? 1000, upTo: values.max() ?? 1e6, start: BenchPlot.yRange.start,
            end: BenchPlot.yRange.end)
    }

    private func histogram(_ subject: BenchResult.Subject, colour: Int) -> BenchPlot {
        let latency = subject.total.recorder.latency
        let perDecade = 20
        let bins = latency.bins(perDecade: perDecade)
        let step = raised(10, 1 / Double(perDecade))
        let first = bins.first.map { Double($0.upTo.count) / step } ?? 1000
        let x = BenchAxis.logarithmic(
            from: first, upTo: Double(latency.max.count), start: BenchPlot.xRange.start, end: BenchPlot.xRange.end)
        let most = bins.map(\.count).max() ?? 1
        let y = BenchAxis.linear(upTo: Double(most), start: BenchPlot.yRange.start, end: BenchPlot.yRange.end)
        var plot = BenchPlot("latencies of \(subject.name), how often")
        plot.axes(x: x, x.ticks.map { ($0, BenchText.time($0)) }, y: y) { BenchText.count(Int($0)) }
        for bin in bins where bin.count > 0 {
            let end = Double(bin.upTo.count)
            let share = BenchText.percent(Double(bin.count) / Double(max(1, latency.count)))
            plot.bar(
                from: end / step, to: end, height: Double(bin.count), colour: colour,
                text: "up to \(BenchText.time(bin.upTo)): \(BenchText.count(bin.count)) (\(share))", x: x, y: y)
        }
        return plot
    }

    private func raised(_ base: Double, _ exponent: Double) -> Double { power(base, exponent) }

    // MARK: Over time

    private struct Moment {
        /// Seconds.
        var time: Double
        var point: BenchSeries.Point
        /// Its interval lies in the window. The one behind it has only what was still under way, and says nothing
        /// about a rate.
        var isWhole: Bool
    }

    /// The rounds of a subject one behind the other: seconds of measuring, as if nothing had been between them.
    private func timeline(_ subject: BenchResult.Subject) -> (points: [Moment], starts: [Double]) {
        var points: [Moment] = []
        var starts: [Double] = []
        var offset = 0.0
        for (series, round) in zip(subject.series, subject.rounds) {
            starts.append(offset)
            for point in series {
                let isWhole = point.start + subject.interval <= round.length || series.count == 1
                points.append(
                    Moment(time: offset + point.start.inSeconds, point: point, isWhole: isWhole))
            }
            offset += Double(series.count) * subject.interval.inSeconds
        }
        return (points, starts)
    }

    private func seconds(_ subjects: [BenchResult.Subject]) -> BenchAxis {
        let most =
            subjects.map { subject in
                subject.series.reduce(0.0) { $0 + Double($1.count) * subject.interval.inSeconds }
            }.max() ?? 1
        return .init(
            low: 0, high: max(most, 0.001), isLogarithmic: false, start: BenchPlot.xRange.start,
            end: BenchPlot.xRange.end)
    }

    private func secondTicks(_ axis: BenchAxis) -> [(value: Double, text: String)] {
        axis.ticks.filter { $0 <= axis.high * 1.001 }.map { ($0, BenchText.time($0 * 1e9)) }
    }

    private var rates: BenchPlot {
        let x = seconds(measured.map(\.subject))
        let lines = measured.map { index, subject in
            BenchPlot.Line(
                name: subject.name, colour: colour(index),
                points: timeline(subject).points.filter(\.isWhole).map {
                    ($0.time, Double($0.point.count - $0.point.failures) / subject.interval.inSeconds)
                })
        }
        let y = BenchAxis.linear(
            upTo: lines.flatMap { $0.points.map(\.y) }.max() ?? 1, start: BenchPlot.yRange.start,
            end: BenchPlot.yRange.end)
        var plot = BenchPlot("requests a second over time")
        plot.axes(x: x, secondTicks(x), y: y) { BenchText.rate($0) }
        marks(&plot, x: x)
        for line in lines { plot.line(line, x: x, y: y) }
        return plot
    }

    private func marks(_ plot: inout BenchPlot, x: BenchAxis) {
        if let first = measured.first?.subject {
            for (index, start) in timeline(first).starts.enumerated().dropFirst() {
                plot.mark(at: start, text: "round \(index + 1)", isFailure: false, x: x)
            }
        }
        for (_, subject) in measured {
            for moment in timeline(subject).points where moment.point.failures > 0 {
                let text = "\(subject.name): \(moment.point.failures) failures"
                plot.mark(at: moment.time, text: text, isFailure: true, x: x)
            }
        }
    }

    private func latencies(_ subject: BenchResult.Subject) -> BenchPlot {
        let x = seconds([subject])
        let points = timeline(subject).points.filter { $0.point.max > .zero }
        let lines = [
            BenchPlot.Line(
                name: "max", colour: 6, points: points.map { ($0.time, Double($0.point.max.count)) }, isDashed: true),
            BenchPlot.Line(name: "p99", colour: 2, points: points.map { ($0.time, Double($0.point.p99.count)) }),
            BenchPlot.Line(name: "p50", colour: 1, points: points.map { ($0.time, Double($0.point.p50.count)) }),
        ]
        let y = timeAxis(lines)
        var plot = BenchPlot("latency of \(subject.name) over time")
        plot.axes(x: x, secondTicks(x), y: y) { BenchText.time($0) }
        for (index, start) in timeline(subject).starts.enumerated().dropFirst() {
            plot.mark(at: start, text: "round \(index + 1)", isFailure: false, x: x)
        }
        for line in lines { plot.line(line, x: x, y: y) }
        return plot
    }
}
