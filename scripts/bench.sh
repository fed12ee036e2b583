#!/usr/bin/env bash
# Runs the benchmarks and prints the table of docs/reference/benchmarks.md.
#   scripts/bench.sh             prints the table
#   scripts/bench.sh --write     prints the table, and writes it to docs/reference/benchmarks.md
#   scripts/bench.sh --table     prints only the table, without `cargo bench`
set -euo pipefail
cd "$(dirname "$0")/.."

write=()
benches=yes
for argument in "$@"; do
  case "$argument" in
    --write) write=(--write docs/reference/benchmarks.md) ;;
    --table) benches=no ;;
    *) echo "unknown argument: $argument" >&2; exit 2 ;;
  esac
done
command -v python3 >/dev/null || { echo "python3 is needed to measure" >&2; exit 2; }

cargo build --release --locked --bin sealwave --example bare_rsa --example addon_manifest --example read_yaml
if [ "$benches" = yes ]; then cargo bench --locked; fi
target=$(cargo metadata --format-version 1 --no-deps --locked | python3 -c 'import json,sys; print(json.load(sys.stdin)["target_directory"])')
exec python3 scripts/bench.py --sealwave "$target/release/sealwave" --bare-rsa "$target/release/examples/bare_rsa" --addon "$target/release/examples/addon_manifest" --read-yaml "$target/release/examples/read_yaml" "${write[@]}"
