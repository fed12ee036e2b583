//! Tests the table of kinds: its names and features, the facts of each kind, and the steps to add one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::*;
use crate::testing;
use sealwave_secrets::SealingScope;
use sealwave_secrets::placeholder::PROVIDER_KINDS;
use sealwave_secrets::policy::{Destination, Policy, PolicyDecision, PolicySubject};
use sealwave_secrets::settings::OperatorConfig;

mod documentation;
mod example;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Reads an operator file with these lines.
fn operator<P: serde::de::DeserializeOwned>(lines: &str) -> OperatorConfig<P> {
    let text = format!("apiVersion: sealwave.dev/v1alpha1\nkind: Operator\n{lines}");
    yaml_serde::from_str(&text).expect("an operator file")
}

/// Decides about `provider:path` for an app of project `shop`.
fn decide(policy: &Policy, source: &str) -> PolicyDecision {
    let subject = PolicySubject {
        project: "shop".to_owned(),
        namespace: "shop".to_owned(),
        ..PolicySubject::default()
    };
    let destination = Destination::new("dev", "shop", SealingScope::Strict);
    policy.decide(&subject, &testing::reference(source), &destination)
}

#[test]
fn the_placeholder_language_knows_the_same_kinds() {
    let names: Vec<&str> = ProviderConfig::KINDS.iter().map(|kind| kind.name).collect();
    assert_eq!(names, PROVIDER_KINDS, "`PROVIDER_KINDS` in crates/secrets/src/placeholder/mod.rs");
    assert!(names.is_sorted());
    let error = serde_json::from_str::<ProviderConfig>(r#"{"kind": "x"}"#).expect_err("an unknown kind");
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let expected = format!("unknown variant `x`, expected one of {}", names.join(", "));
    assert!(error.to_string().starts_with(&expected), "{error}");
}

#[test]
fn the_program_has_each_feature_by_default() {
    let manifest = fs_err::read_to_string(format!("{ROOT}/Cargo.toml")).expect("the manifest");
    let default = manifest.lines().find(|line| line.starts_with("default = [")).expect("default features");
    for feature in ProviderConfig::KINDS.iter().filter_map(|kind| kind.feature) {
        assert!(default.contains(&format!("\"{feature}\"")), "{default}");
        assert!(manifest.contains(&format!("\n{feature} = [\"sealwave-providers/{feature}\"")), "{feature}");
    }
}

/// A file that is missing here could be read through a `file` provider.
#[test]
fn credential_files_of_each_kind_are_protected() {
    let all = [
        ("aws-sm", "caFile: a", &["a"][..]),
        ("aws-ssm", "caFile: a", &["a"]),
        ("derive", "keyFile: a", &["a"]),
        ("env", "names: []", &[]),
        ("file", "root: a", &[]),
        ("k8s", "namespace: n\nkubeconfig: a", &["a"]),
        ("sops", "ageKeyFiles: [a, b]\nawsKms: {keys: [], caFile: c}", &["a", "b", "c"]),
        ("vault", "address: v\nauth: {token: {file: a}}\ncaFile: b", &["a", "b"]),
        ("vault", "address: v\nauth: {appRole: {roleId: r, secretIdFile: a}}", &["a"]),
        ("vault", "address: v\nauth: {kubernetes: {role: r, tokenFile: a}}", &["a"]),
        ("vault", "address: v\nauth: {kubernetes: {role: r}}", &[]),
    ];
    for (kind, settings, files) in all {
        let config: ProviderConfig =
            yaml_serde::from_str(&format!("kind: {kind}\n{settings}")).expect("valid settings");
        let files: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
        assert_eq!(config.credential_files(), files, "{kind}: {settings}");
    }
    let tested: BTreeSet<&str> = all.iter().map(|(kind, ..)| *kind).collect();
    assert_eq!(tested, BTreeSet::from(PROVIDER_KINDS));
}

#[test]
fn the_other_spelling_of_a_vault_path_does_not_bypass_a_deny() {
    let operator: OperatorConfig<ProviderConfig> = operator(
        "providers: {vault: {kind: vault, address: 'https://v', mounts: {secret: 2}, auth: {token: {file: t}}}}
policy: [{projects: [shop], allow: ['vault:**'], deny: ['vault:secret/admin/**']}]",
    );
    let policy = Policy::from_operator(&operator).expect("valid");
    assert_eq!(decide(&policy, "vault:secret/admin/db"), PolicyDecision::Denied { rule: 0 });
    assert_eq!(decide(&policy, "vault:secret/data/admin/db"), PolicyDecision::Denied { rule: 0 });
    assert_eq!(decide(&policy, "vault:secret/data/shop/db"), PolicyDecision::Allowed { rule: 0 });
}

provider_kinds! {
    /// The settings of a program with one more provider.
    enum ExtendedConfig {
        "env" Env(env::EnvSettings),
        /// The provider of `kinds/tests/example.rs`.
        "example" Example(example::ExampleSettings),
    }
}

/// A line in a table is all that connects a provider with the operator file, the policy and the fetch.
#[test]
fn a_provider_is_added_with_one_line() {
    let operator: OperatorConfig<ExtendedConfig> = operator(
        "providers: {ex: {kind: example, greeting: hello, keyFile: key}, e: {kind: env, names: [A]}}
policy: [{projects: [shop], allow: ['ex:**'], deny: ['ex:admin']}]",
    );
    assert_eq!(ExtendedConfig::KINDS.last(), Some(&ProviderKind { name: "example", feature: None }));
    let provider = &operator.providers["ex"];
    assert_eq!(provider.credential_files(), [Path::new("key")]);
    assert_eq!((provider.kind(), provider.not_built()), ("example", None));
    let protected = crate::ProtectedFiles::default();
    let environment: crate::EnvLookup = std::sync::Arc::new(|_| None);
    let context =
        LocalContext { operator_dir: Path::new("."), protected: &protected, environment: &environment };
    assert!(provider.offline_problems(&context).is_empty() && provider.login_programs(&context).is_empty());
    let policy = Policy::from_operator(&operator).expect("valid");
    assert_eq!(decide(&policy, "ex:ADMIN"), PolicyDecision::Denied { rule: 0 });
    assert_eq!(decide(&policy, "ex:shop"), PolicyDecision::Allowed { rule: 0 });

    let app = testing::app(Path::new("."));
    let context = ProviderContext {
        operator_dir: Path::new("."),
        protected: &protected,
        app: &app,
        environment: &environment,
    };
    let created = provider.create("ex", &context).expect("valid settings");
    let reference = testing::reference("ex:world");
    let fetched = created.fetch(&[&reference], Instant::now() + Duration::from_mins(1));
    assert_eq!(testing::bytes(fetched), [Ok(b"hello world".to_vec())]);

    let config: BTreeMap<String, ExtendedConfig> =
        yaml_serde::from_str("{ex: {kind: example, greeting: '', keyFile: key}}").expect("settings");
    let error = config["ex"].create("ex", &context).err().expect("an error");
    assert_eq!(error.to_string(), "`greeting` is empty");
}
