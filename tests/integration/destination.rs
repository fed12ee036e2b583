//! A value is sealed only for the destinations that the operator allows, whatever a committer writes.

use std::process::{Command, Output};

use crate::support::small_app::{OPEN_POLICY, SmallApp, find};
use crate::support::{refused, sealwave, watched_output};
use serde_json::Value;

const APP_FILE: &str = "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\n";
const SECRET: &str =
    "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {k: <file:db.yaml#password>}\n";
const RULE: &str = "{name: shops, projects: [shop], clusters: [prod], allow: ['file:**']}";

/// Returns an app with one Secret and the environments `dev` and `prod`, each with a cluster; the policy is one rule.
fn app(rule: &str) -> SmallApp {
    let app = SmallApp::new();
    for file in ["base/secrets.yaml", "base/config.yaml", "base/deployments.yaml"] {
        fs_err::remove_file(app.path(&format!("app/{file}"))).unwrap();
    }
    app.write("app/sealwave.yaml", APP_FILE);
    app.write("app/envs/prod/values.yaml", "{}\n");
    app.write("app/base/db.yaml", SECRET);
    app.operator("audit: {file: audit.jsonl}\n");
    app.replace(
        "operator/operator.yaml",
        "clusters: {dev:",
        "clusters: {prod: {certificate: {file: dev.pem, allowExpired: true}}, dev:",
    );
    app.replace("operator/operator.yaml", OPEN_POLICY, &format!("policy: [{rule}]\n"));
    app
}

fn argocd(app: &SmallApp) -> Command {
    app.sidecar("shop-prod", "shop", "prod")
}

fn objects(command: &mut Command, description: &str) -> Vec<Value> {
    let output = watched_output(command);
    assert!(output.status.success(), "{description}: {}", String::from_utf8_lossy(&output.stderr));
    crate::support::objects(std::str::from_utf8(&output.stdout).unwrap())
}

fn with_metadata(app: &SmallApp, metadata: &str) {
    app.write("app/base/db.yaml", &SECRET.replace("{name: db}", metadata));
}

/// Returns the outcomes in the audit log, each with its destination.
fn audit_outcomes(app: &SmallApp) -> Vec<String> {
    let text = fs_err::read_to_string(app.path("operator/audit.jsonl")).unwrap_or_default();
    let field = |line: &Value, name: &str| line[name].as_str().unwrap_or("-").to_owned();
    text.lines()
        .map(|line| serde_json::from_str(line).expect("every line is JSON"))
        .map(|line: Value| {
            ["cluster", "secretNamespace", "scope", "outcome"].map(|name| field(&line, name)).join(" ")
        })
        .collect()
}

#[test]
fn values_are_sealed_for_the_allowed_destination() {
    let app = app(RULE);
    let sealed = objects(&mut argocd(&app), "own namespace");
    assert_eq!(find(&sealed, "SealedSecret", "db")["metadata"]["namespace"], "shop");
    assert_eq!(audit_outcomes(&app), ["prod shop strict fetched"]);
}

type Attack = (&'static str, fn(&SmallApp), &'static str);

const WIDE: &str = "sealedsecrets.bitnami.com/cluster-wide: 'true'";

/// A committer's attempts to have the value sealed for another destination, and the part of the hint that identifies
/// it.
const ATTACKS: &[Attack] = &[
    (
        "another cluster",
        |app| {
            app.write("app/sealwave.yaml", &format!("{APP_FILE}environments: {{prod: {{cluster: dev}}}}\n"));
        },
        "add `dev` to `clusters`",
    ),
    ("another namespace", |app| with_metadata(app, "{name: db, namespace: mallory}"), "\"mallory\"]`"),
    (
        "another namespace of the app",
        |app| app.write("app/sealwave.yaml", &APP_FILE.replace("shop", "mallory")),
        "\"mallory\"]`",
    ),
    (
        "another namespace of the environment",
        |app| {
            let text = format!("{APP_FILE}environments: {{prod: {{namespace: mallory}}}}\n");
            app.write("app/sealwave.yaml", &text);
        },
        "\"mallory\"]`",
    ),
    (
        "namespace-wide",
        |app| {
            let annotations = "{sealedsecrets.bitnami.com/namespace-wide: 'true'}";
            with_metadata(app, &format!("{{name: db, annotations: {annotations}}}"));
        },
        "`scopes: [strict, namespace-wide]`",
    ),
    (
        "cluster-wide",
        |app| with_metadata(app, &format!("{{name: db, annotations: {{{WIDE}}}}}")),
        "`scopes: [strict, cluster-wide]`",
    ),
    (
        "both scopes",
        |app| {
            let both = format!("{{{WIDE}, sealedsecrets.bitnami.com/namespace-wide: 'true'}}");
            with_metadata(app, &format!("{{name: db, annotations: {both}}}"));
        },
        "`scopes: [strict, cluster-wide]`",
    ),
    (
        "a generated name",
        |app| {
            let annotations = "{sealedsecrets.bitnami.com/namespace-wide: 'true'}";
            with_metadata(app, &format!("{{generateName: db-, annotations: {annotations}}}"));
        },
        "`scopes: [strict, namespace-wide]`",
    ),
    (
        "scope and namespace out of a template",
        |app| {
            fs_err::remove_file(app.path("app/base/db.yaml")).unwrap();
            app.write("app/values.yaml", "to: mallory\nscope: cluster-wide\n");
            app.write(
                "app/base/db.yaml.hbs",
                &SECRET.replace(
                    "{name: db}",
                    "\n  name: db\n  namespace: {{ to }}\n  annotations: {sealedsecrets.bitnami.com/{{ scope }}: 'true'}",
                ),
            );
        },
        "`scopes: [strict, cluster-wide]`, add the line `secretNamespaces: [\"{namespace}\", \"mallory\"]`",
    ),
    (
        "a merge patch",
        |app| {
            let patch = format!("{{metadata: {{namespace: mallory, annotations: {{{WIDE}}}}}}}");
            let patches = format!("[{{target: {{kind: Secret}}, patch: {patch}}}]");
            let text = format!("{APP_FILE}environments: {{prod: {{patches: {patches}}}}}\n");
            app.write("app/sealwave.yaml", &text);
        },
        "`scopes: [strict, cluster-wide]`, add the line `secretNamespaces: [\"{namespace}\", \"mallory\"]`",
    ),
    (
        "a JSON patch",
        |app| {
            let patch = "[{op: add, path: /metadata/annotations, value: {sealedsecrets.bitnami.com/cluster-wide: 'true'}}]";
            let patches = format!("[{{target: {{kind: Secret}}, patch: {patch}}}]");
            let text = format!("{APP_FILE}environments: {{prod: {{patches: {patches}}}}}\n");
            app.write("app/sealwave.yaml", &text);
        },
        "`scopes: [strict, cluster-wide]`",
    ),
    (
        "a list",
        |app| {
            let item = SECRET.replace("{name: db}", "{name: db, namespace: mallory}").replace('\n', "\n  ");
            app.write("app/base/db.yaml", &format!("apiVersion: v1\nkind: List\nitems:\n- {item}\n"));
        },
        "\"mallory\"]`",
    ),
    (
        "base64",
        |app| {
            let text = "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: mallory}\n\
                        data: {k: PGZpbGU6ZGIueWFtbCNwYXNzd29yZD4=}\n";
            app.write("app/base/db.yaml", text);
        },
        "\"mallory\"]`",
    ),
    (
        "a placeholder of argocd-vault-plugin",
        |app| {
            app.write("app/sealwave.yaml", &format!("{APP_FILE}compatibility: avp\nprovider: file\n"));
            let metadata = "{name: db, namespace: mallory, annotations: {avp.kubernetes.io/path: db.yaml}}";
            let text = SECRET.replace("{name: db}", metadata);
            app.write("app/base/db.yaml", &text.replace("<file:db.yaml#password>", "<password>"));
        },
        "\"mallory\"]`",
    ),
    (
        "an item beside literals",
        |app| {
            with_metadata(app, &format!("{{name: db, annotations: {{{WIDE}}}}}"));
            app.replace("app/base/db.yaml", "stringData: {k:", "stringData: {a: literal, k:");
        },
        "`scopes: [strict, cluster-wide]`",
    ),
    (
        "a definition that takes the namespace off Secrets",
        |app| {
            app.write(
                "app/base/crd.yaml",
                "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: secrets.}\n\
                 spec: {group: '', scope: Cluster, names: {kind: Secret, plural: secrets}}\n",
            );
            with_metadata(app, &format!("{{name: db, annotations: {{{WIDE}}}}}"));
        },
        "set `metadata.namespace` of the Secret",
    ),
    (
        "a namespace that reads like a Secret's label",
        |app| {
            let wide = "{sealedsecrets.bitnami.com/namespace-wide: 'true'}";
            with_metadata(app, &format!("{{name: x, namespace: shop/db, annotations: {wide}}}"));
        },
        "correct the namespace",
    ),
    (
        "another backend in another namespace",
        |app| {
            let stores = "externalSecrets: {stores: {file: {name: s, provider: vault, mount: m}}}";
            app.write("app/sealwave.yaml", &format!("{APP_FILE}backend: external-secrets\n{stores}\n"));
            with_metadata(app, "{name: db, namespace: mallory}");
        },
        "\"mallory\"]`",
    ),
    (
        "another backend for this Secret, in another cluster",
        |app| {
            let stores = "externalSecrets: {stores: {file: {name: s, provider: vault, mount: m}}}";
            let environment = "{cluster: dev, secretBackends: {db: external-secrets}}";
            app.write(
                "app/sealwave.yaml",
                &format!("{APP_FILE}{stores}\nenvironments: {{prod: {environment}}}\n"),
            );
        },
        "add `dev` to `clusters`",
    ),
];

#[test]
fn committers_cannot_choose_the_destination() {
    for (description, attack, hint) in ATTACKS {
        let app = app(RULE);
        attack(&app);
        let stderr = refused(&mut argocd(&app), description);
        assert!(stderr.contains("is refused for cluster `"), "{description}: {stderr}");
        assert!(stderr.contains("rule `shops`") && stderr.contains(hint), "{description}: {stderr}");
        assert!(audit_outcomes(&app).iter().all(|line| line.ends_with(" denied-by-policy")), "{description}");
    }
}

/// Argo CD's parameter is controlled by the author as well: `.argocd-source.yaml` sets it.
#[test]
fn another_environment_is_another_destination() {
    let app = app(RULE);
    let parameter = r#"[{"name":"env","string":"dev"}]"#;
    let stderr = refused(argocd(&app).env("ARGOCD_APP_PARAMETERS", parameter), "environment dev");
    assert!(stderr.contains("is refused for cluster `dev`, namespace `shop`, scope strict"), "{stderr}");
}

#[test]
fn a_namespace_missing_in_argo_cd_is_not_a_default() {
    let app = app(RULE);
    for command in
        [argocd(&app).env("ARGOCD_APP_NAMESPACE", ""), argocd(&app).env_remove("ARGOCD_APP_NAMESPACE")]
    {
        let stderr = refused(command, "no namespace");
        assert!(stderr.contains("set `spec.destination.namespace` of the Application"), "{stderr}");
        assert!(stderr.contains("add the line `secretNamespaces: [\"shop\"]`"), "{stderr}");
    }
    app.write("app/sealwave.yaml", "apiVersion: sealwave.dev/v1alpha1\nkind: App\n");
    let stderr = refused(argocd(&app).env("ARGOCD_APP_NAMESPACE", ""), "no namespace at all");
    assert!(stderr.contains("is refused for cluster `prod`, no namespace, scope strict"), "{stderr}");
}

/// Even if the operator allows every namespace and scope, invalid names are refused.
#[test]
fn values_are_never_sealed_for_invalid_names() {
    let wide = "{name: shops, projects: [shop], clusters: ['*'], scopes: [strict, namespace-wide, cluster-wide], \
                secretNamespaces: ['**', '*/*'], allow: ['file:**']}";
    let literal = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {k: text}\n";
    let (long_label, long_name) = ("a".repeat(64), "a".repeat(254));
    let metadata = [
        (
            "{name: x, namespace: shop/db, annotations: {sealedsecrets.bitnami.com/namespace-wide: 'true'}}",
            true,
        ),
        (&format!("{{name: x, namespace: shop/db, annotations: {{{WIDE}}}}}"), true),
        ("{name: x, namespace: Shop}", true),
        ("{name: x, namespace: shop.db}", true),
        (&format!("{{name: x, namespace: {long_label}}}"), true),
        ("{name: x/y}", false),
        ("{name: X}", false),
        (&format!("{{name: {long_name}}}"), false),
        ("{generateName: a/, annotations: {sealedsecrets.bitnami.com/namespace-wide: 'true'}}", false),
    ];
    for (metadata, is_namespace) in metadata {
        for (text, backend) in [(SECRET, ""), (literal, ""), (SECRET, "backend: external-secrets\n")] {
            let app = app(wide);
            let stores = "externalSecrets: {stores: {file: {name: s, provider: vault, mount: m}}}";
            app.write("app/sealwave.yaml", &format!("{APP_FILE}{backend}{stores}\n"));
            app.write("app/base/db.yaml", &text.replace("{name: db}", metadata));
            let stderr = refused(&mut argocd(&app), metadata);
            if text == SECRET && is_namespace {
                assert!(stderr.contains("correct the namespace"), "{metadata}: {stderr}");
            } else if !metadata.contains("generateName") || backend.is_empty() {
                assert!(stderr.contains(" valid "), "{metadata}: {stderr}");
            }
        }
    }
    let app = app(wide);
    with_metadata(&app, &format!("{{name: {}, namespace: {}}}", &long_name[1..], &long_label[1..]));
    objects(&mut argocd(&app), "the longest names");
}

#[test]
fn literals_need_no_policy() {
    let app = app(RULE);
    let metadata = format!("{{name: db, namespace: elsewhere, annotations: {{{WIDE}}}}}");
    with_metadata(&app, &metadata);
    app.replace("app/base/db.yaml", "<file:db.yaml#password>", "text");
    let sealed = objects(&mut argocd(&app), "a literal");
    assert_eq!(find(&sealed, "SealedSecret", "db")["metadata"]["namespace"], "elsewhere");
}

#[test]
fn each_use_of_a_reference_is_checked() {
    let app = app(RULE);
    let other = |name: &str, namespace: &str| {
        SECRET.replace("{name: db}", &format!("{{name: {name}, namespace: {namespace}}}"))
    };
    app.write(
        "app/base/more.yaml",
        &[other("a", "mallory"), other("b", "mallory"), other("c", "eve")].join("---\n"),
    );
    let stderr = refused(&mut argocd(&app), "two namespaces too many");
    let problems: Vec<&str> = stderr.lines().filter(|line| line.starts_with("error")).collect();
    assert_eq!(problems.len(), 2, "{stderr}");
    assert!(
        problems[0].contains("namespace `mallory`") && problems[0].contains("(1 other place"),
        "{stderr}"
    );
    assert!(problems[1].contains("namespace `eve`") && stderr.contains("base/more.yaml:14:"), "{stderr}");
    assert_eq!(
        audit_outcomes(&app),
        [
            "prod eve strict denied-by-policy",
            "prod mallory strict denied-by-policy",
            "prod shop strict not-fetched"
        ]
    );
}

#[test]
fn denying_a_destination_does_not_deny_others() {
    let allow = "{name: shops, projects: [shop], clusters: ['*'], secretNamespaces: [shop, public], allow: ['file:**']}";
    let app = app(&format!(
        "{allow}, {{name: no, clusters: [prod], secretNamespaces: [public], deny: ['file:**']}}"
    ));
    objects(&mut argocd(&app), "shop");
    with_metadata(&app, "{name: db, namespace: public}");
    let stderr = refused(&mut argocd(&app), "public");
    assert!(
        stderr.contains("is denied for cluster `prod`, namespace `public`, scope strict: rule `no`"),
        "{stderr}"
    );
    let parameter = r#"[{"name":"env","string":"dev"}]"#;
    objects(argocd(&app).env("ARGOCD_APP_PARAMETERS", parameter), "public in dev");
}

/// The scope in policy decisions is the one that the item is sealed with.
#[test]
fn annotations_have_the_same_scope_everywhere() {
    let all = "{name: shops, projects: [shop], clusters: [prod], scopes: [strict, namespace-wide, cluster-wide], allow: ['file:**']}";
    let app = app(all);
    let (namespace, cluster) =
        ("sealedsecrets.bitnami.com/namespace-wide", "sealedsecrets.bitnami.com/cluster-wide");
    for (annotations, scope) in [
        (String::new(), "strict"),
        (format!("{namespace}: ''"), "strict"),
        (format!("{cluster}: 'false'"), "strict"),
        (format!("{namespace}: 'true', {cluster}: 'false'"), "namespace-wide"),
        (format!("{namespace}: 'true', {cluster}: 'true'"), "cluster-wide"),
    ] {
        with_metadata(&app, &format!("{{name: db, annotations: {{{annotations}}}}}"));
        let list = refs(&app, &["--output", "json", "--env", "prod"]);
        let list: Value = serde_json::from_slice(&list.stdout).unwrap();
        let used = &list["environments"][0]["references"][0]["uses"][0];
        assert_eq!(used["destination"]["scope"], scope, "{annotations}");
        let sealed = objects(&mut argocd(&app), &annotations);
        let found = &find(&sealed, "SealedSecret", "db")["metadata"]["annotations"];
        let wide = ["namespace-wide", "cluster-wide"]
            .into_iter()
            .rfind(|name| found[format!("sealedsecrets.bitnami.com/{name}")] == "true");
        assert_eq!(wide.unwrap_or("strict"), scope, "{found}");
    }
    for odd in ["'True'", "'1'", "true", "'yes'", "'true '", "[true]"] {
        with_metadata(&app, &format!("{{name: db, annotations: {{{cluster}: {odd}}}}}"));
        let stderr = refused(&mut argocd(&app), odd);
        assert!(stderr.contains("must be the text \"true\" or \"false\""), "{odd}: {stderr}");
    }
}

fn refs(app: &SmallApp, more: &[&str]) -> Output {
    let mut command = sealwave();
    command.arg("refs").arg(app.path("app")).args(["--project", "shop", "--namespace", "shop", "--operator"]);
    watched_output(command.arg(app.path("operator/operator.yaml")).args(more))
}

#[test]
fn refs_shows_the_decision_for_each_destination() {
    let app = app(RULE);
    let other = SECRET.replace("{name: db}", "{name: db, namespace: mallory}");
    app.write("app/base/more.yaml", &other);
    let listed = refs(&app, &["--env", "prod"]);
    let text = String::from_utf8(listed.stdout).unwrap();
    assert_eq!(listed.status.code(), Some(1), "{text}");
    let refusal = "refused: `secretNamespaces` of rule `shops` does not list the destination";
    assert!(text.starts_with("prod, cluster `prod`\n"), "{text}");
    assert!(text.contains(&format!("  file:db.yaml#password  in part {refusal}\n")), "{text}");
    assert!(text.contains("Secret `shop/db`, item `k`, scope strict: allowed by `shops`\n"), "{text}");
    assert!(text.contains(&format!("Secret `mallory/db`, item `k`, scope strict: {refusal}\n")), "{text}");

    let list: Value = serde_json::from_slice(&refs(&app, &["--output", "json"]).stdout).unwrap();
    let [dev, prod] = [0, 1].map(|index| &list["environments"][index]);
    assert_eq!((&dev["cluster"], &prod["cluster"]), (&"dev".into(), &"prod".into()));
    let reference = &prod["references"][0];
    assert_eq!((&reference["decision"], &reference["rule"]), (&"refused".into(), &Value::Null));
    let [allowed, refused] = [0, 1].map(|index| &reference["uses"][index]);
    assert_eq!(
        allowed["destination"],
        serde_json::json!({"cluster": "prod", "namespace": "shop", "scope": "strict"})
    );
    assert_eq!((&allowed["decision"], &allowed["rule"]), (&"allowed".into(), &"shops".into()));
    assert_eq!(refused["decision"], "refused");
    assert_eq!(refused["missing"], serde_json::json!({"rule": "shops", "fields": ["secretNamespaces"]}));
    let fields = &dev["references"][0]["uses"][0]["missing"]["fields"];
    assert_eq!(fields, &serde_json::json!(["clusters"]));
}

#[test]
fn errors_in_the_operator_file_name_the_rule_and_list_no_cluster() {
    for (rule, message, hint) in [
        (
            "{name: shops, projects: [shop], allow: ['file:**']}",
            "rule `shops` has `allow` but no `clusters`",
            "add a line such as `clusters: [NAME]`",
        ),
        (
            "{name: shops, projects: [shop], clusters: [prdo], allow: ['file:**']}",
            "rule `shops`: `prdo` in `clusters` matches no cluster of the operator file",
            "did you mean `prod`?",
        ),
    ] {
        let app = app(rule);
        let stderr = refused(&mut argocd(&app), rule);
        assert!(stderr.contains(message) && stderr.contains(hint), "{stderr}");
        assert!(!stderr.contains("dev"), "{stderr}");
    }
    let app = app(RULE);
    app.write("app/sealwave.yaml", &format!("{APP_FILE}environments: {{prod: {{cluster: prd}}}}\n"));
    let stderr = refused(&mut argocd(&app), "an unknown cluster");
    assert!(stderr.contains("cluster `prd` is not in the operator file"), "{stderr}");
    assert!(stderr.contains("did you mean `prod`?") && !stderr.contains("`dev`"), "{stderr}");
    let bad = "{name: shops, projects: [shop], clusters: [prod], scopes: [wide], allow: ['file:**']}";
    refused(&mut argocd(&self::app(bad)), "an unknown scope");
}
