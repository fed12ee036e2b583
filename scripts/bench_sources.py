#!/usr/bin/env python3
"""Measures what sealwave adds to Helm and Kustomize, and whether `validate --all` uses all processors.

    scripts/bench_sources.py --sealwave target/release/sealwave [--rounds 15]

`helm` and `kustomize` are those on PATH. Each row compares commands that take turns in one run; times are medians.
"""

import argparse
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
CASES = ROOT / "testdata/sources"
APPS = 50


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sealwave", required=True, type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    for program in ["helm", "kustomize"]:
        if not shutil.which(program):
            sys.exit(f"{program} is not on PATH")
    sealwave = str(arguments.sealwave.resolve())
    print("| | alone | sealwave | more | CPU alone | CPU sealwave |")
    print("|---|---|---|---|---|---|")
    chart, overlay = CASES / "web-chart/app", CASES / "overlays/app"
    compare("chart", arguments.rounds, chart, helm_command(chart), generate(sealwave, "web-chart"))
    compare("overlay", arguments.rounds, overlay, kustomize_command(), generate(sealwave, "overlays"))
    validate_all(sealwave)


def helm_command(chart):
    """Returns the command of the case, without sealwave."""
    script = (chart.parent / "alone.sh").read_text()
    return ["sh", "-euc", script], {"app": "web-chart", "env": "dev"}


def kustomize_command():
    script = (CASES / "overlays/alone.sh").read_text()
    return ["sh", "-euc", script], {"app": "overlays", "env": "dev"}


def generate(sealwave, name):
    operator = CASES / "operator/operator.yaml"
    options = ["--env", "dev", "--project", "sources", "--app", name, "--namespace", "shop", "--operator", str(operator)]
    return [sealwave, "generate", ".", *options], {}


def compare(name, rounds, directory, alone, ours):
    times = {"alone": [], "ours": []}
    for _ in range(rounds + 1):
        for key, (command, variables) in [("alone", alone), ("ours", ours)]:
            times[key].append(run(command, directory, variables))
    # The first round fills the caches of the system.
    wall = {key: statistics.median(wall for wall, _ in all_times[1:]) for key, all_times in times.items()}
    cpu = {key: statistics.median(cpu for _, cpu in all_times[1:]) for key, all_times in times.items()}
    more = (wall["ours"] - wall["alone"]) * 1000
    print(
        f"| {name} | {wall['alone'] * 1000:.0f} ms | {wall['ours'] * 1000:.0f} ms | {more:+.0f} ms "
        f"| {cpu['alone'] * 1000:.0f} ms | {cpu['ours'] * 1000:.0f} ms |"
    )


def run(command, directory, variables):
    """Runs a command, and returns its time and the time of the processors that it used, in seconds."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **variables}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(command, cwd=directory, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def validate_all(sealwave):
    """Validates copies of the chart and of the overlays, and prints how many processors were busy."""
    with tempfile.TemporaryDirectory() as directory:
        top = pathlib.Path(directory)
        (top / ".git").mkdir()
        for number in range(APPS):
            source = ["web-chart", "overlays"][number % 2]
            shutil.copytree(CASES / source / "app", top / f"app-{number:02}", symlinks=True)
        command = [sealwave, "validate", "--all", ".", "--namespace", "shop", "--quiet"]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        finished = subprocess.run(command, cwd=top, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wall = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if finished.returncode not in (0, 1):
            sys.exit(finished.stderr)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(f"\n`validate --all` over {APPS} apps: {wall:.1f} s, {cpu / wall:.2f} processors busy")


if __name__ == "__main__":
    main()
