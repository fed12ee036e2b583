//! A sample report for the tests of all formats: each kind of finding, and text that tries to break out.

use std::collections::BTreeSet;

use super::PrintContext;
use crate::{
    AppEnvironments, CheckedCounts, Finding, ObjectRef, RelatedLabel, RelatedPlace, Report, RuleInfo,
    RuleKind, RulePage, Span,
};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::SourceLocation;
use sealwave_core::excerpts::{Excerpts, SecretSigns};

/// A marker in every source line that must not be shown.
pub(crate) const CANARY: &str = "CANARY";

/// A name that tries to become a line, a command, a tag or a style.
pub(crate) const HOSTILE: &str = "a\u{1b}[31m::error file=x,line=1::%0A\r\n::warning::b ]]></failure><x y=\"'&\u{202e}\u{9b}2J\u{fffe}|`*##[error]";

/// The page of every sample rule.
const PAGE: &str = "# sample\n\nKubernetes takes the last of the two without a word.\n\n\
                    ## Example\n\n```yaml\na: 1\na: 2\n```\n\n## What to do\n\nRemove one of the two.\n";

const fn rule(kind: RuleKind, id: &'static str, severity: Severity, summary: &'static str) -> RuleInfo {
    RuleInfo::new(kind, RulePage { id, severity, summary, text: PAGE })
}

pub(crate) static APP_RULE: RuleInfo = rule(
    RuleKind::App,
    "app/render",
    Severity::Error,
    "a template, a document or a patch does not give an object",
);
pub(crate) static CONFIG_RULE: RuleInfo = rule(
    RuleKind::Object,
    "config/env-duplicate",
    Severity::Warning,
    "a container sets the same environment variable twice",
);
pub(crate) static REF_RULE: RuleInfo = rule(
    RuleKind::Object,
    "ref/dangling-secret",
    Severity::Error,
    "a reference to a Secret that nothing supplies",
);
pub(crate) static SECRET_RULE: RuleInfo = rule(
    RuleKind::Secret,
    "secret/in-configmap",
    Severity::Error,
    "a ConfigMap holds what looks like a secret",
);
pub(crate) static UNUSED_RULE: RuleInfo =
    rule(RuleKind::Object, "ref/unused-config", Severity::Note, "a ConfigMap that nothing reads");
pub(crate) static YAML_RULE: RuleInfo =
    rule(RuleKind::Document, "yaml/duplicate-key", Severity::Error, "a mapping has the same key twice");

pub(crate) fn span(path: &str, line: u32, column: u32, width: u32) -> Span {
    Span { place: SourceLocation { path: path.to_owned(), line, column, rendered: None }, width }
}

pub(crate) fn finding(rule: &'static RuleInfo, path: &str, line: u32, column: u32, width: u32) -> Finding {
    Finding {
        rule,
        severity: rule.severity,
        message: rule.summary.to_owned(),
        hint: None,
        span: Some(span(path, line, column, width)),
        related: Vec::new(),
        object: None,
        pointer: String::new(),
        app: String::new(),
        environments: Vec::new(),
        confidential: false,
        missing_field: None,
        held_back: false,
    }
}

pub(crate) fn object(kind: &str) -> ObjectRef {
    ObjectRef {
        api_version: "apps/v1".to_owned(),
        kind: kind.to_owned(),
        namespace: "shop".to_owned(),
        name: "web".to_owned(),
    }
}

fn in_app(finding: Finding, environments: &[&str]) -> Finding {
    Finding {
        app: "apps/shop".to_owned(),
        environments: environments.iter().map(|name| (*name).to_owned()).collect(),
        ..finding
    }
}

/// Returns a report of an app with three environments, one of them clean.
pub(crate) fn report() -> Report {
    let mut findings: Vec<Finding> = ordinary().into_iter().chain(confidential()).chain(odd()).collect();
    findings.sort_by(|a, b| a.order().cmp(&b.order()));
    Report {
        findings,
        checked: CheckedCounts { apps: 1, environments: 3, files: 0, objects: 42 },
        apps: vec![AppEnvironments {
            app: "apps/shop".to_owned(),
            environments: vec!["dev".to_owned(), "prod".to_owned(), "stage".to_owned()],
        }],
        suppressed: 2,
        in_baseline: 1,
        held_back: 0,
        withheld: BTreeSet::from([("apps/shop/base/web.yaml".to_owned(), 30)]),
    }
}

fn ordinary() -> [Finding; 4] {
    const WEB: &str = "apps/shop/base/web.yaml";
    let duplicate = Finding {
        message: "environment variable `LOG_LEVEL` is set twice in one container".to_owned(),
        hint: Some("remove one of the two".to_owned()),
        related: vec![RelatedPlace {
            label: RelatedLabel::Text("it is set here first".to_owned()),
            span: span(WEB, 12, 17, 9),
            confidential: false,
        }],
        object: Some(object("Deployment")),
        pointer: "/spec/template/spec/containers/0/env/1/name".to_owned(),
        ..finding(&CONFIG_RULE, WEB, 13, 17, 9)
    };
    let mut dangling = Finding {
        message: "Secret `shop/db` does not exist".to_owned(),
        hint: Some("did you mean `db-credentials`?".to_owned()),
        related: vec![RelatedPlace {
            label: RelatedLabel::Text("a Secret with a similar name is here".to_owned()),
            span: span("apps/shop/base/secret.yaml", 4, 9, 14),
            confidential: true,
        }],
        object: Some(object("Deployment")),
        pointer: "/spec/template/spec/imagePullSecrets/0".to_owned(),
        ..finding(&REF_RULE, "apps/shop/base/api.yaml.hbs", 7, 11, 14)
    };
    if let Some(span) = &mut dangling.span {
        span.place.rendered = Some((9, 11));
    }
    let unused = Finding {
        message: "ConfigMap `shop/old` is not used".to_owned(),
        object: Some(ObjectRef {
            api_version: "v1".to_owned(),
            name: "old".to_owned(),
            ..object("ConfigMap")
        }),
        ..finding(&UNUSED_RULE, WEB, 40, 1, 0)
    };
    let withheld = Finding { object: Some(object("Deployment")), ..finding(&CONFIG_RULE, WEB, 30, 3, 4) };
    [
        in_app(duplicate, &["dev", "prod", "stage"]),
        in_app(dangling, &["prod"]),
        in_app(unused, &["dev", "prod"]),
        in_app(withheld, &["dev"]),
    ]
}

/// Returns findings whose source lines hold the canary.
fn confidential() -> [Finding; 4] {
    const SECRET: &str = "apps/shop/base/secret.yaml";
    let marked = Finding {
        message: "value of `password` looks like a secret".to_owned(),
        object: Some(object("ConfigMap")),
        pointer: "/data/password".to_owned(),
        confidential: true,
        ..finding(&SECRET_RULE, SECRET, 20, 3, 8)
    };
    let same_line = Finding { object: Some(object("ConfigMap")), ..finding(&UNUSED_RULE, SECRET, 20, 1, 2) };
    let in_secret = Finding { object: Some(object("Secret")), ..finding(&CONFIG_RULE, SECRET, 21, 1, 4) };
    let broken = finding(&YAML_RULE, SECRET, 22, 1, 4);
    [marked, same_line, in_secret, broken].map(|finding| in_app(finding, &["dev"]))
}

fn odd() -> [Finding; 5] {
    let hostile = Finding {
        message: format!("name `{HOSTILE}` is not valid"),
        hint: Some(HOSTILE.to_owned()),
        related: vec![RelatedPlace {
            label: RelatedLabel::Text(HOSTILE.to_owned()),
            span: span(&format!("{HOSTILE}.yaml"), 1, 1, 1),
            confidential: true,
        }],
        object: Some(ObjectRef {
            api_version: HOSTILE.to_owned(),
            kind: HOSTILE.to_owned(),
            namespace: HOSTILE.to_owned(),
            name: HOSTILE.to_owned(),
        }),
        pointer: format!("/{HOSTILE}"),
        environments: vec![HOSTILE.to_owned()],
        app: HOSTILE.to_owned(),
        ..finding(&CONFIG_RULE, &format!("{HOSTILE}.yaml"), 1, 5, 300)
    };
    let control = Finding { object: Some(object("ConfigMap")), ..finding(&CONFIG_RULE, "odd.yaml", 1, 5, 3) };
    let long = Finding {
        message: format!("value is too long: {}", "very ".repeat(2000)),
        object: Some(object("ConfigMap")),
        ..finding(&CONFIG_RULE, "odd.yaml", 2, 1500, 4)
    };
    let whole_line =
        Finding { object: Some(object("ConfigMap")), ..finding(&CONFIG_RULE, "odd.yaml", 3, 0, 0) };
    let without_place = Finding {
        span: None,
        message: "environment cannot be rendered".to_owned(),
        ..finding(&APP_RULE, "", 0, 0, 0)
    };
    [hostile, control, in_app(long, &["stage"]), whole_line, in_app(without_place, &["prod"])]
}

/// No line has a sign of a secret; every text has one.
pub(crate) const NO_SIGNS: SecretSigns = SecretSigns { in_line: |_, _| false, in_text: |_| true };

/// Returns the sources of the report.
pub(crate) fn excerpts() -> Excerpts {
    let mut web = vec![String::new(); 40];
    for (line, text) in [
        (12, "        - {name: LOG_LEVEL, value: debug}"),
        (13, "        - {name: LOG_LEVEL, value: warn}"),
        (30, "  CANARY: withheld by a silenced finding"),
        (40, "apiVersion: v1"),
    ] {
        text.clone_into(&mut web[line - 1]);
    }
    let long = format!("{}: SPAN, {}", "k".repeat(1497), "ü".repeat(1000));
    let mut excerpts = Excerpts::new(NO_SIGNS, |_| None);
    excerpts.preload("apps/shop/base/web.yaml", web.join("\n"));
    excerpts.preload("apps/shop/base/secret.yaml", "  CANARY: a line of a secret\n".repeat(40));
    excerpts.preload("apps/shop/base/api.yaml.hbs", "\n\n\n\n\n\n  - name: {{ pullSecret }}\n");
    excerpts.preload(
        "odd.yaml",
        format!("ab:\t\u{1b}[31m\u{202e}日本\u{9b}x\n{long}\n  a: whole line  \nCANARY\n"),
    );
    excerpts
}

/// Prints the sample report.
pub(crate) fn print<T>(write: impl Fn(&Report, &PrintContext<'_>) -> T) -> T {
    print_report(&report(), write)
}

/// Prints a report with the sample sources.
pub(crate) fn print_report<T>(report: &Report, write: impl Fn(&Report, &PrintContext<'_>) -> T) -> T {
    let excerpts = excerpts();
    let context = PrintContext {
        version: "1.2.3",
        fail_on: Some(Severity::Error),
        excerpts: &excerpts,
        width: None,
        quiet: false,
    };
    write(report, &context)
}

/// Compares with a committed file, or rewrites it if `SEALWAVE_UPDATE_GOLDEN` is set.
#[expect(clippy::disallowed_methods, reason = "a switch of the tests, not a setting")]
pub(crate) fn assert_golden(name: &str, actual: &[u8]) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name);
    if std::env::var_os("SEALWAVE_UPDATE_GOLDEN").is_some() {
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(&path, actual).unwrap();
    }
    let expected = fs_err::read(&path).unwrap();
    let (expected, actual) = (String::from_utf8_lossy(&expected), String::from_utf8_lossy(actual));
    assert!(expected == actual, "{name} differs; set SEALWAVE_UPDATE_GOLDEN=1 to update it\n{actual}");
}

/// Checks a document against a JSON Schema.
pub(crate) fn assert_valid(schema: &serde_json::Value, document: &[u8]) {
    let validator = jsonschema::validator_for(schema).unwrap();
    let document = serde_json::from_slice(document).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

/// Returns a baseline of the report, with paths as they are.
pub(crate) fn baseline() -> super::Baseline {
    super::Baseline::from_report(&report(), &super::BaselineNames { path: &|_| None, app: &|_| None })
}
