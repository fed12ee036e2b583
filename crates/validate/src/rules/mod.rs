//! The registry of the rules of `validate`, each in a file of its own.
//!
//! A new rule needs a file `<group>/<name>.rs` with a static `RULE`, its page `<group>/<name>.md`, a line in the `rules!` of
//! the group, and a directory `testdata/lints/<group>-<name>` with a bad example whose spans are marked, a good one, and a
//! near miss. Rules use `facts` and `field_checks`, never each other.
//!
//! `cargo fmt` does not see modules that a macro declares: format the file of a rule with `rustfmt`.

/// Registers the rules of a group: modules with a static `RULE`, or statics in the file of the group.
macro_rules! rules {
    (@modules) => {};
    (@modules static $name:ident, $($rest:tt)*) => { rules! { @modules $($rest)* } };
    (@modules $module:ident, $($rest:tt)*) => { pub(crate) mod $module; rules! { @modules $($rest)* } };
    (@list [$($list:tt)*]) => {
        /// The rules of the group.
        pub(super) const RULES: &[&crate::rule::Rule] = &[$($list)*];
    };
    (@list [$($list:tt)*] static $name:ident, $($rest:tt)*) => { rules! { @list [$($list)* &$name,] $($rest)* } };
    (@list [$($list:tt)*] $module:ident, $($rest:tt)*) => { rules! { @list [$($list)* &$module::RULE,] $($rest)* } };
    ($($entries:tt)*) => { rules! { @modules $($entries)* } rules! { @list [] $($entries)* } };
}

pub(crate) mod api;
pub(crate) mod app;
pub(crate) mod argocd;
pub(crate) mod cert_manager;
pub(crate) mod config;
pub(crate) mod csi;
pub(crate) mod environment;
pub(crate) mod external_secrets;
pub(crate) mod image;
pub(crate) mod metadata;
pub(crate) mod operator;
mod pages;
pub(crate) mod policy;
mod problem_kinds;
pub(crate) mod rbac;
pub(crate) mod reference;
pub(crate) mod resource;
pub(crate) mod schema;
pub(crate) mod seal;
pub(crate) mod secret;
pub(crate) mod suppression;
pub(crate) mod wave;
pub(crate) mod workload;
pub(crate) mod yaml;

use crate::RuleInfo;
use crate::rule::Rule;

pub use pages::{closest_rule, explain_rule, format_list, format_rule_pages, rules_matching};
pub(crate) use problem_kinds::rule_of;

// The names under which other modules know the input and the output of rules.
pub use crate::facts::credential::may_be_credential;
pub use crate::facts::neighbors::NeighborApps;
pub use crate::facts::operator_view::OperatorView;
pub use crate::facts::rule_context::{EarlierBackends, KnownApp, KnownApps, RuleSettings};
pub use crate::facts::secret_text::SECRET_SIGNS;

/// The rules of each group.
const GROUPS: &[&[&Rule]] = &[
    api::RULES,
    app::RULES,
    argocd::RULES,
    cert_manager::RULES,
    config::RULES,
    csi::RULES,
    environment::RULES,
    external_secrets::RULES,
    image::RULES,
    metadata::RULES,
    operator::RULES,
    policy::RULES,
    rbac::RULES,
    reference::RULES,
    resource::RULES,
    schema::RULES,
    seal::RULES,
    secret::RULES,
    suppression::RULES,
    wave::RULES,
    workload::RULES,
    yaml::RULES,
];

/// All rules, sorted by id.
pub(crate) static RULES: &[&Rule] = &sorted::<{ count() }>();

/// Counts the rules of all groups.
const fn count() -> usize {
    let (mut count, mut group) = (0, 0);
    while group < GROUPS.len() {
        count += GROUPS[group].len();
        group += 1;
    }
    count
}

/// Returns the rules of all groups, sorted by id.
const fn sorted<const COUNT: usize>() -> [&'static Rule; COUNT] {
    let mut all = [GROUPS[0][0]; COUNT];
    let (mut count, mut group) = (0, 0);
    while group < GROUPS.len() {
        let mut number = 0;
        while number < GROUPS[group].len() {
            let mut at = count;
            while at > 0 && is_less(GROUPS[group][number].info.id, all[at - 1].info.id) {
                all[at] = all[at - 1];
                at -= 1;
            }
            all[at] = GROUPS[group][number];
            count += 1;
            number += 1;
        }
        group += 1;
    }
    all
}

/// Compares two ids by their bytes.
const fn is_less(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut at = 0;
    while at < one.len() && at < other.len() {
        if one[at] != other[at] {
            return one[at] < other[at];
        }
        at += 1;
    }
    one.len() < other.len()
}

/// Returns all rules, sorted by id.
pub fn rules() -> impl Iterator<Item = &'static RuleInfo> {
    RULES.iter().map(|rule| &rule.info)
}

/// Returns the rule with an id.
#[must_use]
pub fn rule(id: &str) -> Option<&'static RuleInfo> {
    rules().find(|rule| rule.id == id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::{ExcerptPolicy, RuleInput, RuleKind, RuleOverlap, RuleTopic};

    /// The kinds of the rules of each group whose rules are not all about objects, with the exceptions.
    const KINDS: &[(&str, RuleKind)] = &[
        ("api/", RuleKind::Schema),
        // The app renders; what it renders is not the same each time.
        ("app/unstable-source", RuleKind::Document),
        ("app/", RuleKind::App),
        ("schema/", RuleKind::Schema),
        ("secret/", RuleKind::Secret),
        ("suppression/", RuleKind::Suppression),
        ("yaml/syntax", RuleKind::Syntax),
        ("yaml/", RuleKind::Document),
    ];

    #[test]
    fn each_rule_of_a_group_has_the_kind_of_the_group() {
        for rule in rules() {
            let of_group = KINDS.iter().find(|(prefix, _)| rule.id.starts_with(prefix));
            assert_eq!(rule.kind, of_group.map_or(RuleKind::Object, |(_, kind)| *kind), "{}", rule.id);
        }
    }

    #[test]
    fn the_kind_decides_what_may_be_changed_and_shown() {
        let traits = [
            (RuleKind::App, false, false, ExcerptPolicy::HarmlessText),
            (RuleKind::Document, true, true, ExcerptPolicy::KnownObject),
            (RuleKind::Object, true, true, ExcerptPolicy::NoSecretObject),
            (RuleKind::Schema, true, true, ExcerptPolicy::NoSecretObject),
            (RuleKind::Secret, true, true, ExcerptPolicy::Never),
            (RuleKind::Suppression, false, true, ExcerptPolicy::NoSecretObject),
            (RuleKind::Syntax, false, false, ExcerptPolicy::HarmlessText),
        ];
        for rule in rules() {
            let (_, is_suppressible, is_adjustable, excerpts) =
                *traits.iter().find(|(kind, ..)| *kind == rule.kind).unwrap();
            assert_eq!(rule.is_suppressible(), is_suppressible, "{}", rule.id);
            assert_eq!(rule.is_adjustable(), is_adjustable, "{}", rule.id);
            assert_eq!(rule.kind.excerpts(), excerpts, "{}", rule.id);
        }
    }

    #[test]
    fn rare_traits_belong_to_the_listed_rules() {
        let ids = |has: &dyn Fn(&RuleInfo) -> bool| {
            rules().filter(|rule| has(rule)).map(|rule| rule.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(&|rule| rule.input == RuleInput::RejectedKinds), ["schema/rejected-kind"]);
        assert_eq!(ids(&|rule| rule.input == RuleInput::SealingCertificates), ["seal/foreign-certificate"]);
        assert_eq!(ids(&|rule| rule.input == RuleInput::EarlierRevision), ["secret/one-step-switch"]);
        assert_eq!(ids(&|rule| rule.is_lenient), ["yaml/duplicate-key"]);
        assert_eq!(
            ids(&|rule| rule.topic == RuleTopic::Security),
            [
                "environment/foreign-path",
                "environment/same-secret",
                "operator/policy",
                "rbac/cluster-admin",
                "rbac/escalation",
                "rbac/read-secrets",
                "rbac/wildcard",
                "seal/same-ciphertext",
                "workload/automount-token"
            ]
        );
        for id in ids(&|rule| rule.reports_absence()) {
            let is_absence =
                ["missing", "dangling", "unused", "unmounted"].iter().any(|word| id.contains(word));
            assert!(is_absence, "{id}");
        }
        for id in ids(&|rule| rule.id.starts_with("reference/")) {
            assert!(rule(id).unwrap().reports_absence(), "{id}");
        }
        assert_eq!(ids(&|rule| rule.overlap == RuleOverlap::RejectedPlace), ["resource/unfilled"]);
        assert_eq!(ids(&|rule| rule.overlap == RuleOverlap::SchemaViolation), ["resource/incomplete"]);
    }

    /// Returns the files of a group that its `mod.rs` neither declares nor registers.
    fn stray_files(group: &Path) -> Vec<String> {
        let text = fs_err::read_to_string(group.join("mod.rs")).unwrap();
        let declared: BTreeSet<&str> = text
            .lines()
            .filter_map(|line| match line.strip_prefix("mod ") {
                Some(helper) => helper.strip_suffix(';'),
                None => line.strip_prefix("    ")?.strip_suffix(','),
            })
            .collect();
        let files = fs_err::read_dir(group).unwrap().map(|entry| entry.unwrap().path());
        let stray = files.filter(|path| {
            let is_code = path.extension().is_some_and(|end| end == "rs") && !path.ends_with("mod.rs");
            is_code && !declared.contains(path.file_stem().unwrap().to_str().unwrap())
        });
        let mut stray: Vec<String> = stray.map(|path| path.display().to_string()).collect();
        stray.sort();
        stray
    }

    #[test]
    fn every_file_is_part_of_its_group() {
        let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules");
        let entries = fs_err::read_dir(&rules).unwrap().map(|entry| entry.unwrap().path());
        let groups: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
        assert_eq!(groups.len(), GROUPS.len());
        let stray: Vec<String> = groups.iter().flat_map(|group| stray_files(group)).collect();
        assert!(stray.is_empty(), "files without a line in `rules!` of their group: {stray:?}");
    }

    #[test]
    fn a_stray_file_is_found() {
        let group = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("mod.rs", "mod helper;\n\nrules! {\n    known,\n}\n"),
            ("helper.rs", ""),
            ("known.rs", ""),
            ("stray.rs", ""),
        ] {
            fs_err::write(group.path().join(name), text).unwrap();
        }
        assert_eq!(stray_files(group.path()), [group.path().join("stray.rs").display().to_string()]);
    }

    #[test]
    fn the_table_is_sorted_and_every_rule_has_all_texts() {
        assert!(RULES.is_sorted_by(|a, b| a.info.id < b.info.id));
        for rule in rules() {
            let id = rule.id;
            assert!(
                id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "/-".contains(c)),
                "{id}"
            );
            assert_eq!(id.matches('/').count(), 1, "{id}");
            for text in [rule.summary, rule.explanation(), rule.example(), rule.remedy()] {
                assert!(!text.trim().is_empty(), "{id} has an empty text");
            }
            assert!(!rule.summary.ends_with('.') && !rule.summary.contains('\n'), "{id}");
        }
    }
}
