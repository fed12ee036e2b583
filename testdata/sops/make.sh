#!/bin/sh
# Makes the fixtures of this directory with the real sops and age-keygen:
#   go install github.com/getsops/sops/v3/cmd/sops@v3.13.3
#   go install filippo.io/age/cmd/age-keygen@v1.3.2
# The keys are throw-away: they are committed, and nothing but these files is encrypted to them.
# plain/ is what went in; expected/ is what `sops decrypt` gives back.
set -eu
config=/dev/null
cd "$(dirname "$0")"
[ -f age.key ] || age-keygen -o age.key
[ -f other.key ] || age-keygen -o other.key
ours=$(age-keygen -y age.key) other=$(age-keygen -y other.key)
encrypt() { # FILE RECIPIENTS [OPTION…]
  file=$1 recipients=$2
  shift 2
  sops --config "$config" encrypt --age "$recipients" "$@" "plain/$file" > "$file"
  SOPS_AGE_KEY_FILE=age.key sops decrypt "$file" > "expected/$file" || rm "expected/$file"
}
rm -rf expected && mkdir expected
for file in all.yaml all.json all.env all.ini blob.bin; do encrypt "$file" "$ours"; done
encrypt several.yaml "$other,$ours"
encrypt stranger.yaml "$other"
encrypt suffix.yaml "$ours" --encrypted-suffix _secret
encrypt regex.yaml "$ours" --encrypted-regex '^(data|stringData)$'
encrypt unregex.json "$ours" --unencrypted-regex '^(apiVersion|metadata)$'
encrypt comments.yaml "$ours" --encrypted-comment-regex 'sops:enc'
# `mac_only_encrypted` can be set in a configuration file only.
config=$(mktemp) && trap 'rm -f "$config"' EXIT
cat > "$config" <<END
creation_rules:
  - {path_regex: yaml, age: $ours, encrypted_regex: ^secret, mac_only_encrypted: true}
  - {path_regex: env, age: $ours, unencrypted_suffix: _PLAIN, mac_only_encrypted: true}
END
encrypt only.yaml "$ours"
encrypt only.env "$ours"
