"""Compares two builds of sealwave on the rows of docs/reference/benchmarks.md, in one run, and prints the ratios.

    python3 scripts/bench_before.py --before OLD --sealwave NEW --addon PROGRAM

Both builds get the same input and run in turns, each one first in half of the turns, so that load on the machine affects
both. The table has the ratio of the best times and the median of the ratios of all pairs. The script asserts nothing.
"""

import argparse
import statistics
import subprocess
import tempfile
from pathlib import Path

import bench

TURNS = 12


def commands(sealwave, apps):
    """Returns the command of each row, in the order of the page."""
    def generate(app):
        return [sealwave, "generate", app, "--env", "dev", "--operator", apps["operator"],
                "--project", "bench", "--namespace", "bench"]

    versions = ",".join(f"1.{minor}" for minor in range(25, 38))
    return {
        "`generate`, 2 MB: an add-on": generate(apps["addon"]),
        "`generate`, 2 MB: long texts": generate(apps["large"]),
        "`generate`, 1,000 objects, 200 sealed items": generate(apps["many"]),
        "`--version`": [sealwave, "--version"],
        "`validate`, 100,000 small documents": [sealwave, "validate", apps["small"]],
        "`validate`, one document, 13 versions": [sealwave, "validate", "--kube-version", versions, apps["one"]],
        "`validate --all`, 200 apps": [sealwave, "validate", "--all", apps["repository"]],
    }


def inputs(top, addon):
    long_texts = "".join(bench.config_map(i, 2_000_000 // 30) + bench.deployment(i) for i in range(30))
    many = "".join(bench.config_map(i, 300) + bench.deployment(i) for i in range(400))
    apps = {
        "operator": bench.operator(top),
        "addon": bench.make(top, "addon", addon),
        "large": bench.make(top, "large", long_texts),
        "many": bench.make(top, "many", many + "".join(map(bench.secret, range(200)))),
        "small": top / "small.yaml",
        "one": top / "one.yaml",
        "repository": top / "repository",
    }
    bench.small_documents(apps["small"], 100_000)
    bench.small_documents(apps["one"], 1)
    bench.repository(apps["repository"], 200)
    return apps


def compare(before, after):
    """Runs both commands in turns. Returns pairs of their measurements."""
    pairs = []
    for turn in range(TURNS):
        first, second = (before, after) if turn % 2 == 0 else (after, before)
        one, other = bench.run_measured(first), bench.run_measured(second)
        pairs.append((one, other) if turn % 2 == 0 else (other, one))
    return pairs[1:]


def row(name, pairs):
    best = [min(run[side][0] for run in pairs) for side in (0, 1)]
    peak = [max(run[side][2] for run in pairs) * 1024 / 1e6 for side in (0, 1)]
    ratio = statistics.median(after[0] / before[0] for before, after in pairs)
    return (name, f"{best[0]:.1f} ms", f"{best[1]:.1f} ms", f"{best[1] / best[0]:.3f}", f"{ratio:.3f}",
            f"{peak[0]:.0f} MB, {peak[1]:.0f} MB")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--before", required=True, help="the earlier build")
    arguments.add_argument("--sealwave", required=True, help="the build to compare with it")
    arguments.add_argument("--addon", required=True, help="the program that prints the add-on's manifest")
    given = arguments.parse_args()
    print("| what | before | after | ratio of the best | median ratio | peak memory |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as top:
        addon = subprocess.run([given.addon], check=True, capture_output=True, text=True).stdout
        apps = inputs(Path(top), addon)
        before, after = commands(given.before, apps), commands(given.sealwave, apps)
        for name in before:
            print(f"| {' | '.join(row(name, compare(before[name], after[name])))} |", flush=True)


if __name__ == "__main__":
    main()
