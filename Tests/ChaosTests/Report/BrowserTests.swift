// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chaos

/// Opens the page in a headless browser: its script must run, and it must fit a phone.
@Suite struct BrowserTests {
    private static let browser: String? = {
        let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        return names.lazy.flatMap { name in folders.map { "\($0)/\(name)" } }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }()

    /// Measures at the end of the page, into attributes that the dumped document shows.
    private static let probe = """
        <script>
        window.addEventListener("load", function () {
          var root = document.documentElement;
          root.dataset.overflow = root.scrollWidth - root.clientWidth;
          root.dataset.charts = document.querySelectorAll("svg.chart").length;
          var shown = "details.verdict[open] svg.chart, .part > .scroll svg.chart";
          root.dataset.drawn = Array.from(document.querySelectorAll(shown))
            .every(function (svg) { return svg.getBoundingClientRect().height > 60; });
          // Where the outage is, one after the other: on its answers, on a cell of the heat map, on a request.
          function told(svg, part, place) {
            if (!svg || !part) return "nothing";
            var bounds = svg.getBoundingClientRect(), box = svg.viewBox.baseVal;
            var x = place[0] / box.width * bounds.width, y = place[1] / box.height * bounds.height;
            svg.dispatchEvent(new PointerEvent("pointermove",
              { clientX: bounds.left + x, clientY: bounds.top + y }));
            return svg.querySelector(".cursor-time").textContent;
          }
          function first(path) { return path.getAttribute("d").slice(1).split(/[ hz]/).map(Number); }
          var answers = document.querySelector("[data-slices]"), heat = document.querySelector("[data-heat]");
          var bar = first(answers.querySelector(".s503"));
          root.dataset.answers = told(answers.ownerSVGElement, answers, [bar[0] + 2, bar[1] + 2]);
          var cell = first(heat.querySelector("path")), d = heat.dataset;
          root.dataset.heat = told(heat.ownerSVGElement, heat, [
            +heat.ownerSVGElement.dataset.left + (cell[0] + 0.5) * 5,
            +d.top + +d.height - (cell[1] + 0.5) * d.height / d.steps]);
          var dots = document.querySelector("details[open] [data-requests]");
          var dot = first(dots.querySelector("path"));
          root.dataset.request = told(dots.ownerSVGElement, dots, [dot[0] + 2.5, dot[1] + 2.5]);
          document.getElementById("theme").click();
          root.dataset.theme = root.classList.contains("dark") ? "dark" : "light";
        });
        </script>
        """

    @Test(.enabled(if: browser != nil, "no chromium on the PATH"), .timeLimit(.minutes(2)), arguments: [1280, 390])
    func `the page works in a browser`(width: Int) throws {
        let browser = try #require(Self.browser)
        let folder = FileManager.default.temporaryDirectory.appending(path: "gatecrash-page-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let walk = WalkThrough(recoversAt: 5)
        let page = HTMLReport([RunReport(view: walk.played.view, verdict: walk.verdict)]).text
        let file = folder.appending(path: "report.html")
        try page.replacing("</body>", with: Self.probe + "</body>").write(to: file, atomically: true, encoding: .utf8)

        let process = Process()
        process.executableURL = URL(filePath: browser)
        process.arguments = [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--user-data-dir=\(folder.appending(path: "profile").path)", "--window-size=\(width),900",
            "--virtual-time-budget=5000", "--dump-dom", file.absoluteString,
        ]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let document = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()

        let root = document.prefix { $0 != ">" } + document.dropFirst(15).prefix { $0 != ">" }
        #expect(root.contains("data-ready=\"yes\""), "the page's script did not run to its end: \(root)")
        #expect(root.contains("data-drawn=\"true\""))
        #expect(root.contains("data-overflow=\"0\""), "the page is wider than its window: \(root)")
        #expect(root.contains("data-theme=\"dark\""))
        let time = "[0-9.]+m?s"
        for told in [
            "data-answers=\"10\\.\\d+s: [^\"]*\\d+ × 503 from gateway, p50 ",
            "data-heat=\"\(time): \\d+ answers in \(time)\\.\\.",
            "data-request=\"\(time): users-\\d+ GET /orders/1 at \(time): \\d+ from \\w+ after \(time)\"",
        ] {
            #expect(root.range(of: told, options: .regularExpression) != nil, "\(told) in \(root)")
        }
        #expect(document.contains("503 from gateway: 10.06s.."))
        #expect(document.contains("api:8080 unhealthy, 10.04s.."))
        for verdict in walk.verdict.verdicts { #expect(document.contains("id=\"run-0-\(verdict.id)\"")) }
    }
}
