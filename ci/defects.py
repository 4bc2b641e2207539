# This file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0
"""What ci/defects runs. Arguments: a gatecrash that was built with defects, names of scenarios, options."""
import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile

TABLE = pathlib.Path("Tests/Scenarios/defects.tsv")
FILES = pathlib.Path("Tests/Scenarios/files")
# A run that came to no verdict, because the machine was too slow to tell, is repeated with fewer beside it.
REPETITIONS = (2, 1)
# The longest scenario takes 45 s; two cells of it run one after the other.
TIME_LIMIT = 300


class Row:
    """With this defect this scenario must fail at all of these expectations. Without a defect it must pass: else it
    would prove nothing that it fails with one."""

    def __init__(self, scenario, defect=None, expected=()):
        self.scenario, self.defect, self.expected = scenario, defect, list(expected)

    @property
    def file(self):
        return FILES / f"{self.scenario}.yml"

    def __str__(self):
        return f"{self.scenario} with {self.defect}" if self.defect else f"{self.scenario} as it is"


class Outcome:
    """What a run came to. `word` is found, missed (an expectation of the table passed), survived (all passed), passes
    (without a defect), inconclusive (the machine was too slow to tell), skipped, or what went wrong."""

    def __init__(self, row, word, failed=(), sentence="", reasons=(), elsewhere=()):
        self.row, self.word, self.failed, self.sentence = row, word, list(failed), sentence
        self.reasons, self.elsewhere = list(reasons), list(elsewhere)

    @property
    def is_good(self):
        return self.word in ("found", "passes", "skipped")


def rows():
    table = []
    for number, line in enumerate(TABLE.read_text().splitlines(), 1):
        if line and not line.startswith("#"):
            fields = line.split("\t")
            if len(fields) != 3:
                sys.exit(f"error: {TABLE}:{number}: {len(fields)} fields; write scenario, defect, expectations")
            table.append(Row(fields[0], fields[1], fields[2].split(",")))
    return table


def judged(row, document):
    runs = document["runs"]
    if {run["result"] for run in runs} == {"skipped"}:
        return Outcome(row, "skipped", sentence="; ".join(runs[0]["reasons"]))
    verdicts = [verdict for run in runs for verdict in run["verdicts"]]
    failed = [verdict for verdict in verdicts if verdict["result"] == "fail"]
    ids = list(dict.fromkeys(verdict["id"] for verdict in failed))
    undecided = {verdict["id"] for verdict in verdicts if verdict["result"] == "inconclusive"}
    # All expectations that the table names, so that none of them goes blind.
    missing = [name for name in row.expected if name not in ids]
    if row.defect is None:
        word = "passes" if document["result"] == "pass" else document["result"]
    elif missing:
        word = "missed" if failed else document["result"]
        if document["result"] == "pass":
            word = "survived"
        elif undecided.intersection(missing):
            word = "inconclusive"
    else:
        word = "found"
    shown = [name for name in row.expected if name in ids]
    elsewhere = [name for name in ids if name not in row.expected]
    told = shown or elsewhere
    first = next((verdict for verdict in failed if verdict["id"] == told[0]), None) if told else None
    sentence, reasons = (first["sentence"], first["reasons"]) if first else ("", [])
    return Outcome(row, word, shown, sentence, reasons, elsewhere)


def run_once(program, row, folder, name):
    report = folder / f"{name}.json"
    environment = dict(os.environ, GATECRASH_DEFECT=row.defect or "")
    command = [program, "run", str(row.file), "--quiet", "--json", str(report)]
    with open(folder / f"{name}.log", "w") as log:
        try:
            subprocess.run(command, env=environment, stdout=log, stderr=log, timeout=TIME_LIMIT, check=False)
        except subprocess.TimeoutExpired:
            return Outcome(row, f"did not end within {TIME_LIMIT} s")
    if not report.exists():
        lines = (folder / f"{name}.log").read_text().strip().splitlines()
        return Outcome(row, "no report", sentence=lines[-1] if lines else "")
    return judged(row, json.loads(report.read_text()))


def run_all(program, picked, jobs, folder):
    """The outcome of every row, in their order. Says what each came to as soon as it is known."""
    outcomes = {}
    width = max((len(str(row)) for row in picked), default=0)

    def attempt(row, number):
        outcome = run_once(program, row, folder, f"{row.scenario}-{row.defect or 'none'}-{number}")
        print(f"{str(row):{width}}  {outcome.word}  {', '.join(outcome.failed) or outcome.sentence}", flush=True)
        outcomes[row] = outcome

    left = picked
    for number, at_once in enumerate((jobs, *REPETITIONS), 1):
        with concurrent.futures.ThreadPoolExecutor(max(1, min(jobs, at_once))) as pool:
            for future in [pool.submit(attempt, row, number) for row in left]:
                future.result()
        left = [row for row in left if outcomes[row].word == "inconclusive"]
        if left and number <= len(REPETITIONS):
            print(f"{len(left)} again, {min(jobs, REPETITIONS[number - 1])} at once", flush=True)
    return [outcomes[row] for row in picked]


def markdown(outcomes):
    lines = ["| scenario | defect | found by | what it says |", "|---|---|---|---|"]
    for outcome in outcomes:
        if outcome.row.defect is None:
            continue
        found = ", ".join(f"`{name}`" for name in outcome.failed) or outcome.word
        sentence = outcome.sentence.replace("|", "\\|").replace("\n", " ")
        lines.append(f"| {outcome.row.scenario} | {outcome.row.defect} | {found} | {sentence} |")
    return "\n".join(lines) + "\n"


def arguments():
    parser = argparse.ArgumentParser(
        prog="ci/defects", allow_abbrev=False,
        description="Runs scenarios as they are and with the defects that they must find. --skip-build takes the last "
                    "build.")
    parser.add_argument("scenarios", nargs="*", help="names of scenario files, without .yml")
    parser.add_argument("--defect", action="append", default=[], help="only this defect")
    parser.add_argument("--no-control", action="store_true", help="spares the runs without a defect")
    parser.add_argument("--jobs", type=int, default=4, help="runs at once")
    parser.add_argument("--markdown", metavar="FILE", help="writes the table")
    parser.add_argument("--logs", metavar="FOLDER", help="keeps the output and the results of every run")
    return parser.parse_args(sys.argv[2:])


def chosen(table, options):
    names = {scenario.removesuffix(".yml") for scenario in options.scenarios}
    for unknown in sorted(names - {row.scenario for row in table}):
        sys.exit(f"error: {TABLE} has no scenario {unknown}")
    for unknown in sorted(set(options.defect) - {row.defect for row in table}):
        sys.exit(f"error: {TABLE} has no defect {unknown}")
    return [
        row for row in table
        if (not names or row.scenario in names) and (not options.defect or row.defect in options.defect)
    ]


def main():
    options = arguments()
    picked = chosen(rows(), options)
    if not options.no_control:
        picked = [Row(scenario) for scenario in dict.fromkeys(row.scenario for row in picked)] + picked
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(options.logs or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        outcomes = run_all(sys.argv[1], picked, options.jobs, folder)

    print()
    for outcome in outcomes:
        if outcome.word == "passes":
            continue
        print(f"{outcome.row}: {outcome.word}")
        if outcome.failed or outcome.elsewhere:
            print(f"    {', '.join(outcome.failed)}"
                  + (f" (and {', '.join(outcome.elsewhere)})" if outcome.elsewhere else ""))
        for sentence in [outcome.sentence, *outcome.reasons[:1]]:
            if sentence:
                print(f"    {sentence}")
        if outcome.word == "missed":
            lost = [name for name in outcome.row.expected if name not in outcome.failed]
            print(f"    did not fail: {', '.join(lost)}")
    if options.markdown:
        pathlib.Path(options.markdown).write_text(markdown(outcomes))
    bad = [outcome for outcome in outcomes if not outcome.is_good]
    found = sum(outcome.word == "found" for outcome in outcomes)
    skipped = sum(outcome.word == "skipped" and outcome.row.defect is not None for outcome in outcomes)
    controls = sum(outcome.word == "passes" for outcome in outcomes)
    missed = sum(outcome.row.defect is not None for outcome in bad)
    print(f"\ndefects: {found} found, {missed} not, {skipped} skipped; without a defect {controls} scenarios pass, "
          f"{len(bad) - missed} do not")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
