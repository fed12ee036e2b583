//! Compares the YAML crate with our reader: what [`SettingsFile::read`] accepts, both read alike.

use std::path::Path;

use proptest::prelude::*;
use serde::de::DeserializeOwned;

use super::dialect::{first_difference, is_plain};
use super::*;
use crate::settings::{App, OperatorConfig, ValidationFile};

/// Scalars that YAML parsers read differently, quoted and not.
pub(super) const SCALARS: [&str; 62] = [
    "a",
    "'a'",
    "\"a\"",
    "yes",
    "'yes'",
    "no",
    "\"no\"",
    "on",
    "off",
    "y",
    "n",
    "true",
    "True",
    "TRUE",
    "'true'",
    "false",
    "~",
    "null",
    "Null",
    "NULL",
    "''",
    "",
    "0",
    "1",
    "'1'",
    "-1",
    "+1",
    "010",
    "0o10",
    "0x10",
    "0b11",
    "-0x10",
    "1_000",
    "0x1_0",
    "1.10",
    "1.",
    ".5",
    "1e3",
    "1E3",
    "1.5e-3",
    ".inf",
    "-.INF",
    ".nan",
    "1:30",
    "190:20:30",
    "2026-12-31",
    "2026-12-31T10:00:00Z",
    "2026-12-31 10:00:00",
    "=",
    "<<",
    "@a",
    "`a",
    "a: b",
    "a #b",
    "[a]",
    "{a: b}",
    "{}",
    "|\n  a",
    ">-\n  a",
    "18446744073709551615",
    "18446744073709551616",
    "é",
];

/// Constructs that plain files do not have.
pub(super) const UNUSUAL: [&str; 24] = [
    "&x a",
    "*x",
    "&x {}",
    "!!str 1",
    "!!str a",
    "!!int 1",
    "!!int '1'",
    "!!float 1",
    "!!bool true",
    "!!null ''",
    "!!binary YQ==",
    "!local a",
    "! a",
    "\"\\x61\"",
    "\"\\/\"",
    "\"\\u0061\"",
    "{<<: {a: b}}",
    "{<<: [{}]}",
    "{<<: {}}",
    "{? a : b}",
    "a\tb",
    "\ta",
    "{a:}",
    "{\"a\":b}",
];

/// Reads a text as our files are read. If it is accepted, both parsers must agree on it.
fn is_accepted<T: DeserializeOwned>(text: &str) -> bool {
    let file = SettingsFile::new("x.yaml", text.as_bytes(), Limits::default());
    if file.read::<T>().is_err() {
        return false;
    }
    assert_agreement::<T>(text, &file);
    true
}

/// Checks that both parsers read a text that the YAML crate accepts alike.
pub(super) fn assert_agreement<T: DeserializeOwned>(text: &str, file: &SettingsFile<'_>) {
    let Ok(tracked) = tracked::parse::<T>(text.strip_prefix('\u{feff}').unwrap_or(text)) else {
        panic!("accepted: {text:?}");
    };
    let tree = file.parsed().unwrap_or_else(|failure| panic!("{text:?}: {failure}"));
    assert!(tree.documents.len() < 2, "{text:?}");
    // A file without documents has only defaults.
    if let Some(root) = tree.root() {
        let difference = first_difference(&tracked.trace, root, &tree.written);
        assert_eq!(difference, None, "{text:?}: {:?}", tracked.trace);
    }
}

pub(super) fn is_accepted_as_its_kind(text: &str) -> bool {
    match text {
        text if text.contains("kind: Operator") => is_accepted::<OperatorConfig<serde_json::Value>>(text),
        text if text.contains("kind: Validation") => is_accepted::<ValidationFile>(text),
        text => is_accepted::<App>(text),
    }
}

/// Collects all files of ours below a directory.
fn collect(directory: &Path, files: &mut Vec<String>) {
    for entry in fs_err::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry")) {
        let (path, kind) = (entry.path(), entry.file_type().expect("a type"));
        if kind.is_dir() {
            collect(&path, files);
        } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "yaml") {
            let bytes = fs_err::read(&path).expect("a file");
            let text = String::from_utf8(bytes).unwrap_or_default();
            let is_ours = |kind: &str| text.contains(&format!("\nkind: {kind}\n"));
            if text.starts_with("apiVersion: sealwave.dev/")
                && ["App", "Operator", "Validation"].into_iter().any(is_ours)
            {
                files.push(text);
            }
        }
    }
}

pub(super) fn all_files() -> Vec<String> {
    let mut files = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata"), &mut files);
    assert!(files.len() > 150, "{}", files.len());
    files
}

#[test]
fn both_parsers_agree_on_all_files_of_the_test_data() {
    let files = all_files();
    let accepted = files.iter().filter(|text| is_accepted_as_its_kind(text)).count();
    let plain = files.iter().filter(|text| is_plain(text)).count();
    assert!(accepted > 150 && plain > 150, "{accepted} accepted, {plain} plain of {}", files.len());
}

#[test]
fn both_parsers_agree_on_variants_of_files() {
    let variants: [fn(&str) -> String; 9] = [
        |text| format!("\u{feff}{text}"),
        |text| text.replace('\n', "\r\n"),
        |text| text.replace('\n', "\r"),
        |text| format!("---\n{text}"),
        |text| format!("# comment\n---\n{text}...\n"),
        |text| format!("{text}---\n{text}"),
        |text| format!("%YAML 1.1\n---\n{text}"),
        |text| format!("{text}{text}"),
        |text| text.replace("  ", "\t"),
    ];
    let files = all_files();
    let files = files.iter().filter(|text| text.len() < 4_000);
    let mut accepted = [0; 9];
    for text in files {
        for (variant, accepted) in variants.iter().zip(&mut accepted) {
            *accepted += usize::from(is_accepted_as_its_kind(&variant(text)));
        }
    }
    assert!(accepted[0] > 100 && accepted[1] > 100 && accepted[3] > 100, "{accepted:?}");
    assert_eq!((accepted[5], accepted[6], accepted[7]), (0, 0, 0), "{accepted:?}");
}

#[test]
fn both_parsers_agree_on_the_scalars_of_every_type_of_field() {
    const APP: &str = "apiVersion: sealwave.dev/v1alpha1\nkind: App\n";
    const OPERATOR: &str = "apiVersion: sealwave.dev/v1alpha1\nkind: Operator\n";
    const VALIDATION: &str = "apiVersion: sealwave.dev/v1alpha1\nkind: Validation\n";
    let fields = [
        (APP, "namespace: %\n"),
        (APP, "provider: %\n"),
        (APP, "backend: %\n"),
        (APP, "compatibility: %\n"),
        (APP, "literals: [%]\n"),
        (APP, "literals: %\n"),
        (APP, "environments: {dev: %}\n"),
        (APP, "environments: %\n"),
        (APP, "environments:\n  %: {}\n"),
        (APP, "environments: {dev: {cluster: %}}\n"),
        (APP, "environments: {dev: {secretBackends: {%: sealed-secrets}}}\n"),
        (APP, "environments: {dev: {patches: [{target: {kind: %}, patch: {a: b}}]}}\n"),
        (APP, "waves: {kinds: {Job: %}}\n"),
        (APP, "waves: {kinds: {%: 1}}\n"),
        (APP, "validate: {packedDefinitions: %}\n"),
        (APP, "validate: {kubeVersions: [%]}\n"),
        (APP, "validate: {rules: {secret/x: %}}\n"),
        (APP, "validate: {ignore: [{rule: a, reason: %, until: 2026-12-31}]}\n"),
        (APP, "validate: {ignore: [{rule: a, reason: b, until: %}]}\n"),
        (APP, "externalSecrets: {stores: {vault: {name: a, kvVersion: %}}}\n"),
        (APP, "%: a\n"),
        (OPERATOR, "epoch: %\n"),
        (OPERATOR, "deadlineSeconds: %\n"),
        (OPERATOR, "concurrency: %\n"),
        (OPERATOR, "memoryLimitMiB: %\n"),
        (OPERATOR, "sealKeyFile: %\n"),
        (OPERATOR, "clusters: {%: {certificate: {file: a}}}\n"),
        (OPERATOR, "clusters: {a: {certificate: {file: a, allowExpired: %}}}\n"),
        (OPERATOR, "audit: {stderr: %}\n"),
        (OPERATOR, "providers: {a: {kind: env, names: [%]}}\n"),
        (OPERATOR, "providers: {a: {kind: %, root: b}}\n"),
        (OPERATOR, "providers: {a: {kind: file, root: %}}\n"),
        (OPERATOR, "providers: {v: {kind: vault, address: %, auth: {token: {file: a}}}}\n"),
        (OPERATOR, "providers: {v: {kind: vault, address: a, auth: {token: {file: a}}, mounts: {%: 1}}}\n"),
        (OPERATOR, "providers: {v: {kind: vault, address: a, auth: {token: {file: a}}, mounts: {a: %}}}\n"),
        (OPERATOR, "providers: {v: {kind: vault, address: a, auth: {token: {file: a}}, allowHttp: %}}\n"),
        (OPERATOR, "tools: {helm: {path: %}}\n"),
        (OPERATOR, "tools: {helm: {versions: %}}\n"),
        (OPERATOR, "policy: [{name: %}]\n"),
        (OPERATOR, "policy: [{scopes: [%]}]\n"),
        (OPERATOR, "policy: %\n"),
        (VALIDATION, "validate: {external: [%]}\n"),
        (VALIDATION, "validate: {rules: {%: off}}\n"),
        (VALIDATION, "validate: {packedDefinitions: %}\n"),
    ];
    let (mut accepted, mut refused) = (0, 0);
    for (head, field) in fields {
        for scalar in SCALARS.into_iter().chain(UNUSUAL) {
            for scalar in [scalar.to_owned(), format!("{scalar} "), format!("{scalar} # c")] {
                let text = format!("{head}{}", field.replace('%', &scalar));
                if is_accepted_as_its_kind(&text) { accepted += 1 } else { refused += 1 }
            }
        }
    }
    assert!(accepted > 500 && refused > 500, "{accepted} accepted, {refused} refused");
}

#[test]
fn what_only_one_parser_reads_so_is_refused() {
    let head = "apiVersion: sealwave.dev/v1alpha1\nkind: App\n";
    for (text, expected) in [
        ("environments: {no: {}}\n", "key is read as `false`"),
        ("environments: {<<: {}}\n", "value is ambiguous"),
        ("environments: {dev: &d {}, <<: {dev: *d}}\n", "unknown field `dev`"),
        ("namespace: !!binary YQ==\n", "value is ambiguous"),
        ("waves: {kinds: {0x10: 1}}\n", "key is read as `16`"),
        ("environments: {dev: {}, dev: {}}\n", "`dev` is already defined on line 3"),
    ] {
        let text = format!("{head}{text}");
        let error = SettingsFile::new("x.yaml", text.as_bytes(), Limits::default()).read::<App>();
        let error = error.expect_err(&text).to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn unusual_files_are_not_plain() {
    for construct in UNUSUAL {
        assert!(!is_plain(&format!("a: {construct}\n")), "{construct}");
    }
    for text in
        ["%YAML 1.1\n", "a: b\n---\n", "a: b\n...\n", "--- a\n", "a: b\r\n", "\u{feff}a: b\n", "a: \u{85}\n"]
    {
        assert!(!is_plain(text), "{text:?}");
    }
    assert!(!is_plain(&"a".repeat(40_000)));
    assert!(
        is_plain(&format!("a: {}", "[".repeat(1_000))) && !is_plain(&format!("a: {}", "[".repeat(1_100)))
    );
    assert!(!is_plain(&format!("a: {}", "[{a: ".repeat(600))));
    assert!(is_plain("---\n# it's a comment\na: [\"secret/*\", Secret/*/x, https://x/a&b!]\n"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_096, failure_persistence: None, ..ProptestConfig::default() })]

    /// No plain text is read differently, whatever its type: here all values are read as they are.
    #[test]
    fn both_parsers_agree_on_plain_texts(pieces in proptest::collection::vec(piece(), 1..14)) {
        let text = pieces.concat();
        let file = SettingsFile::new("x.yaml", text.as_bytes(), Limits::default());
        if let Ok(tracked) = tracked::parse::<serde_json::Value>(&text)
            && is_plain(&text)
            && !tracked.has_unclear_scalar
        {
            assert_agreement::<serde_json::Value>(&text, &file);
        }
    }
}

fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "a",
        "b",
        "a: ",
        "b: ",
        "c:\n",
        "- ",
        "-",
        "[",
        "]",
        "{",
        "}",
        ",",
        ", ",
        ": ",
        ":",
        "\n",
        "\n  ",
        "\n    ",
        "'",
        "\"",
        "#",
        " #",
        " ",
        "no",
        "0x1",
        "0o7",
        "~",
        "1_0",
        "1",
        ".5",
        "| \n",
        ">\n",
        "|-\n  ",
        "?",
        "? ",
        "&",
        "*",
        "!",
        "@",
        "`",
        "%",
        "<<",
        "=",
        "---\n",
        "...",
        "é",
        "/",
        "2026-12-31",
        "1:30",
        "-1",
        "+1",
        "null",
        "true",
    ])
}
