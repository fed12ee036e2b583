//! Decides whether the text of a file may hold a Secret, without parsing it.
//!
//! This is for files that could not be read, so nothing is certain: a text is harmless only if each of its documents
//! states a kind in the plainest form, no kind could be a Secret, and nothing else points to one. In doubt, it may hold a
//! Secret.

use std::sync::LazyLock;

use regex::Regex;

use crate::facts::credential::looks_like_credential;
use sealwave_core::excerpts::SecretSigns;
use sealwave_core::text::closest_name;

/// The signs of secrets in manifests and templates.
pub const SECRET_SIGNS: SecretSigns = SecretSigns { in_line: may_hold_credential, in_text: may_hold_secret };

/// Kinds with `secret` in their name whose objects hold references or ciphertexts.
const REFERRING_KINDS: &[&str] = &[
    "clusterexternalsecret",
    "clustersecretstore",
    "externalsecret",
    "pushsecret",
    "sealedsecret",
    "secretproviderclass",
    "secretstore",
];

/// Kinds of files that hold credentials or paths of them: of kubectl, of the API server, and the operator file. Also the app
/// file: what is wrong there is often a value in the wrong place, and any text may have been pasted.
const CREDENTIAL_KINDS: &[&str] = &["app", "config", "encryptionconfiguration", "operator"];

/// The kinds that a misspelled one is compared with.
const SECRET_KINDS: &[&str] = &["secret", "secretlist", "secrets"];

struct TextPatterns {
    /// A partial with a literal argument, up to its end or that of the text.
    partial_argument: Regex,
    /// Texts that point to a Secret anywhere in a file.
    sign: Regex,
    /// A key `kind` anywhere, up to its value.
    kind: Regex,
    /// A plain value of `kind`.
    value: Regex,
    /// `kind` at the top level of a document, in the plainest form.
    plain_kind: Regex,
    /// `apiVersion` at the top level of a document.
    api_version: Regex,
}

impl TextPatterns {
    fn new() -> Result<Self, regex::Error> {
        Ok(Self {
            partial_argument: Regex::new(r#"\{\{[^}]*>[^}]*["'][^}]*"#)?,
            sign: Regex::new(
                &[
                    // A Secret, also in a patch; a generator of Kustomize; files of SOPS; keys and certificates.
                    r"(?i:string_?data)",
                    r"(?i:secret_?generator)",
                    r"ENC\[",
                    r"(?m:^sops:)",
                    r"-----BEGIN",
                    // Escapes can spell any key or kind.
                    r"\\[xuU][0-9A-Fa-f]",
                    // Patches in an app file, whose targets may be Secrets.
                    r#"(?m:^[\s-]*["']?patch["']?\s*:)"#,
                    r#"["'\s]/(?:data|stringData)(?:/|["'\s])"#,
                ]
                .join("|"),
            )?,
            kind: Regex::new(r#"(?i:kind)\\?["']?\s*[:=]"#)?,
            value: Regex::new(
                r#"^[ \t]+(?:"([A-Za-z0-9]+)"|'([A-Za-z0-9]+)'|([A-Za-z0-9]+))[ \t]*(?:[,}#\r\n]|$)"#,
            )?,
            plain_kind: Regex::new(r"(?m)^kind:[ \t]+[A-Za-z0-9]+[ \t]*(?:#.*)?\r?$")?,
            api_version: Regex::new(r"(?m)^apiVersion:[ \t]+[A-Za-z0-9./-]+[ \t]*(?:#.*)?\r?$")?,
        })
    }
}

static PATTERNS: LazyLock<Option<TextPatterns>> = LazyLock::new(|| TextPatterns::new().ok());

/// Reports whether the line at an index may hold a credential, or is in a literal argument of a partial, which can be
/// the template of a Secret.
fn may_hold_credential(lines: &[String], at: usize) -> bool {
    let (Some(patterns), Some(before), Some(line)) = (PATTERNS.as_ref(), lines.get(..at), lines.get(at))
    else {
        return true;
    };
    let start = before.iter().map(|line| line.len() + 1).sum::<usize>();
    let text = format!("{}\n{line}", before.join("\n"));
    patterns.partial_argument.find_iter(&text).any(|call| call.end() > start)
        || looks_like_credential(lines, at)
}

/// Reports whether a text may hold a Secret.
fn may_hold_secret(text: &str) -> bool {
    let Some(patterns) = PATTERNS.as_ref() else { return true };
    patterns.sign.is_match(text)
        || patterns.kind.find_iter(text).any(|key| {
            let rest = text.get(key.end()..).unwrap_or_default();
            !patterns.value.captures(rest).is_some_and(|value| {
                value.iter().skip(1).flatten().all(|kind| is_harmless_kind(kind.as_str()))
            })
        })
        || documents(text).any(|document| {
            !patterns.plain_kind.is_match(document) || !patterns.api_version.is_match(document)
        })
}

/// Reports whether objects of a kind hold no credentials in the clear.
fn is_harmless_kind(kind: &str) -> bool {
    let kind = kind.to_ascii_lowercase();
    // The items of a list may have no kind.
    REFERRING_KINDS.contains(&kind.as_str())
        || !(kind.contains("secret")
            || kind.ends_with("list")
            || CREDENTIAL_KINDS.contains(&kind.as_str())
            || closest_name(&kind, SECRET_KINDS.iter().copied()).is_some())
}

/// Splits a text at separators. Documents of only comments and separators are left out.
fn documents(text: &str) -> impl Iterator<Item = &str> {
    let mut starts = vec![0];
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with("---") {
            starts.push(at);
        }
        at += line.len();
    }
    starts.push(text.len());
    let ranges: Vec<(usize, usize)> =
        starts.windows(2).filter_map(|pair| Some((*pair.first()?, *pair.get(1)?))).collect();
    ranges.into_iter().filter_map(move |(from, to)| text.get(from..to)).filter(|document| {
        document.lines().any(|line| {
            let line = line.trim();
            !(line.is_empty() || line.starts_with('#') || line == "---")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: b}\n";

    #[test]
    fn texts_without_a_secret_are_harmless() {
        let deployment = "apiVersion: apps/v1\nkind: Deployment # web\nspec:\n  replicas: {{ replicas }}\n  \
                          env: [{valueFrom: {secretKeyRef: {name: db, key: a}}}]\n";
        for text in [
            MAP,
            deployment,
            &format!("# a comment\n---\n{MAP}---\n{deployment}---\n# nothing\n"),
            &MAP.replace('\n', "\r\n"),
            &MAP.replace("ConfigMap", "ExternalSecret"),
            &MAP.replace("ConfigMap", "SealedSecret"),
            &format!("{MAP}\tbroken: [\n"),
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nroleRef: {kind: Role, name: a}\nsubjects: [{kind: \"ServiceAccount\"}]\n",
        ] {
            assert!(!may_hold_secret(text), "{text}");
        }
        for kind in
            ["Deployment", "Service", "Ingress", "Role", "CronJob", "StatefulSet", "Certificate", "Gateway"]
        {
            assert!(is_harmless_kind(kind), "{kind}");
        }
    }

    #[test]
    fn texts_that_may_hold_a_secret_are_not() {
        for text in [
            "",
            "a: b\n",
            "{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\"}\n",
            "kind: ConfigMap\ndata: {a: b}\n",
            "apiVersion: v1\ndata: {a: b}\n",
            "db:\n  host: a\n",
            "- op: add\n  path: /data/a\n  value: b\n",
            "{{#each a}}\napiVersion: v1\nkind: {{this}}\n{{/each}}\n",
        ] {
            assert!(may_hold_secret(text) || text.is_empty(), "{text}");
        }
        for other in [
            "kind: App",
            "kind: Secret",
            "kind: secret",
            "Kind: Secret",
            "kind:Secret",
            "kind : Secret",
            "kind: Sercet",
            "kind: Secre",
            "kind: SecretList",
            "kind: List",
            "kind: MySecret",
            "kind: \"Secret\"",
            "kind: 'Secret",
            "kind: !!str Secret",
            "kind: &a Secret",
            "kind: *a",
            "kind: >-\n  Secret",
            "kind:\n  Secret",
            "kind:\tSecret",
            "? kind\n: Secret",
            "kind:",
            "kind: Secret{{/if}}",
            "kind: {{ kind }}",
            "kind: Config",
            "\"k\\u0069nd\": Secret",
            "\"\\x6bind\": Secret",
            "items: [{kind: Secret, data: {a: b}}]",
            "a: '{\"kind\":\"Secret\"}'",
            "a: \"{\\\"kind\\\": \\\"Secret\\\"}\"",
            "stringData: {a: b}",
            "stringdata",
            "secretGenerator: []",
            "a: ENC[AES256_GCM,data:x]",
            "sops: {mac: x}",
            "a: |\n  -----BEGIN PRIVATE KEY-----",
            "patches:\n- patch: |\n    data: {a: b}",
            "path: /data/a",
            "---\ndata: {a: b}",
            "---\napiVersion: v1\nmetadata: {name: b}",
            "--- {data: b}",
        ] {
            for text in [format!("{MAP}{other}\n"), format!("{other}\n{MAP}"), format!("{MAP}---\n{other}\n")]
            {
                // Above the first document, a key belongs to it.
                let belongs_to_map = other.starts_with("---") && text.starts_with("---");
                assert!(may_hold_secret(&text) || belongs_to_map, "{text}");
            }
        }
    }

    /// Returns a text with each kind of break at a line.
    fn broken_at(text: &str, at: usize) -> Vec<String> {
        let lines: Vec<&str> = text.lines().collect();
        let line = lines[at];
        let with = |replacement: &str| {
            let mut lines = lines.clone();
            lines[at] = replacement;
            format!("{}\n", lines.join("\n"))
        };
        let mut broken: Vec<String> = [
            format!("# {line}"),
            line.chars().skip(1).collect(),
            line.chars().take(line.chars().count().saturating_sub(1)).collect(),
            line.replace(": ", ":"),
            line.replace(':', " "),
            line.replace(": ", ":\u{a0}"),
            line.replace(": ", ": \""),
            line.replace(": ", ": ["),
            line.replace(": ", ": {{"),
            line.replace(": ", ": *"),
            line.replace(": ", ": |\n    "),
            format!("\t{line}"),
            format!("  {line}"),
            format!("- {line}"),
            format!("{line}\"\n"),
            format!("{line}\n{line}"),
            format!("---\n{line}"),
            format!("{line}\n---"),
            format!("<<<<<<< HEAD\n{line}\n=======\n"),
            format!("{{{{#if a}}}}\n{line}"),
            format!("{{{{{line}"),
        ]
        .iter()
        .map(|line| with(line))
        .collect();
        broken.push(format!("{}\n", lines[..at].join("\n")));
        broken.push(format!("{}\n", lines[at..].join("\n")));
        broken.push([&lines[..at], &lines[at + 1..]].concat().join("\n"));
        let next = lines.get(at + 1).copied().unwrap_or_default();
        broken.push(text.replacen(&format!("{line}\n{next}"), &format!("{line} {next}"), 1));
        broken
    }

    #[test]
    fn a_broken_secret_is_still_one() {
        for secret in [
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\ntype: Opaque\ndata:\n  a: Q0FOQVJZ\n  b: VALUE\n",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData:\n  a: VALUE\n  b: |\n    VALUE\n",
            "kind: Secret\nstringData: {a: VALUE}\napiVersion: v1\n",
        ] {
            for at in 0..secret.lines().count() {
                for broken in broken_at(secret, at) {
                    if !broken.contains("VALUE") && !broken.contains("Q0FO") {
                        continue;
                    }
                    for text in
                        [broken.clone(), format!("{MAP}---\n{broken}"), format!("{broken}\n---\n{MAP}")]
                    {
                        assert!(may_hold_secret(&text), "line {}:\n{text}", at + 1);
                    }
                }
            }
        }
    }

    #[test]
    fn literal_arguments_of_partials_are_hidden() {
        let is_hidden = |text: &str| {
            let lines: Vec<String> = text.lines().map(|line| line.replace('§', "")).collect();
            let at = text.lines().position(|line| line.contains('§')).unwrap();
            may_hold_credential(&lines, at)
        };
        for text in [
            "{{> db \"x\"}}§",
            "{{~> db value='x'}}§",
            "{{#> db a=\"x\"}}§{{/db}}",
            "{{> db\n  a=\"x\"\n  b=c§\n}}",
        ] {
            assert!(is_hidden(text), "{text}");
        }
        for text in ["{{> db}}§", "{{> db a=b}}§", "{{> db \"x\"}}\na: b§", "a: {{ eq b \"c\" }}§"] {
            assert!(!is_hidden(text), "{text}");
        }
        assert!(may_hold_credential(&[], 0));
    }
}
