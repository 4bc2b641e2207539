// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// The page's own style sheet and script: all that it needs, so that the file can be kept and sent as it is.
enum PageStyle {
    static let policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"

    /// Colours as variables, once for light and once for dark; statuses differ in lightness too, for those who do not
    /// tell red from green.
    static let sheet: StaticString = """
        :root { color-scheme: light; --page: #fbfbfa; --card: #fff; --ink: #1c1e21; --quiet: #656b73; --line: #dfe2e6;
          --s2: #9bd3a5; --s3: #8fc9d9; --s4: #e6c85c; --s500: #d6453d; --s502: #8f1d1d; --s503: #ef8e3b;
          --s503u: #b8651b; --s504: #9a4fb5; --s5: #c2577f; --none: #4a4f57; --heat: #2f6fbf; --fault: #f2c94c;
          --allowed: #2f9e4426; --pass: #2a8a45; --fail: #cf2f27; --maybe: #a86a00; --mark: #3d4654; }
        :root.dark { color-scheme: dark; --page: #14171b; --card: #1c2026; --ink: #e6e8eb; --quiet: #9aa2ad;
          --line: #333a44; --s2: #3f8f57; --s3: #3d8196; --s4: #b5962c; --s500: #e5584f; --s502: #b33030;
          --s503: #e88a3a; --s503u: #a5642b; --s504: #a968c4; --s5: #c4668b; --none: #8b929c; --heat: #6aa5ee;
          --fault: #c09a2d; --allowed: #2f9e4440; --pass: #57b872; --fail: #f0675f; --maybe: #e0a63f;
            --mark: #aeb7c4; }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--page); color: var(--ink);
          font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
        header { display: flex; align-items: baseline; gap: 1rem; padding: 1rem 1.25rem;
          border-bottom: 1px solid var(--line); }
        header p { margin: 0; color: var(--quiet); flex: 1; }
        h1 { font-size: 1.25rem; margin: 0; } h2 { font-size: 1.15rem; margin: 0 0 .25rem; }
        h3 { font-size: .8rem; margin: 1.25rem 0 .5rem; color: var(--quiet); text-transform: uppercase;
          letter-spacing: .06em; }
        main { max-width: 1280px; margin: 0 auto; padding: 1rem; }
        section { background: var(--card); border: 1px solid var(--line); border-radius: 8px;
          padding: 1rem 1.25rem; margin: 0 0 1rem; }
        button { background: none; border: 1px solid var(--line); border-radius: 6px; color: var(--ink);
          font-size: 1rem;
          padding: .1rem .55rem; cursor: pointer; }
        code { background: var(--page); border: 1px solid var(--line); border-radius: 4px; padding: .1rem .35rem;
          font-size: .85em; overflow-wrap: anywhere; }
        p { margin: .35rem 0; overflow-wrap: anywhere; } a { color: var(--heat); }
        .quiet, .why { color: var(--quiet); font-size: .87rem; } .reason { color: var(--maybe); }
        .pill { color: #fff; border-radius: 99px; padding: .05rem .6rem; font-size: .8rem; font-weight: 600;
          vertical-align: 1px; white-space: nowrap; }
        .pill.pass { background: #2a8a45; } .pill.fail { background: #cf2f27; }
          .pill.inconclusive { background: #a86a00; }
        .figures { display: flex; flex-wrap: wrap; gap: .5rem 2rem; margin: .75rem 0; }
        .figures div { display: flex; flex-direction: column; }
        .figures b { font-size: 1.2rem; } .figures span { color: var(--quiet); font-size: .8rem; }
        .scroll { overflow-x: auto; }
        svg.chart { display: block; width: 100%; min-width: 820px; height: auto; }
        svg text { font-size: 11.5px; fill: var(--ink); } svg .tick, svg .label { fill: var(--quiet); }
        svg .inside { fill: #fff; font-size: 10.5px; font-weight: 600; pointer-events: none; }
        svg .mark-name { font-size: 11px; } line.mark { stroke: var(--mark); stroke-dasharray: 2 3; }
        line.grid { stroke: var(--line); } line.cursor { stroke: var(--ink); stroke-width: 1; pointer-events: none; }
        .s2 { fill: var(--s2); background: var(--s2); } .s3 { fill: var(--s3); background: var(--s3); }
        .s4 { fill: var(--s4); background: var(--s4); } .s500 { fill: var(--s500); background: var(--s500); }
        .s502 { fill: var(--s502); background: var(--s502); } .s503 { fill: var(--s503); background: var(--s503); }
        .s503u { fill: var(--s503u); background: var(--s503u); } .s504 { fill: var(--s504); background: var(--s504); }
        .s5 { fill: var(--s5); background: var(--s5); } .none { fill: var(--none); background: var(--none); }
        .healthy { fill: var(--s2); background: var(--s2); } .mostly-healthy { fill: var(--s4);
          background: var(--s4); }
        .mostly-unhealthy { fill: var(--s503); background: var(--s503); }
        .unhealthy { fill: var(--s500); background: var(--s500); }
        .down { fill: var(--none); } .fault { fill: var(--fault); } .heat { fill: var(--heat);
          background: var(--heat); }
        .allowed { fill: var(--allowed); }
        .quantile { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
        .quantile.p50 { stroke: var(--pass); } .quantile.p90 { stroke: var(--maybe); }
        .quantile.p99 { stroke: var(--fail); } .quantile.max { stroke: var(--quiet); stroke-dasharray: 3 3; }
        .quantile-swatch.p50 { background: var(--pass); } .quantile-swatch.p90 { background: var(--maybe); }
        .quantile-swatch.p99 { background: var(--fail); } .quantile-swatch.max { background: var(--quiet); }
        .legend { display: flex; flex-wrap: wrap; gap: .1rem 1rem; font-size: .82rem; margin: .1rem 0; }
        .swatch { display: inline-block; width: .75em; height: .75em; border-radius: 2px; margin-right: .4em; }
        details.verdict { border-top: 1px solid var(--line); padding: .3rem 0; }
        details.verdict > summary { display: grid; grid-template-columns: 1.2rem minmax(7rem, 13rem) 1fr 1fr;
          gap: .6rem;
          cursor: pointer; list-style: none; overflow-wrap: anywhere; }
        details.verdict > p, details.verdict > div { margin-left: 1.8rem; }
        .symbol { font-weight: 700; } .symbol.pass { color: var(--pass); } .symbol.fail { color: var(--fail); }
        .symbol.inconclusive { color: var(--maybe); } .allowed { color: var(--quiet); }
        details.table { margin: .35rem 0; } details.table summary { cursor: pointer; }
        .count { color: var(--quiet); margin-left: .5rem; font-size: .85rem; }
        table { border-collapse: collapse; font-size: .85rem; width: 100%; font-variant-numeric: tabular-nums; }
        th { text-align: left; color: var(--quiet); font-weight: 600; }
        th, td { padding: .2rem .8rem .2rem 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
        td:last-child { white-space: normal; }
        @media (max-width: 640px) {
          main { padding: .5rem; } section { padding: .75rem; }
            details.verdict > summary { grid-template-columns: 1.2rem 1fr; }
          .seen, .allowed { grid-column: 2; } details.verdict > p, details.verdict > div { margin-left: 0; }
        }
        @media print { button { display: none; } section { break-inside: avoid; } }
        """

    /// The theme (the system's, until a person chooses), the moment under the pointer, and what is there: drawings of
    /// many parts carry their figures packed, in attributes.
    static let script: StaticString = """
        (function () {
          var root = document.documentElement;
          var system = window.matchMedia("(prefers-color-scheme: dark)");
          function show(dark) { root.classList.toggle("dark", dark); }
          show(system.matches);
          system.addEventListener("change", function (event) { show(event.matches); });
          document.getElementById("theme").addEventListener("click", function () { root.classList.toggle("dark"); });
          function readable(ns) {
            var s = ns / 1e9;
            return Math.abs(s) >= 1 ? s.toFixed(3) + "s" : (ns / 1e6).toFixed(2) + "ms";
          }
          function lines(part, key) { return part ? part.dataset[key].split(";") : []; }
          function within(part, y) {
            var top = +part.dataset.top;
            return y >= top - 3 && y <= top + +part.dataset.height + 3;
          }
          // Draws a dot for each request of a stretch, and gives their places and texts.
          function draw(dots, left, width, from, to) {
            if (!dots) return [];
            var d = dots.dataset, names = d.names.split("\\n"), paths = {}, before = [0, 0, 0, 0, 0, 0];
            lines(dots, "colours").filter(Boolean).forEach(function (entry) {
              var path = document.createElementNS("http://www.w3.org/2000/svg", "path"), parts = entry.split(":");
              path.setAttribute("class", parts[1]);
              dots.append(path);
              paths[parts[0]] = { element: path, line: "" };
            });
            var requests = lines(dots, "requests").filter(Boolean).map(function (row) {
              var f = row.split(",").map(function (value, i) {
                return i === 6 ? value : i === 1 || i === 5 ? +before[i] + +value : value === "" ? before[i] : value;
              });
              before = f;
              var at = f[5] * 1e3, latency = f[6] === "" ? null : f[6] * 1e3;
              // What was never answered lies on top: it took for ever.
              var share = latency === null ? 1 : Math.log(Math.max(1, latency) / d.low) / Math.log(d.high / d.low);
              var request = {
                x: left + Math.min(1, Math.max(0, (at - from) / (to - from))) * width,
                y: +d.top + (1 - Math.min(1, Math.max(0, share))) * d.height,
                text: names[f[0]] + "-" + f[1] + " " + names[f[2]] + " " + names[f[3]] + " at " + readable(at) + ": " +
                  names[f[4]] + " after " + (latency === null ? "nothing" : readable(latency))
              };
              paths[f[4]].line += "M" + (request.x - 2.5).toFixed(1) + " " + (request.y - 2.5).toFixed(1) + "h5v5h-5z";
              return request;
            });
            Object.keys(paths).forEach(function (key) { paths[key].element.setAttribute("d", paths[key].line); });
            return requests;
          }
          // What lies at a place of a drawing; `at` runs from 0 to 1 along its time.
          function teller(svg, requests) {
            var answers = svg.querySelector("[data-slices]"), heat = svg.querySelector("[data-heat]");
            var slices = lines(answers, "slices"), cells = lines(heat, "heat");
            var sorts = answers ? answers.dataset.names.split("\\n") : [];
            return function (at, x, y) {
              if (answers && within(answers, y)) {
                var parts = (slices[Math.min(slices.length - 1, Math.floor(at * slices.length))] || "").split("/");
                var said = parts[0].split(",").map(function (n, i) { return n && n + " \\u00d7 " + sorts[i]; });
                if (parts[2]) said.push("p50 " + readable(parts[1] * 1e3), "p99 " + readable(parts[2] * 1e3));
                return said.filter(Boolean).join(", ");
              }
              if (heat && within(heat, y)) {
                var cell = cells[Math.min(cells.length - 1, Math.floor(at * cells.length))] || "0:";
                var d = heat.dataset, first = +cell.split(":")[0], counts = cell.split(":")[1].split(",");
                var step = Math.floor((+d.top + +d.height - y) / d.height * d.steps);
                var bottom = function (n) { return readable(d.low * Math.pow(d.high / d.low, n / d.steps)); };
                return +counts[step - first] ? counts[step - first] + " answers in " + bottom(step) + ".." +
                  bottom(step + 1) : "";
              }
              var near = requests.map(function (r) { return [Math.hypot(r.x - x, r.y - y), r.text]; })
                .filter(function (r) { return r[0] < 8; }).sort(function (a, b) { return a[0] - b[0]; });
              return near.length ? near[0][1] : "";
            };
          }
          document.querySelectorAll("svg.chart").forEach(function (svg) {
            var ns = "http://www.w3.org/2000/svg";
            var line = document.createElementNS(ns, "line"), text = document.createElementNS(ns, "text");
            var box = svg.viewBox.baseVal;
            var left = +svg.dataset.left, width = +svg.dataset.width, from = +svg.dataset.from, to = +svg.dataset.to;
            line.setAttribute("class", "cursor"); line.setAttribute("y1", 16); line.setAttribute("y2", box.height);
            text.setAttribute("y", 24); text.setAttribute("class", "cursor-time");
            var tell, requests = draw(svg.querySelector("[data-requests]"), left, width, from, to);
            svg.addEventListener("pointermove", function (event) {
              var bounds = svg.getBoundingClientRect();
              var x = (event.clientX - bounds.left) / bounds.width * box.width;
              if (x < left || x > left + width) { line.remove(); text.remove(); return; }
              line.setAttribute("x1", x); line.setAttribute("x2", x);
              var at = (x - left) / width, isRight = at > 0.5;
              tell = tell || teller(svg, requests);
              var what = tell(at, x, (event.clientY - bounds.top) / bounds.height * box.height);
              text.setAttribute("x", x + (isRight ? -4 : 4));
              text.setAttribute("text-anchor", isRight ? "end" : "start");
              text.textContent = readable(from + at * (to - from)) + (what ? ": " + what : "");
              svg.append(line, text);
            });
            svg.addEventListener("pointerleave", function () { line.remove(); text.remove(); });
          });
          root.dataset.ready = "yes";
        })();
        """
}
