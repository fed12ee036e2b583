use super::*;

fn review(policy: &str) -> Vec<String> {
    let text = format!(
        "apiVersion: sealwave.dev/v1alpha1\nkind: Operator\nclusters:\n  dev: {{certificate: {{file: d}}}}\n  \
         prod: {{certificate: {{file: p}}}}\nproviders: {{file: {{}}, vault: {{}}}}\npolicy:\n{policy}"
    );
    let operator: OperatorConfig<serde_json::Value> = yaml_serde::from_str(&text).expect("an operator file");
    let warnings = review_policy(&operator).into_iter();
    // What no rule uses is tested by itself.
    let warnings = warnings.filter(|(_, warning)| {
        !matches!(warning, PolicyWarning::UnusedCluster { .. } | PolicyWarning::UnusedProvider { .. })
    });
    warnings.map(|(_, warning)| warning.to_string()).collect()
}

/// Returns the only warning about a rule with these fields.
fn warning(fields: &str) -> String {
    let found = review(&format!("- {{projects: [shop], clusters: [dev], {fields}}}"));
    let [only] = &found[..] else { panic!("{fields}: {found:?}") };
    only.clone()
}

#[test]
fn patterns_that_match_nothing_are_found() {
    for (fields, expected) in [
        ("allow: ['fiel:shop/**']", "matches no provider"),
        ("deny: ['aws:shop/**']", "matches no provider"),
        ("allow: ['file:shop/../pay']", "`..` are always refused"),
        ("apps: [argocd_shop], allow: ['file:**']", "no app of Argo CD's own namespace"),
        ("apps: ['openshift-gitops_*'], allow: ['file:**']", "no app of Argo CD's own namespace"),
        ("apps: [team/shop], allow: ['file:**']", "names of apps"),
        ("namespaces: [team_a], allow: ['file:**']", "names of namespaces"),
        ("secretNamespaces: [Pay], allow: ['file:**']", "names of namespaces"),
        ("apps: [''], allow: ['file:**']", "it is empty"),
        ("repositories: ['git.example.com/shop/*'], allow: ['file:**']", "it has no scheme"),
    ] {
        assert!(warning(fields).contains(expected), "{fields}: {}", warning(fields));
    }
}

#[test]
fn patterns_that_may_match_are_not_reported() {
    for fields in [
        "allow: ['file:shop/**', 'vault:{project}/*#password']",
        "allow: ['{file,vault}:shop/*', '*:x', '{project}:x', 'f?le:y']",
        "apps: [team-a_shop, '[a-z]*', '{a,b}'], allow: ['file:**']",
        "secretNamespaces: ['{namespace}', 'pay-*'], allow: ['file:**']",
        "repositories: ['*', 'https://x/y', 'git@host:shop/*', '**/shop'], allow: ['file:**']",
        "allow: ['file:a..b']",
    ] {
        let found = review(&format!("- {{projects: [shop], clusters: [dev], {fields}}}"));
        assert!(found.is_empty(), "{fields}: {found:?}");
    }
}

#[test]
fn an_allowed_pattern_that_is_denied_entirely_is_found() {
    let allow = "- {name: a, projects: [shop], clusters: [dev], allow: ['file:shop/db.yaml#user']}\n";
    for (deny, is_entire) in [
        ("{deny: ['file:shop/**']}", true),
        ("{deny: ['*:**']}", true),
        ("{deny: ['file:shop/*.yaml']}", true),
        ("{deny: ['file:shop/db.yaml#user']}", true),
        ("{projects: ['*'], deny: ['file:**']}", true),
        ("{clusters: [dev, prod], scopes: [strict], deny: ['file:**']}", true),
        ("{deny: ['file:shop/db.yaml#password']}", false),
        ("{deny: ['file:pay/**']}", false),
        ("{projects: [pay], deny: ['file:**']}", false),
        ("{apps: [shop-test], deny: ['file:**']}", false),
        ("{clusters: [prod], deny: ['file:**']}", false),
        ("{scopes: [cluster-wide], deny: ['file:**']}", false),
        ("{secretNamespaces: [other], deny: ['file:**']}", false),
        ("{deny: ['file:{namespace}/**']}", false),
    ] {
        let found = review(&format!("{allow}- {deny}"));
        assert_eq!(found.len(), usize::from(is_entire), "{deny}: {found:?}");
        assert!(found.iter().all(|text| text.contains("rule `policy[1]` denies all of it")), "{found:?}");
    }
}

#[test]
fn a_pattern_that_another_one_includes_is_found() {
    for (rules, expected) in [
        ("- {projects: [shop], clusters: [dev], allow: ['file:a/**', 'file:a/b']}", 1),
        ("- {projects: [shop], clusters: [dev], allow: ['file:a/b', 'file:a/**']}", 1),
        ("- {projects: [shop], clusters: [dev], allow: ['file:a', 'file:a']}", 1),
        ("- {projects: [shop], clusters: [dev], allow: ['file:a#x', 'file:a#y']}", 0),
        (
            "- {projects: ['*'], clusters: ['*'], allow: ['file:**']}\n\
             - {projects: [shop], clusters: [dev], allow: ['file:a/*']}",
            1,
        ),
        (
            "- {projects: [shop], clusters: [dev], allow: ['file:a']}\n\
             - {projects: [shop], clusters: [prod], allow: ['file:a']}",
            0,
        ),
        (
            "- {projects: [shop], clusters: [dev], allow: ['file:a']}\n\
             - {projects: [shop], clusters: [dev], scopes: [namespace-wide], allow: ['file:a']}",
            0,
        ),
        (
            "- {projects: [shop], clusters: [dev], allow: ['file:a']}\n\
             - {projects: [shop], clusters: [dev], secretNamespaces: [jobs], allow: ['file:a']}",
            0,
        ),
    ] {
        let found = review(rules);
        assert_eq!(found.len(), expected, "{rules}: {found:?}");
    }
}

#[test]
fn what_no_rule_allows_is_found() {
    let review = |policy: &str| {
        let text = format!(
            "{{apiVersion: a, kind: b, clusters: {{dev: {{certificate: {{file: d}}}}}}, \
             providers: {{file: {{}}, vault: {{}}}}, policy: {policy}}}"
        );
        let operator: OperatorConfig<serde_json::Value> =
            yaml_serde::from_str(&text).expect("an operator file");
        let found = review_policy(&operator).into_iter();
        found.map(|(_, warning)| warning.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(review("[]"), ["the operator file has no `policy`, so every reference is refused"]);
    assert_eq!(
        review("[{projects: [a], clusters: [dev], allow: ['file:a']}]"),
        ["no rule allows secrets of provider `vault`"]
    );
    assert_eq!(
        review("[{deny: ['file:a']}]"),
        [
            "no rule allows secrets of provider `file`",
            "no rule allows secrets of provider `vault`",
            "no rule allows secrets for cluster `dev`"
        ]
    );
}

#[test]
fn every_warning_has_a_hint_and_a_place() {
    let text = "{apiVersion: a, kind: b, providers: {file: {}}, policy: [{projects: [A], apps: [argocd_x], \
                repositories: [x], allow: ['fil:a', 'file:a', 'file:a'], deny: ['file:../x']}]}";
    let operator: OperatorConfig<serde_json::Value> = yaml_serde::from_str(text).expect("an operator file");
    let found = review_policy(&operator);
    assert_eq!(found.len(), 6, "{found:?}");
    assert!(found.iter().all(|(path, warning)| *path != SettingPath::default() && warning.hint().is_some()));
}
