#!/usr/bin/env python3
"""Measures `sealwave status` on a generated repository with a long history.

  scripts/bench_status.py [--commits N] [--files N] [--changes N] [--keep DIR] BINARY...

The repository has an app with FILES sealed files of two items each. Each commit changes CHANGES of them: mostly an
annotation, each tenth time an item. For each binary it prints the time, the time of the processors and the peak memory of
sealwave, without Git, and whether all binaries print the same.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time

DAY = 86400
START = 1_600_000_000


def ciphertext(seed):
    state, text = seed * 2654435761 % 2**32, "AgB"
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    for _ in range(720):
        state = (state * 1103515245 + 12345) % 2**31
        text += alphabet[state >> 16 & 63]
    return text


def manifest(index, items, note):
    lines = [f"    item-{key}: {ciphertext(seed)}\n" for key, seed in enumerate(items)]
    return (
        f"apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata:\n  name: secret-{index}\n  namespace: shop\n"
        f"  annotations:\n    example.com/note: '{note}'\nspec:\n  encryptedData:\n" + "".join(lines)
    )


def generate(directory, commits, files, changes):
    subprocess.run(["git", "init", "--quiet", "--initial-branch", "main", directory], check=True)
    importer = subprocess.Popen(["git", "-C", directory, "fast-import", "--quiet"], stdin=subprocess.PIPE)
    write = importer.stdin.write

    def file(path, text):
        write(f"M 100644 inline {path}\ndata {len(text.encode())}\n{text}\n".encode())

    items = [[index, index + files] for index in range(files)]
    app = "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\nenvironments: {prod: {}}\n"
    policy = "rotation: [{secret: 'shop/*', rotation: manual, maxAge: 365d, owner: a, reason: b}]\n"
    seed = 2 * files
    for commit in range(commits):
        write(f"commit refs/heads/main\ncommitter a <a@example.com> {START + commit * DAY // 4} +0000\ndata 1\nx\n".encode())
        if commit == 0:
            file("app/sealwave.yaml", app + policy)
        changed = range(files) if commit == 0 else [(commit * changes + n) % files for n in range(changes)]
        for index in changed:
            if commit % 10 == 9:
                items[index][commit // 10 % 2] = seed = seed + 1
            file(f"app/envs/prod/sealed-secrets/{index}.yaml", manifest(index, items[index], commit))
    importer.stdin.close()
    assert importer.wait() == 0
    subprocess.run(["git", "-C", directory, "reset", "--quiet", "--hard"], check=True)


def peak(pid):
    """Returns the peak memory in KiB of a process and the sealwave below it."""
    largest, todo = 0, [pid]
    while todo:
        process = todo.pop()
        try:
            with open(f"/proc/{process}/status") as status:
                fields = dict(line.split(":", 1) for line in status)
            with open(f"/proc/{process}/task/{process}/children") as children:
                todo += [int(child) for child in children.read().split()]
        except (OSError, ValueError):
            continue
        if fields.get("Name", "").strip().startswith("sealwave"):
            largest = max(largest, int(fields.get("VmHWM", "0 kB").split()[0]))
    return largest


def measure(binary, directory):
    variables = dict(os.environ, SOURCE_DATE_EPOCH=str(START + 2_000 * DAY))
    started = time.monotonic()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen([binary, "status", "-o", "json", directory], stdout=output, stderr=subprocess.DEVNULL, env=variables)
        result = {}
        waiting = threading.Thread(target=lambda: result.update(usage=os.wait4(process.pid, 0)))
        waiting.start()
        memory = 0
        while waiting.is_alive():
            memory = max(memory, peak(process.pid))
            waiting.join(0.02)
        seconds = time.monotonic() - started
        _, _, usage = result["usage"]
        output.seek(0)
        return output.read(), seconds, usage.ru_utime + usage.ru_stime, memory


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commits", type=int, default=5_000)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--changes", type=int, default=10)
    parser.add_argument("--keep", help="directory of the repository; generated if it does not exist")
    parser.add_argument("binaries", nargs="+", metavar="BINARY")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        directory = options.keep or os.path.join(temporary, "repository")
        if not os.path.exists(directory):
            generate(directory, options.commits, options.files, options.changes)
        outputs = []
        for binary in options.binaries:
            output, seconds, processor, memory = measure(os.path.abspath(binary), directory)
            outputs.append(output)
            print(f"{binary}: {seconds:.1f} s, {processor:.1f} s of processors, {memory // 1024} MiB")
        if len(set(outputs)) > 1:
            sys.exit("the outputs differ")


if __name__ == "__main__":
    main()
