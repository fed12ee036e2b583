#!/usr/bin/env python3
"""Kills runs of the end-to-end tests at many points, and fails if a process or a file of them is left.

The harness itself cannot test this, since it is what gets killed. Only the directory target/e2e may change.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
STATE = ROOT / "target/e2e"
TEST = "fast::scenarios::mlops"

# Seconds after the start, and the signal: during the checks, the start of the programs, and the test.
POINTS = [
    (0.05, signal.SIGKILL),
    (0.2, signal.SIGKILL),
    (0.5, signal.SIGTERM),
    (1.0, signal.SIGKILL),
    (2.0, signal.SIGINT),
    (3.0, signal.SIGKILL),
    (5.0, signal.SIGTERM),
    (8.0, signal.SIGKILL),
]

# Places that programs like to write to. This script gets empty ones, so that it sees the files of its runs alone.
WATCHED = [place for place in ["/tmp", "/run", "/var/tmp", "/dev/shm"] if not ROOT.is_relative_to(place)]

# Set for the process that has them.
ISOLATED = "SEALWAVE_E2E_KILLED"


def main():
    if ISOLATED not in os.environ:
        isolate()
    program = build()
    problems = []
    before = files()
    for delay, how in POINTS:
        kill_run(program, delay, how)
        left = processes()
        if left:
            problems.append(f"killed by {how.name} after {delay} s, it left {left}")
    new = sorted(files() - before)
    if new:
        problems.append(f"files outside of {STATE}: {new}")
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    passed = len(POINTS) + 1 - len(problems)
    print(f"{passed} passed, {len(problems)} failed")
    return 1 if problems else 0


def isolate():
    """Runs this script again in namespaces of its own, and never returns.

    It has empty places, and it sees the processes that its runs started and no others.
    """
    mounts = "".join(f"mount -t tmpfs tmpfs {place}; " for place in WATCHED)
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    options = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    command = ["unshare", *options, *user, "/bin/sh", "-ec", mounts + 'exec "$0" "$@"', sys.executable, __file__]
    os.execvpe(command[0], command, dict(os.environ, **{ISOLATED: "1"}))


def build():
    """Builds the test program and returns its path."""
    command = ["cargo", "test", "--locked", "--test", "e2e", "--no-run", "--message-format=json"]
    output = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    messages = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    programs = [message["executable"] for message in messages if message.get("executable")]
    return next(path for path in programs if pathlib.Path(path).name.startswith("e2e-"))


def kill_run(program, delay, how):
    environment = dict(os.environ, SEALWAVE_E2E="required")
    with open(STATE / "killed.log", "wb") as log:
        run = subprocess.Popen([program, TEST], cwd=ROOT, env=environment, stdout=log, stderr=log)
        time.sleep(delay)
        if run.poll() is not None:
            text = (STATE / "killed.log").read_text(errors="replace")
            sys.exit(f"error: the run ended before it was killed, after {delay} s:\n{text}")
        run.send_signal(how)
        run.wait(timeout=30)


def processes():
    """Returns the command lines of all processes but this one, after the kernel had time to end them."""
    left = []
    for _ in range(50):
        reap()
        left = list(command_lines())
        if not left:
            break
        time.sleep(0.1)
    return left


def reap():
    """Reaps processes whose parents have ended; this process is the first of its namespace, so it gets them."""
    try:
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
    except ChildProcessError:
        pass


def command_lines():
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                yield (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                pass  # It has ended.


def files():
    """Returns the paths below the watched places, without following links."""
    found = set()
    for place in WATCHED:
        for directory, directories, names in os.walk(place, onerror=lambda error: None):
            found.update(os.path.join(directory, name) for name in [*directories, *names])
    return found


if __name__ == "__main__":
    sys.exit(main())
