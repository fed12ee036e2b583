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
encrypt() { # FILE [RECIPIENTS [OPTION…]]
  file=$1 age=${2:+--age $2}
  shift $(($# > 1 ? 2 : 1))
  # shellcheck disable=SC2086 # one option and its value, or nothing
  sops --config "$config" encrypt $age "$@" "plain/$file" > "$file"
  SOPS_AGE_KEY_FILE=age.key sops decrypt "$file" > "expected/$file" || rm "expected/$file"
}
rm -rf expected && mkdir expected
for file in all.yaml all.json all.env all.ini blob.bin; do encrypt "$file" "$ours"; done
encrypt several.yaml "$other,$ours"
encrypt stranger.yaml "$other"
encrypt suffix.yaml "$ours" --encrypted-suffix _secret
encrypt regex.yaml "$ours" --encrypted-regex '^(data|stringData)$'
encrypt unregex.json "$ours" --unencrypted-regex '^(apiVersion|metadata)$'
# The rest can be said in a configuration file only.
config=$(mktemp) && trap 'rm -f "$config"' EXIT
cat > "$config" <<END
creation_rules:
  - {path_regex: only.yaml, age: $ours, encrypted_regex: ^secret, mac_only_encrypted: true}
  - {path_regex: only.env, age: $ours, unencrypted_suffix: _PLAIN, mac_only_encrypted: true}
  - {path_regex: comments.yaml, age: $ours, encrypted_comment_regex: "sops:enc"}
  - {path_regex: groups.yaml, shamir_threshold: 2, key_groups: [{age: [$ours]}, {age: [$other]}]}
END
for file in only.yaml only.env comments.yaml groups.yaml; do encrypt "$file"; done
# Not made here: *-3.12.1.yaml, *-3.13.1.*, *-3.13.2.*, alias.yaml, anchors.yaml and unquoted-no.yaml were written by these
# versions of sops for the same recipient. In merge-unquoted.yaml and unquoted-no.yaml the quotes of keys were taken off, in
# spelled.yaml and anchors.yaml the unencrypted scalars have their first spelling again; `sops decrypt` accepts all of them.
