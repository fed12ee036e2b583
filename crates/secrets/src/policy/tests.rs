use proptest::prelude::*;

use super::*;
use crate::SealingScope;
use crate::placeholder::{PlaceholderText, TextPart};
use sealwave_core::diagnostic::Explain as _;

fn rule(projects: &[&str], allow: &[&str], deny: &[&str]) -> PolicyRule {
    PolicyRule {
        projects: Some(strings(projects)),
        allow: strings(allow),
        deny: strings(deny),
        ..PolicyRule::default()
    }
}

fn strings(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

/// A provider whose paths have no other spellings.
#[derive(Clone, serde::Deserialize)]
struct PlainPaths {}

impl PathSpellings for PlainPaths {
    fn other_spellings(&self, _path: &str) -> Vec<String> {
        Vec::new()
    }
}

/// Returns an operator file with these rules and clusters.
fn operator(rules: &[PolicyRule], clusters: &[&str]) -> OperatorConfig<PlainPaths> {
    let cluster = |name: &&str| format!("{name}: {{certificate: {{file: c.pem}}}}");
    let clusters = clusters.iter().map(cluster).collect::<Vec<_>>().join(", ");
    let text = format!("{{apiVersion: sealwave.dev/v1alpha1, kind: Operator, clusters: {{{clusters}}}}}");
    let operator: OperatorConfig<PlainPaths> = yaml_serde::from_str(&text).expect("an operator file");
    OperatorConfig { policy: rules.to_vec(), ..operator }
}

fn policy(rules: &[PolicyRule]) -> Policy {
    Policy::from_operator(&operator(rules, &["dev"])).unwrap_or_else(|failure| panic!("{failure}"))
}

/// Returns the destination that no rule has to list: the app's own namespace, strict.
fn own_namespace() -> Destination<'static> {
    Destination::new("dev", "shop", SealingScope::Strict)
}

fn subject(project: &str) -> PolicySubject {
    PolicySubject {
        project: project.to_owned(),
        app: "team_shop".to_owned(),
        namespace: "shop".to_owned(),
        repository: "https://git.example.com/shop/deploy.git".to_owned(),
        environment: "dev".to_owned(),
    }
}

fn reference(source: &str) -> SecretReference {
    let text = PlaceholderText::parse(&format!("<{source}>")).expect("well formed");
    match text.parts() {
        [TextPart::Placeholder(placeholder)] => placeholder.reference.clone(),
        _ => panic!("no reference: {source}"),
    }
}

fn decide(rules: &[PolicyRule], subject: &PolicySubject, source: &str) -> PolicyDecision {
    policy(rules).decide(subject, &reference(source), &own_namespace())
}

fn allows(pattern: &str, source: &str) -> bool {
    matches!(decide(&[rule(&["p"], &[pattern], &[])], &subject("p"), source), PolicyDecision::Allowed { .. })
}

fn denies(pattern: &str, source: &str) -> bool {
    let rules = [rule(&["p"], &["*:**"], &[]), rule(&["p"], &[], &[pattern])];
    decide(&rules, &subject("p"), source) == PolicyDecision::Denied { rule: 1 }
}

#[test]
fn patterns() {
    for (pattern, allowed, refused) in [
        (
            "file:shop/**",
            &["file:shop/db.yaml", "file:shop/a/b#k", "file:shop/db.yaml#k#3"][..],
            &["file:shop", "file:shopping/x", "file:Shop/db", "vault:shop/db", "file:other/shop/x"][..],
        ),
        ("file:shop/*", &["file:shop/db"], &["file:shop/a/b"]),
        ("file:**", &["file:a", "file:a/b/c"], &["files:a", "env:A"]),
        ("file:*", &["file:a"], &["file:a/b"]),
        ("env:SHOP_*", &["env:SHOP_A"], &["env:shop_A", "env:XSHOP_A"]),
        ("vault-*:team/**", &["vault-eu:team/a"], &["vault:team/a", "vault-eu:teams/a"]),
        (
            "file:db.yaml#user",
            &["file:db.yaml#user", "file:db.yaml#user#2"],
            &["file:db.yaml", "file:db.yaml#users"],
        ),
        ("file:db.yaml#*", &["file:db.yaml#user"], &["file:db.yaml"]),
        ("file:{a,b}/x", &["file:a/x", "file:b/x"], &["file:c/x"]),
        ("file:{namespace}/{env}/*", &["file:shop/dev/x"], &["file:shop/prod/x", "file:{namespace}/dev/x"]),
        ("file:{{namespace},shared}/x", &["file:shop/x", "file:shared/x"], &["file:other/x"]),
        ("file:{app}/x", &["file:team_shop/x"], &["file:team/x", "file:teamXshop/x"]),
        (r"file:\{env\}/x", &["file:{env}/x"], &["file:dev/x"]),
        ("{project}:x", &["p:x"], &["file:x"]),
        ("aws-sm:arn:aws:*:secret:shop/*", &["aws-sm:arn:aws:x:secret:shop/a"], &["aws-sm:shop/a"]),
    ] {
        for source in allowed {
            assert!(allows(pattern, source), "{pattern} must allow {source}");
        }
        for source in refused {
            assert!(!allows(pattern, source), "{pattern} must refuse {source}");
        }
    }
}

/// A quoted key is the same secret, and a path into an object is a part of it.
#[test]
fn r18_quotes_bypass_no_rule() {
    for (pattern, source, expected) in [
        ("file:a#db.user", "file:a#db.user", true),
        ("file:a#db.user", "file:a#\"db.user\"", false),
        ("file:a#db.user", "file:a#\"db\".user", false),
        ("file:a#db.user", "file:a#db", false),
        ("file:a#db.user", "file:a#db.user.0", false),
        ("file:a#user", "file:a#\"user\"", true),
        ("file:a#\"db.x\".user", "file:a#\"db.x\".user", true),
        ("file:a#\"db.x\".user", "file:a#\"db.x\".\"user\"", true),
        ("file:a#\"db.x\".user", "file:a#db.x.user", false),
        ("file:a#\"db.x\".*", "file:a#\"db.x\".user", true),
        ("file:a#db.*", "file:a#\"db.x\"", false),
        ("aws-sm:rds!*#password", "aws-sm:rds!db-12#password", true),
        ("aws-sm:rds!*#password", "aws-sm:rds!db-12#username", false),
        ("aws-sm:rds!*#password", "aws-sm:rds%21db-12#password", false),
        ("aws-sm:rds!*", "aws-sm:rds!db-12/x", false),
    ] {
        assert_eq!(allows(pattern, source), expected, "{pattern} {source}");
    }
    for (pattern, source) in [
        ("file:a#password", "file:a#\"password\""),
        ("file:a#db.password", "file:a#\"db.password\""),
        ("file:a#db.password", "file:a#\"db\".password"),
        ("file:a#db.password", "file:a#db.\"password\".0"),
        ("file:a#db.password", "file:a#db"),
        ("file:a#db.password", "file:a#\"db\""),
        ("file:a#list.0", "file:a#list.\"0\""),
        ("file:a#\"config.json\".db.password", "file:a#config.json"),
        ("file:a#\"config.json\".db.password", "file:a#config.json.db.password"),
        ("file:a#\"config.json\".db.password", "file:a#\"config.json\".db"),
        ("file:a#config.json", "file:a#\"config.json\".db.password"),
        ("file:a#config.json", "file:a#\"CONFIG.json\".x"),
        ("file:a#a\"b", "file:a#\"a\\\"b.c\""),
    ] {
        assert!(denies(pattern, source), "{pattern} must deny {source}");
    }
    assert!(!denies("file:a#db.password", "file:a#db.user"));
    assert!(!denies("file:a#\"db.x\".user", "file:a#\"db.y\".user"));
}

#[test]
fn r18_patterns_with_impossible_keys_are_refused() {
    for key in ["\"user\"", "\"*\"", "\"db\".\"*\"", "\"a", "\"a\"b", "a.\"b\"", "\"\""] {
        let rules = [rule(&["p"], &[&format!("file:a#{key}")], &[])];
        let failure =
            Policy::from_operator(&operator(&rules, &["dev"])).err().unwrap_or_else(|| panic!("{key}"));
        assert!(failure.to_string().contains("the key of pattern"), "{key}: {failure}");
        assert!(failure.problems()[0].hint.is_some());
    }
    for key in ["\"a.b\"", "\"a.b\".*", "{\"a.b\",c}", "{user,pass*}", "a\"b", "\"a\".b"] {
        assert!(
            Policy::from_operator(&operator(&[rule(&["p"], &[&format!("file:a#{key}")], &[])], &["dev"]))
                .is_ok(),
            "{key}"
        );
    }
}

#[test]
fn hostile_paths_widen_nothing() {
    for source in [
        "file:shop/../admin/db",
        "file:shop/..",
        "file:../shop/x",
        "file:shop/.. /admin",
        "file:shop/..\\admin",
        "file:shop%2fdb",
        "file:%73hop/db",
        "file:*/db",
        "file:**",
        "file:sho?/db",
        "file:[s]hop/db",
        "file:{shop,admin}/db",
        "file:ѕhop/db",
        "file:sh\u{6f}\u{308}p/db",
        "file:SHOP/db",
        "file:/shop/db",
        "file:./shop/db",
        "file://shop/db",
        "file:admin/db#shop/db",
        "file:admin/db##shop/**",
    ] {
        assert!(!allows("file:shop/**", source), "{source}");
    }
    // Not decoded: it remains one literal segment below `shop`.
    assert!(allows("file:shop/*", "file:shop/%2e%2e"));
}

#[test]
fn deny_is_interpreted_broadly() {
    for (pattern, denied, left) in [
        (
            "file:prod/**",
            &[
                "file:prod/db",
                "file:/prod/db",
                "file:PROD/db",
                "file:prod//db",
                "file:./prod/./db",
                "file:%70rod/db",
                "file:prod%2Fdb",
                "file:prod\\db",
                "file:prod/db#key#3",
            ][..],
            &["file:dev/db", "file:prod2/db", "vault:prod/db"][..],
        ),
        (
            "aws-sm:prod/*",
            &[
                "aws-sm:arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf",
                "aws-sm:arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:prod/db",
            ],
            &["aws-sm:arn:aws:secretsmanager:eu-west-1:123456789012:secret:dev/db-AbCdEf"],
        ),
        (
            "aws-ssm:/prod/**",
            &["aws-ssm:/prod/a", "aws-ssm:prod/a", "aws-ssm:arn:aws:ssm:eu-west-1:1:parameter/prod/a"],
            &["aws-ssm:/dev/a"],
        ),
        (
            "file:db#a.b",
            &["file:db#a.b", "file:db", "file:db#a", "file:db#a.b.c", "file:db#A.B", "file:db#a.b[0]"],
            &["file:db#a.c", "file:db#b"],
        ),
        ("file:{namespace}/*", &["file:shop/x"], &["file:other/x"]),
    ] {
        for source in denied {
            assert!(denies(pattern, source), "{pattern} must deny {source}");
        }
        for source in left {
            assert!(!denies(pattern, source), "{pattern} must not deny {source}");
        }
    }
}

#[test]
fn the_default_is_refusal_and_decisions_name_the_rule() {
    let rules =
        [rule(&["crm"], &["file:**"], &[]), rule(&["shop-*", "shop"], &["env:*", "file:shop/*"], &[])];
    let source = "file:shop/db";
    assert_eq!(decide(&[], &subject("shop"), source), PolicyDecision::Refused);
    assert_eq!(decide(&rules, &subject("shop"), source), PolicyDecision::Allowed { rule: 1 });
    assert_eq!(decide(&rules, &subject("shop-eu"), source), PolicyDecision::Allowed { rule: 1 });
    assert_eq!(decide(&rules, &subject("crm"), source), PolicyDecision::Allowed { rule: 0 });
    for project in ["", "Shop", "shopping", "default", "shop/x", "*", "shop-*/x", "{shop,crm}", "[s]hop"] {
        assert_eq!(decide(&rules, &subject(project), source), PolicyDecision::Refused, "{project}");
    }
    let named = PolicyRule { name: Some("shops".into()), ..rule(&["*"], &["env:*"], &[]) };
    let policy = policy(&[rules[0].clone(), named]);
    assert_eq!((policy.rule_name(0), policy.rule_name(1)), ("policy[0]", "shops"));
}

#[test]
fn every_criterion_must_match() {
    let full = PolicyRule {
        apps: Some(strings(&["team_*"])),
        namespaces: Some(strings(&["shop"])),
        repositories: Some(strings(&["https://git.example.com/shop/*"])),
        environments: Some(strings(&["dev"])),
        secret_namespaces: Some(strings(&["*"])),
        ..rule(&["p"], &["file:**"], &[])
    };
    let allowed = |subject: &PolicySubject| {
        decide(std::slice::from_ref(&full), subject, "file:x") != PolicyDecision::Refused
    };
    let fits = subject("p");
    assert!(allowed(&fits));
    for other in [
        PolicySubject { project: "q".into(), ..fits.clone() },
        PolicySubject { app: "shop".into(), ..fits.clone() },
        PolicySubject { namespace: "crm".into(), ..fits.clone() },
        PolicySubject { namespace: String::new(), ..fits.clone() },
        PolicySubject { repository: "https://git.example.com/crm/deploy".into(), ..fits.clone() },
        PolicySubject { repository: String::new(), ..fits.clone() },
        PolicySubject { environment: "prod".into(), ..fits.clone() },
        PolicySubject { environment: String::new(), ..fits.clone() },
    ] {
        assert!(!allowed(&other), "{other}");
    }
}

#[test]
fn deny_takes_precedence_in_any_order() {
    let allow = rule(&["*"], &["file:**"], &[]);
    let deny = PolicyRule { deny: strings(&["file:prod/**"]), ..PolicyRule::default() };
    for (rules, number) in [([allow.clone(), deny.clone()], 1), ([deny, allow], 0)] {
        assert_eq!(decide(&rules, &subject("p"), "file:prod/x"), PolicyDecision::Denied { rule: number });
        assert_eq!(decide(&rules, &subject("p"), "file:dev/x"), PolicyDecision::Allowed { rule: 1 - number });
    }
    let both = [rule(&["p"], &["file:**"], &["file:a"])];
    assert_eq!(decide(&both, &subject("p"), "file:a"), PolicyDecision::Denied { rule: 0 });
    assert_eq!(decide(&both, &subject("q"), "file:a"), PolicyDecision::Refused);
}

/// A variable without a valid value allows nothing, and cannot bypass a `deny`.
#[test]
fn unknown_values_are_refused() {
    let names =
        ["", "*", "a/b", "..", "a..b", ".", "{x}", "a,b", "[a]", "a?", "a\\", "а", "a b", "-a", "a\n"];
    for name in names {
        let odd = PolicySubject { app: name.to_owned(), ..subject("p") };
        let allow = [rule(&["p"], &["file:{app}/**", "file:x{app}"], &[])];
        for source in ["file:a/b", "file:*/b", "file:x", "file:a/b/c", "file://x", "file:xa", "file:{app}/x"]
        {
            assert_eq!(decide(&allow, &odd, source), PolicyDecision::Refused, "{name:?} {source}");
        }
        let deny = [rule(&["p"], &["*:**"], &["file:{app}/**"])];
        assert_eq!(decide(&deny, &odd, "file:z"), PolicyDecision::Denied { rule: 0 }, "{name:?}");
    }
    let unknown = PolicySubject { namespace: String::new(), ..subject("p") };
    let deny = PolicyRule { namespaces: Some(strings(&["prod"])), ..rule(&["p"], &[], &["file:**"]) };
    let rules = [rule(&["p"], &["file:**"], &[]), deny];
    assert_eq!(decide(&rules, &unknown, "file:x"), PolicyDecision::Denied { rule: 1 });
    assert_eq!(decide(&rules, &subject("p"), "file:x"), PolicyDecision::Allowed { rule: 0 });
}

#[test]
fn repository_urls() {
    let decide = |pattern: &str, url: &str| {
        let at = |deny: &[&str], allow: &[&str]| PolicyRule {
            repositories: Some(strings(&[pattern])),
            ..rule(&["p"], allow, deny)
        };
        let subject = PolicySubject { repository: url.to_owned(), ..subject("p") };
        let allowed =
            policy(&[at(&[], &["file:**"])]).decide(&subject, &reference("file:x"), &own_namespace());
        let denied =
            policy(&[at(&["file:**"], &[])]).decide(&subject, &reference("file:x"), &own_namespace());
        (allowed != PolicyDecision::Refused, denied != PolicyDecision::Refused)
    };
    let https = "https://git.example.com/shop/*";
    for (pattern, url, expected) in [
        (https, "https://git.example.com/shop/deploy", (true, true)),
        (https, "https://git.example.com/shop/deploy.git", (true, true)),
        (https, "HTTPS://Git.Example.com/shop/deploy/", (true, true)),
        (https, "https://token@git.example.com/shop/deploy", (true, true)),
        (https, "https://git.example.com/Shop/deploy", (false, true)),
        (https, "https://git.example.com:443/shop/deploy", (false, true)),
        (https, "http://git.example.com/shop/deploy", (false, true)),
        (https, "git@git.example.com:shop/deploy", (false, true)),
        (https, "https://git.example.com//shop/deploy", (false, true)),
        (https, "https://git.example.com/%73hop/deploy", (false, true)),
        (https, "https://git.example.com/crm/../shop/deploy", (false, true)),
        (https, "https://git.example.com/shop/..", (false, false)),
        (https, "https://git.example.com/shop/../crm", (false, false)),
        (https, "https://git.example.com.evil.org/shop/deploy", (false, false)),
        (https, "https://git.example.com@evil.org/shop/deploy", (false, false)),
        (https, "https://evil.org/git.example.com/shop/deploy", (false, false)),
        (https, "https://git.example.com/shop/a/b", (false, false)),
        ("https://git.example.com/shop/deploy.git", "https://git.example.com/shop/deploy", (true, true)),
        ("git@git.example.com:shop/*", "ssh://git@git.example.com/shop/deploy.git", (true, true)),
        ("git@git.example.com:shop/*", "git@git.example.com:shop/deploy", (true, true)),
        ("git@git.example.com:shop/*", "mallory@git.example.com:shop/deploy", (false, true)),
        ("*", "https://git.example.com/shop/deploy", (true, true)),
        ("https://git.example.com/**", "https://git.example.com/a/b/c", (true, true)),
    ] {
        assert_eq!(decide(pattern, url), expected, "{pattern} {url}");
    }
}

#[test]
fn bad_rules_are_reported_together() {
    let named = |name: &str| PolicyRule { name: Some(name.to_owned()), ..rule(&["*"], &["file:*"], &[]) };
    for (rule, count) in [
        (rule(&["*"], &["file:[a", "shop/**"], &[]), 2),
        (rule(&[], &["file:**"], &[]), 1),
        (rule(&["{a"], &[], &[]), 2),
        (PolicyRule { allow: strings(&["file:*"]), ..PolicyRule::default() }, 1),
        (rule(&["*"], &["path:x", ":x"], &[]), 2),
        (rule(&["*"], &["file:{environment}/x", "file:{a}", "file:[{app}]/x"], &["file:{Project}"]), 4),
        (rule(&["{project}"], &["file:x"], &[]), 1),
        (
            PolicyRule {
                repositories: Some(strings(&["https://x/{app}", "[a"])),
                ..rule(&["*"], &["file:x"], &[])
            },
            1,
        ),
        (PolicyRule { apps: Some(Vec::new()), ..rule(&["*"], &["file:x"], &[]) }, 1),
        (named(""), 1),
    ] {
        let failure = Policy::from_operator(&operator(&[rule], &["dev"])).err().expect("a failure");
        assert_eq!(failure.problems().len(), count, "{failure}");
        assert!(failure.problems().iter().all(|problem| problem.hint.is_some()));
    }
    assert!(Policy::from_operator(&operator(&[named("a"), named("a")], &["dev"])).is_err());
}

proptest! {
    /// However a reference is written: a pattern allows nothing outside its literal prefix.
    #[test]
    fn nothing_outside_of_a_literal_prefix_is_allowed(
        provider in "(file|file-2|fil|vault)",
        path in prop_oneof![".*", "(shop|[Ss]hop|\\*|%73hop|sho\\?)?[/\\\\.]{0,3}[a-z*?\\[{/.%]{0,12}"],
        key in proptest::option::of(".*"),
        app in ".*",
    ) {
        let reference = SecretReference { provider: provider.as_str().into(), path: path.clone(), key, version: None, all_keys: false };
        let rules = [rule(&["p"], &["file:shop/**", "file:shop/{app}/*", "file:shop/[!x]*#k"], &[])];
        let subject = PolicySubject { app, ..subject("p") };
        if let PolicyDecision::Allowed { .. } = policy(&rules).decide(&subject, &reference, &own_namespace()) {
            prop_assert!(provider == "file" && path.starts_with("shop/") && !has_parent_segment(&path));
        }
    }

    /// The value of a variable stands only for itself, and never for a pattern.
    #[test]
    fn a_variable_matches_only_its_own_value(app in "[-a-z*?{},.\\[\\]!\\\\/_]{0,6}", other in "[-a-z*?{},.\\[\\]!\\\\/_]{0,6}") {
        let reference = SecretReference { provider: "file".into(), path: format!("{other}/x"), key: None, version: None, all_keys: false };
        let rules = [rule(&["p"], &["file:{app}/x"], &[])];
        let subject = PolicySubject { app: app.clone(), ..subject("p") };
        if let PolicyDecision::Allowed { .. } = policy(&rules).decide(&subject, &reference, &own_namespace()) {
            prop_assert_eq!(app, other);
        }
    }

    /// No URL and no pattern causes a panic, and credentials are always removed.
    #[test]
    fn any_url_is_accepted_without_credentials(url in ".*", user in "[a-z]{1,8}", password in "[A-Z0-9]{8,12}") {
        let _ = RepositoryPatterns::new("r", std::slice::from_ref(&url)).map(|repositories| (repositories.matches(&url), repositories.may_match(&url)));
        let with = format!("https://{user}:{password}@host/path");
        prop_assert!(!without_credentials(&with).contains(&password));
    }
}

/// A provider for which a path in reverse is the same secret.
#[derive(Clone, serde::Deserialize)]
struct MirroredPaths {}

impl PathSpellings for MirroredPaths {
    fn other_spellings(&self, path: &str) -> Vec<String> {
        vec![path.chars().rev().collect()]
    }
}

#[test]
fn another_spelling_of_a_path_does_not_bypass_a_deny() {
    let operator: OperatorConfig<MirroredPaths> = yaml_serde::from_str(
        "{apiVersion: sealwave.dev/v1alpha1, kind: Operator, providers: {mirror: {}}, \
          policy: [{projects: [shop], allow: ['mirror:**', 'other:**'], deny: ['mirror:admin', 'other:admin']}]}",
    )
    .expect("an operator file");
    let policy = Policy::from_operator(&operator).expect("valid");
    let decide = |source: &str| policy.decide(&subject("shop"), &reference(source), &own_namespace());
    assert_eq!(decide("mirror:admin"), PolicyDecision::Denied { rule: 0 });
    assert_eq!(decide("mirror:nimda"), PolicyDecision::Denied { rule: 0 });
    assert_eq!(decide("mirror:shop"), PolicyDecision::Allowed { rule: 0 });
    assert_eq!(decide("other:nimda"), PolicyDecision::Allowed { rule: 0 });
}

const SCOPES: [SealingScope; 3] =
    [SealingScope::Strict, SealingScope::NamespaceWide, SealingScope::ClusterWide];

fn decide_for(rules: &[PolicyRule], namespace: &str, destination: Destination<'_>) -> PolicyDecision {
    let policy = Policy::from_operator(&operator(rules, &["dev", "prod"]))
        .unwrap_or_else(|failure| panic!("{failure}"));
    let subject = PolicySubject { namespace: namespace.to_owned(), ..subject("p") };
    policy.decide(&subject, &reference("file:x"), &destination)
}

fn allows_for(rule: &PolicyRule, namespace: &str, destination: Destination<'_>) -> bool {
    matches!(decide_for(std::slice::from_ref(rule), namespace, destination), PolicyDecision::Allowed { .. })
}

fn in_prod(more: PolicyRule) -> PolicyRule {
    PolicyRule {
        projects: Some(strings(&["p"])),
        clusters: Some(strings(&["prod"])),
        allow: strings(&["file:**"]),
        ..more
    }
}

#[test]
fn by_default_a_rule_allows_only_the_own_namespace_and_strict() {
    let narrow = in_prod(PolicyRule::default());
    let strict = |cluster, namespace| Destination::new(cluster, namespace, SealingScope::Strict);
    assert!(allows_for(&narrow, "shop", strict("prod", "shop")));
    for (own, destination) in [
        ("shop", strict("dev", "shop")),
        ("shop", strict("PROD", "shop")),
        ("shop", strict("prod-2", "shop")),
        ("shop", strict("", "shop")),
        ("shop", strict("prod", "mallory")),
        ("shop", strict("prod", "Shop")),
        ("shop", strict("prod", "shop/db")),
        ("shop", strict("prod", "")),
        ("", strict("prod", "shop")),
        ("", strict("prod", "")),
        ("*", strict("prod", "shop")),
        ("shop/db", strict("prod", "shop/db")),
        ("shop", Destination::new("prod", "shop", SealingScope::NamespaceWide)),
        ("shop", Destination::new("prod", "shop", SealingScope::ClusterWide)),
        ("shop", Destination::new("prod", "", SealingScope::ClusterWide)),
    ] {
        assert!(!allows_for(&narrow, own, destination), "{own}: {destination}");
    }
}

#[test]
fn namespace_patterns_expand_variables_and_match_exactly() {
    let listed = |patterns: &[&str]| {
        in_prod(PolicyRule { secret_namespaces: Some(strings(patterns)), ..PolicyRule::default() })
    };
    let long = "a".repeat(64);
    for (pattern, allowed, refused) in [
        ("{namespace}", &["shop"][..], &["shops", "sho", "SHOP"][..]),
        ("{namespace}-*", &["shop-a"], &["shop", "shop-", "shop-a/b"]),
        ("{project}-{env}", &["p-dev"], &["p-prod"]),
        ("*", &["mallory", "a-1"], &["", "a/b", "a.b", "A", "-a", long.as_str()]),
        ("**", &["mallory"], &["", "shop/db", "../x"]),
        ("{a,b}", &["a", "b"], &["c", "shop"]),
    ] {
        for namespace in allowed {
            let destination = Destination::new("prod", namespace, SealingScope::Strict);
            assert!(allows_for(&listed(&[pattern]), "shop", destination), "{pattern} {namespace}");
        }
        for namespace in refused {
            let destination = Destination::new("prod", namespace, SealingScope::Strict);
            assert!(!allows_for(&listed(&[pattern]), "shop", destination), "{pattern} {namespace}");
        }
    }
    // A variable without a valid value matches nothing, and a list replaces the default.
    let shop = Destination::new("prod", "shop", SealingScope::Strict);
    for odd in ["", "*", "{a,shop}", "sh?p"] {
        assert!(!allows_for(&listed(&["{namespace}"]), odd, shop), "{odd}");
    }
    assert!(allows_for(&listed(&["shop"]), "", shop));
    assert!(!allows_for(&listed(&["crm"]), "shop", shop));
}

#[test]
fn only_listed_scopes_are_allowed() {
    for listed in SCOPES {
        let rule = in_prod(PolicyRule { scopes: Some(vec![listed]), ..PolicyRule::default() });
        for scope in SCOPES {
            let destination = Destination::new("prod", "shop", scope);
            assert_eq!(allows_for(&rule, "shop", destination), scope == listed, "{listed} {scope}");
        }
    }
}

#[test]
fn one_rule_must_allow_both_reference_and_destination() {
    let crm = PolicyRule { secret_namespaces: Some(strings(&["crm"])), ..in_prod(PolicyRule::default()) };
    let env = PolicyRule { allow: strings(&["env:*"]), ..in_prod(PolicyRule::default()) };
    let rules = [crm, env];
    let own_namespace = Destination::new("prod", "shop", SealingScope::Strict);
    let mismatch = DestinationMismatch { namespace: true, ..DestinationMismatch::default() };
    assert_eq!(decide_for(&rules, "shop", own_namespace), PolicyDecision::Elsewhere { rule: 0, mismatch });
    // If several rules allow it elsewhere, the closest is named.
    let far = PolicyRule { clusters: Some(strings(&["dev"])), ..rules[0].clone() };
    let decision = decide_for(&[far, rules[0].clone()], "shop", own_namespace);
    assert_eq!(decision, PolicyDecision::Elsewhere { rule: 1, mismatch });
}

#[test]
fn deny_applies_to_every_destination_that_may_match() {
    let all = PolicyRule {
        clusters: Some(strings(&["*"])),
        scopes: Some(SCOPES.to_vec()),
        secret_namespaces: Some(strings(&["*", "{namespace}"])),
        ..in_prod(PolicyRule::default())
    };
    let denies = |deny: PolicyRule, destination| {
        let deny = PolicyRule { projects: Some(strings(&["p"])), deny: strings(&["file:**"]), ..deny };
        decide_for(&[all.clone(), deny], "shop", destination) == PolicyDecision::Denied { rule: 1 }
    };
    let at = Destination::new;
    for (deny, denied, left) in [
        (
            PolicyRule::default(),
            vec![
                at("dev", "shop", SealingScope::Strict),
                at("prod", "x", SealingScope::ClusterWide),
                at("", "", SealingScope::Strict),
            ],
            vec![],
        ),
        (
            PolicyRule { clusters: Some(strings(&["prod"])), ..PolicyRule::default() },
            vec![at("prod", "shop", SealingScope::Strict), at("unknown", "shop", SealingScope::Strict)],
            vec![at("dev", "shop", SealingScope::Strict)],
        ),
        (
            PolicyRule { scopes: Some(vec![SealingScope::NamespaceWide]), ..PolicyRule::default() },
            vec![
                at("prod", "shop", SealingScope::NamespaceWide),
                at("prod", "shop", SealingScope::ClusterWide),
            ],
            vec![at("prod", "shop", SealingScope::Strict)],
        ),
        (
            PolicyRule { secret_namespaces: Some(strings(&["crm"])), ..PolicyRule::default() },
            vec![
                at("prod", "crm", SealingScope::Strict),
                at("prod", "CRM", SealingScope::Strict),
                at("prod", "crm/x", SealingScope::Strict),
                at("prod", "", SealingScope::Strict),
                at("prod", "shop", SealingScope::ClusterWide),
            ],
            vec![at("prod", "shop", SealingScope::Strict), at("prod", "shop", SealingScope::NamespaceWide)],
        ),
    ] {
        for destination in denied {
            assert!(denies(deny.clone(), destination), "{destination}");
        }
        for destination in left {
            assert!(!denies(deny.clone(), destination), "{destination}");
        }
    }
    let unfilled = PolicyRule { secret_namespaces: Some(strings(&["x-{app}"])), ..PolicyRule::default() };
    let rules = [
        all.clone(),
        PolicyRule { deny: strings(&["file:**"]), projects: Some(strings(&["p"])), ..unfilled },
    ];
    let policy = policy_of_two(&rules);
    let odd = PolicySubject { app: "*".to_owned(), ..subject("p") };
    let destination = at("prod", "shop", SealingScope::Strict);
    assert_eq!(policy.decide(&odd, &reference("file:x"), &destination), PolicyDecision::Denied { rule: 1 });
}

fn policy_of_two(rules: &[PolicyRule]) -> Policy {
    Policy::from_operator(&operator(rules, &["dev", "prod"])).unwrap_or_else(|failure| panic!("{failure}"))
}

#[test]
fn impossible_destinations_are_errors_in_the_operator_file() {
    let problems = |rule: PolicyRule, clusters: &[&str]| -> Vec<(String, String)> {
        let failure = Policy::from_operator(&operator(&[rule], clusters)).err();
        let problems = failure.iter().flat_map(Failure::problems);
        problems.map(|problem| (problem.message.clone(), problem.hint.clone().unwrap())).collect()
    };
    let without = PolicyRule { clusters: None, ..in_prod(PolicyRule::default()) };
    assert!(problems(without.clone(), &["dev"]).is_empty());
    assert!(problems(without.clone(), &[]).is_empty());
    let [(message, hint)] = &problems(without.clone(), &["dev", "prod"])[..] else { panic!("one problem") };
    assert!(
        message.contains("rule `policy[0]`") && message.contains("has `allow` but no `clusters`"),
        "{message}"
    );
    assert!(hint.contains("`clusters: [NAME]`") && !hint.contains("prod"), "{hint}");
    let deny = PolicyRule { allow: Vec::new(), deny: strings(&["file:**"]), ..without.clone() };
    assert!(problems(deny, &["dev", "prod"]).is_empty());
    for (field, rule) in [
        ("clusters", PolicyRule { clusters: Some(Vec::new()), ..without.clone() }),
        ("scopes", PolicyRule { scopes: Some(Vec::new()), ..in_prod(PolicyRule::default()) }),
        (
            "secretNamespaces",
            PolicyRule { secret_namespaces: Some(Vec::new()), ..in_prod(PolicyRule::default()) },
        ),
    ] {
        let [(message, _)] = &problems(rule, &["dev", "prod"])[..] else { panic!("one problem") };
        assert!(message.ends_with(&format!("`{field}` is empty")), "{message}");
    }
    for (pattern, clusters, hint) in [
        ("prdo", &["dev", "prod"][..], "did you mean `prod`?"),
        ("staging-*", &["dev", "prod"], "`clusters` lists names or patterns"),
        ("prod", &[], "`clusters` lists names or patterns"),
    ] {
        let rule = PolicyRule { clusters: Some(strings(&[pattern])), ..without.clone() };
        let [(message, found)] = &problems(rule, clusters)[..] else { panic!("one problem") };
        assert!(message.contains(&format!("`{pattern}` in `clusters` matches no cluster")), "{message}");
        assert!(found.starts_with(hint), "{found}");
    }
    let bad = PolicyRule {
        clusters: Some(strings(&["{env}", "[a"])),
        secret_namespaces: Some(strings(&["{cluster}", "[a"])),
        ..in_prod(PolicyRule::default())
    };
    assert_eq!(problems(bad, &["dev", "prod"]).len(), 4);
}

#[test]
fn a_refusal_names_the_line_to_add_and_reveals_nothing_else() {
    let rule = PolicyRule { name: Some("shops".into()), ..in_prod(PolicyRule::default()) };
    let wide = PolicyRule {
        secret_namespaces: Some(strings(&["hidden"])),
        scopes: Some(vec![SealingScope::NamespaceWide]),
        ..rule.clone()
    };
    let refusal_texts = |rule: &PolicyRule, namespace: &str, destination: Destination<'_>| {
        let policy = policy_of_two(std::slice::from_ref(rule));
        let subject = PolicySubject { namespace: namespace.to_owned(), ..subject("p") };
        let reference = reference("file:x");
        let decision = policy.decide(&subject, &reference, &destination);
        let refusal = policy.refusal(&subject, &reference, &destination, decision).expect("a refusal");
        (refusal.to_string(), refusal.hint().expect("a hint"))
    };
    let (message, hint) =
        refusal_texts(&rule, "shop", Destination::new("dev", "mallory", SealingScope::ClusterWide));
    assert!(
        message.starts_with(
            "reference `file:x` is refused for cluster `dev`, namespace `mallory`, scope cluster-wide: rule `shops`"
        ),
        "{message}"
    );
    assert_eq!(
        hint,
        "if the destination is intended, ask the operator to change rule `shops`: add `dev` to `clusters`, \
         add the line `scopes: [strict, cluster-wide]`, \
         add the line `secretNamespaces: [\"{namespace}\", \"mallory\"]`"
    );
    let (_, hint) = refusal_texts(&wide, "shop", Destination::new("prod", "mallory", SealingScope::Strict));
    assert!(
        hint.ends_with("`shops`: add `strict` to `scopes`, add `mallory` to `secretNamespaces`"),
        "{hint}"
    );
    for (own, destination, part) in [
        (
            "shop",
            Destination::new("prod", "", SealingScope::Strict),
            "set `metadata.namespace` of the Secret",
        ),
        ("shop", Destination::new("prod", "shop/db", SealingScope::Strict), "correct the namespace"),
        ("shop", Destination::new("qa", "shop", SealingScope::Strict), "set `cluster` in sealwave.yaml"),
        ("", Destination::new("prod", "shop", SealingScope::Strict), "set `spec.destination.namespace`"),
    ] {
        let (message, hint) = refusal_texts(&rule, own, destination);
        assert!(hint.contains(part), "{hint}");
        assert!(!message.contains("hidden") && !hint.contains("hidden"));
    }
}
