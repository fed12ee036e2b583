"""Measures the whole program against other programs, in one run, and prints a Markdown table of ratios.

Each pair is measured in turns, so that load on the machine affects both, and the best turn counts.
The script generates the input, which is the same on every machine.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TURNS = 7
CERTIFICATE = Path("testdata/sealed-secrets/rsa4096.crt")
KEY = "sealwave-seal-key-v1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"


def run(command, cwd=None):
    """Runs a command. Returns its milliseconds and its peak memory in KiB, as the kernel counted."""
    elapsed, _, peak = run_measured(command, cwd)
    return elapsed, peak


def run_measured(command, cwd=None):
    """Runs a command. Returns its milliseconds, its CPU milliseconds and its peak memory in KiB, as the kernel counted."""
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    elapsed = (time.perf_counter() - started) * 1000
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{errors.decode(errors='replace')}")
    return elapsed, (usage.ru_utime + usage.ru_stime) * 1000, usage.ru_maxrss


def bare_rsa(program, operations):
    return float(subprocess.run([program, str(operations)], check=True, capture_output=True, text=True).stdout)


def deployment(index):
    return f"""---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web-{index}
spec:
  selector: {{matchLabels: {{app: web-{index}}}}}
  template:
    metadata: {{labels: {{app: web-{index}}}}}
    spec:
      containers:
        - name: web
          image: example/web:{index}
          envFrom:
            - configMapRef: {{name: config-{index}}}
"""


def config_map(index, size):
    out = f"---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: config-{index}\ndata:\n"
    entry = 0
    while len(out) < size:
        out += f'  key-{entry}: "value {entry} of {index}"\n  file-{entry}.txt: |\n'
        out += "".join(f"    line {line}: the quick brown fox, jumps = over {{ the }} lazy dog\n" for line in range(8))
        entry += 1
    return out


def secret(index):
    return (f"---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: secret-{index}\nstringData:\n"
            f"  password: <file:values.yaml#password-{index % 20}>\n")


def make(top, name, manifest):
    app = top / name
    (app / "base").mkdir(parents=True)
    (app / "sealwave.yaml").write_text(
        "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: bench\nenvironments:\n  dev: {}\n")
    (app / "base" / "all.yaml").write_text(manifest)
    (app / "kustomization.yaml").write_text("namespace: bench\nresources: [base/all.yaml]\n")
    return app


def operator(top):
    (top / "secrets").mkdir()
    (top / "secrets" / "values.yaml").write_text("".join(f"password-{i}: fake-{i:04}\n" for i in range(20)))
    shutil.copy(CERTIFICATE, top / "dev.pem")
    (top / "seal-key").write_text(KEY)
    (top / "operator.yaml").write_text("""apiVersion: sealwave.dev/v1alpha1
kind: Operator
sealKeyFile: seal-key
clusters: {dev: {certificate: {file: dev.pem}}}
providers: {file: {kind: file, root: secrets}}
policy: [{projects: [bench], allow: ["file:*"]}]
""")
    return top / "operator.yaml"


def measure(sealwave, rsa, addon, top):
    def generate(app):
        return [sealwave, "generate", app, "--env", "dev", "--operator", file, "--project", "bench",
                "--namespace", "bench"]

    file = operator(top)
    big = "".join(config_map(i, 2_000_000 // 30) + deployment(i) for i in range(30))
    large = make(top, "large", big)
    shaped = make(top, "addon", addon)
    many = make(top, "many", "".join(config_map(i, 300) + deployment(i) for i in range(400)) + "".join(map(secret, range(200))))

    kubectl = shutil.which("kubectl")
    runs = {"addon": [], "kustomize addon": [], "large": [], "kustomize": [], "many": [], "rsa": [], "version": []}
    memory = 0
    for turn in range(TURNS):
        elapsed, peak = run(generate(large))
        runs["large"].append(elapsed)
        elapsed, more = run(generate(shaped))
        runs["addon"].append(elapsed)
        peak = max(peak, more)
        memory = max(memory, peak)
        if kubectl and turn < 3:
            runs["kustomize"].append(run([kubectl, "kustomize", large])[0])
            runs["kustomize addon"].append(run([kubectl, "kustomize", shaped])[0])
        runs["many"].append(run(generate(many))[0])
        runs["rsa"].append(bare_rsa(rsa, 200))
        runs["version"].append(run([sealwave, "--version"])[0])
    best = {name: min(times) if times else None for name, times in runs.items()}

    rows = []
    if best["kustomize"]:
        for what, ours, theirs in (("an add-on's: definitions, ConfigMaps, workloads", "addon", "kustomize addon"),
                                   ("mostly long texts in ConfigMaps", "large", "kustomize")):
            rows.append((f"`generate` of 2 MB in 60 objects ({what}), against `kubectl kustomize` of it",
                         f"{best[ours]:.0f} ms, {best[theirs]:.0f} ms",
                         f"{best[theirs] / best[ours]:.1f} times faster", "20 times"))
    else:
        print("kubectl is not installed: skipping the comparison with `kubectl kustomize`", file=sys.stderr)
    budget = 1.3 * best["rsa"] + 50
    rows.append(("1,000 objects with 200 sealed items, against 200 bare RSA-4096 operations on the same cores",
                 f"{best['many']:.0f} ms, {best['rsa']:.0f} ms",
                 f"{best['many'] / budget:.2f} of 1.3 × bare + 50 ms", "1"))
    rows.append(("`--version`", f"{best['version']:.1f} ms", "", "10 ms"))
    size = len(big)
    allowed = 12 * size + 25_000_000
    rows.append(("peak memory for those 2 MB, against the input's size",
                 f"{memory * 1024 / 1e6:.0f} MB, {size / 1e6:.1f} MB",
                 f"{memory * 1024 / allowed:.2f} of 12 × input + 25 MB", "1"))
    return rows


def small_documents(path, count):
    """Writes ConfigMaps, Services and Deployments in turn, about 280 bytes each. Returns the size of the file."""
    with open(path, "w") as file:
        for i in range(count):
            meta = f"metadata:\n  name: small-{i}\n  namespace: shop\n  labels:\n    app.kubernetes.io/name: shop\n"
            if i % 3 == 0:
                file.write(f"---\napiVersion: v1\nkind: ConfigMap\n{meta}data:\n  LOG_LEVEL: info\n"
                           f"  ENDPOINT: http://orders-{i}.shop.svc:8080\n  retries: \"3\"\n")
            elif i % 3 == 1:
                file.write(f"---\napiVersion: v1\nkind: Service\n{meta}spec:\n  selector:\n    app: small-{i}\n"
                           "  ports:\n  - name: http\n    port: 80\n    targetPort: 8080\n    protocol: TCP\n")
            else:
                file.write(f"---\napiVersion: apps/v1\nkind: Deployment\n{meta}spec:\n  replicas: 2\n  selector:\n"
                           f"    matchLabels: {{app: small-{i}}}\n  template:\n    metadata:\n"
                           f"      labels: {{app: small-{i}}}\n    spec:\n      containers:\n      - name: web\n"
                           "        image: registry.example.com/web:1.2.3\n        ports:\n        - {containerPort: 8080}\n")
    return os.path.getsize(path)


def repository(top, apps):
    """Writes apps with three environments and four objects each, one of them a template."""
    for index in range(apps):
        app = top / f"app-{index}"
        (app / "base").mkdir(parents=True)
        (app / "sealwave.yaml").write_text(
            "apiVersion: sealwave.dev/v1alpha1\nkind: App\n"
            f"namespace: team-{index}\nenvironments:\n  dev: {{}}\n  stage: {{}}\n  prod: {{}}\n")
        (app / "values.yaml").write_text("replicas: 2\nlog: info\n")
        (app / "base" / "all.yaml").write_text(deployment(index) + config_map(index, 1500) + secret(index))
        (app / "base" / "service.yaml.hbs").write_text(
            f"apiVersion: v1\nkind: Service\nmetadata: {{name: web-{index}}}\nspec:\n"
            f"  selector: {{app: web-{index}}}\n  ports: [{{port: 80, name: http}}]\n")
        for environment in ("dev", "stage", "prod"):
            (app / "envs" / environment).mkdir(parents=True)
            (app / "envs" / environment / "values.yaml").write_text(f"log: {environment}\n")


def measure_validate(sealwave, read_yaml, top):
    small, one = top / "small.yaml", top / "one.yaml"
    size = small_documents(small, 100_000)
    small_documents(one, 1)
    apps = top / "apps"
    repository(apps, 200)
    versions = ",".join(f"1.{minor}" for minor in range(25, 38))
    runs = {"validate": [], "read": [], "start": [], "all": []}
    # Pinned to one core: two cores share caches and memory, so that each one does less.
    alone = ["taskset", "-c", "0"] if shutil.which("taskset") else []
    memory = 0
    # The two programs take nearly as long, so other load on the host must not decide between them: more turns.
    for _ in range(2 * TURNS):
        runs["read"].append(run_measured(alone + [read_yaml, small])[1])
        runs["validate"].append(run_measured(alone + [sealwave, "validate", small])[1])
    for _ in range(TURNS):
        runs["read"].append(run_measured(alone + [read_yaml, small])[1])
        _, worked, peak = run_measured(alone + [sealwave, "validate", small])
        runs["validate"].append(worked)
        memory = max(memory, peak)
        runs["start"].append(run_measured([sealwave, "validate", "--kube-version", versions, one])[0])
        runs["all"].append(run_measured([sealwave, "validate", "--all", apps])[0])
    best = {name: min(times) for name, times in runs.items()}
    speed = size / 1e6 / (best["validate"] / 1000)
    return [
        (f"`validate` of 100,000 small documents ({size / 1e6:.0f} MB), end to end, on one core",
         f"{best['validate']:.0f} ms", f"{speed:.1f} MB/s", "10 MB/s"),
        ("the same, against only reading these documents",
         f"{best['validate']:.0f} ms, {best['read']:.0f} ms", f"{best['validate'] / best['read']:.2f}", "1.25"),
        ("the same, peak memory", f"{memory * 1024 / 1e6:.0f} MB", "", ""),
        ("`validate` of one document against all 13 versions of Kubernetes, end to end",
         f"{best['start']:.1f} ms", "", "10 ms"),
        ("`validate --all` over 200 apps with three environments", f"{best['all'] / 1000:.2f} s", "", "5 s"),
    ]


def table(rows):
    lines = ["| what | measured | ratio | goal |", "|---|---|---|---|"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows])


def write(path, text):
    begin, end = "<!-- bench:begin -->", "<!-- bench:end -->"
    page = Path(path).read_text()
    head, rest = page.split(begin)
    _, tail = rest.split(end)
    Path(path).write_text(f"{head}{begin}\n{text}\n{end}{tail}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sealwave", required=True)
    arguments.add_argument("--bare-rsa", required=True)
    arguments.add_argument("--addon", required=True, help="the program that prints the add-on's manifest")
    arguments.add_argument("--read-yaml", required=True, help="the program that only reads YAML")
    arguments.add_argument("--write", metavar="FILE")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as top:
        addon = subprocess.run([given.addon], check=True, capture_output=True, text=True).stdout
        rows = measure(given.sealwave, given.bare_rsa, addon, Path(top))
        text = table(rows + measure_validate(given.sealwave, given.read_yaml, Path(top)))
    cores = os.cpu_count()
    text += f"\n\nBest of at least {TURNS} turns, {cores} cores. `cargo bench` compares reading YAML with a bare event scan, and fetches from sources with a latency of 20 ms."
    print(text)
    if given.write:
        write(given.write, text)


if __name__ == "__main__":
    main()
