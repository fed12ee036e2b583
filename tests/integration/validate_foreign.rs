//! `validate` on content around sealwave: objects of other controllers, copies of sealed values, pods within `ConfigMaps`,
//! files named in command lines, credentials in values and files. The numbers are those of the findings.

use std::fmt::Write as _;
use std::os::unix::fs::symlink;

use crate::support::validating::{APP, GOOD, Report, Tree};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Returns path, line, column and width.
fn place(finding: &Value) -> Value {
    json!([finding["path"], finding["line"], finding["column"], finding["width"]])
}

/// Returns a text in the format of a sealed value.
fn ciphertext(seed: u8) -> String {
    let mut bytes = vec![1, 0];
    let mut state = u32::from(seed) + 1;
    bytes.extend((0..290).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24).to_le_bytes()[0]
    }));
    STANDARD.encode(bytes)
}

fn sealed(name: &str, namespace: &str, ciphertext: &str) -> String {
    format!(
        "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec:\n  \
         encryptedData:\n    password: {ciphertext}\n"
    )
}

fn private_key() -> String {
    let lines: Vec<String> = (0..6).map(|line| ciphertext(line).chars().skip(8).take(64).collect()).collect();
    format!("-----BEGIN {0}-----\n{1}\n-----END {0}-----\n", "PRIVATE KEY", lines.join("\n"))
}

/// Asserts that no line of the report and no message has a secret.
fn assert_no_canary(tree: &Tree, args: &[&str]) {
    for form in ["human", "json", "sarif", "github", "gitlab", "junit"] {
        let output =
            crate::support::validating::command(tree.root(), args).args(["--output", form]).output().unwrap();
        for bytes in [&output.stdout, &output.stderr] {
            assert!(!String::from_utf8_lossy(bytes).contains("CANARY"), "{form}");
        }
    }
}

// P2: objects of other controllers.

#[test]
fn p02_a_template_variable_that_data_does_not_define() {
    let app = Tree::app(&[(
        "base/es.yaml",
        "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: db}\nspec:\n  refreshInterval: 1h\n  \
         secretStoreRef: {name: vault, kind: ClusterSecretStore}\n  data: [{secretKey: password, remoteRef: {key: db}}]\n  \
         target: {template: {data: {url: \"postgres://{{ .pasword }}@db\"}}}\n",
    )]);
    let report = app.report(&[]);
    let found = report.one("external-secrets/template");
    assert_eq!(place(found), json!(["base/es.yaml", 8, 51, 7]));
    assert_eq!(found["hint"], "did you mean `password`?");
    assert_eq!(found["pointer"], "/spec/target/template/data/url");
}

#[test]
fn p02_an_object_name_without_an_alias() {
    let app = Tree::app(&[(
        "base/class.yaml",
        "apiVersion: secrets-store.csi.x-k8s.io/v1\nkind: SecretProviderClass\nmetadata: {name: db}\nspec:\n  provider: aws\n  \
         parameters:\n    objects: |\n      - objectName: shop/db\n        objectType: secretsmanager\n        jmesPath: [{path: p}]\n  \
         secretObjects: [{secretName: db, type: Opaque, data: [{key: p, objectName: db-password}]}]\n",
    )]);
    let found = app.report(&[]);
    let found = found.of("csi/objects");
    assert_eq!(place(found[0]), json!(["base/class.yaml", 10, 21, 4]));
    assert_eq!(found[0]["pointer"], "/spec/parameters/objects");
    assert_eq!(place(found[1]), json!(["base/class.yaml", 11, 78, 11]));
    assert_eq!(found.len(), 2);
}

#[test]
fn p02_a_template_in_a_template_leads_to_the_handlebars_file() {
    let app = Tree::app(&[(
        "base/es.yaml.hbs",
        "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: db-{{env}}}\nspec:\n  \
         secretStoreRef: {name: vault, kind: ClusterSecretStore}\n  data: [{secretKey: password, remoteRef: {key: db}}]\n  \
         target:\n    template:\n      data:\n        file: |\n          a=\\{{ .user }}\n",
    )]);
    let report = app.report(&[]);
    // The objects of two environments have different names.
    let found = report.of("external-secrets/template");
    assert!(
        found
            .iter()
            .all(|found| (&found["path"], &found["line"]) == (&json!("base/es.yaml.hbs"), &json!(11)))
    );
    assert_eq!(found.len(), 2);
}

#[test]
fn p02_a_hostile_template_costs_little_and_shows_nothing() {
    let deep = "{{ if .a }}".repeat(20_000);
    let value = format!("{{{{ .CANARY! }}}}{{{{ .{} }}}}", "x".repeat(10_000));
    let app = Tree::app(&[(
        "base/es.yaml",
        &format!(
            "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {{name: db}}\nspec:\n  secretStoreRef: {{name: v}}\n  \
             data: [{{secretKey: a, remoteRef: {{key: db}}}}]\n  target: {{template: {{data: {{deep: '{deep}', wide: '{value}'}}}}}}\n"
        ),
    )]);
    let report = app.report(&[]);
    assert!(report.of("external-secrets/template").len() < 200);
    assert!(report.findings().iter().all(|finding| finding["message"].as_str().unwrap().len() < 500));
}

#[test]
fn m_fp_04_variables_of_flux_are_filled_in_later() {
    let tree = Tree::new(&[(
        "all.yaml",
        "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: \"${APP}-db\"}\nspec:\n  refreshInterval: 1h\n  \
         secretStoreRef: {kind: ClusterSecretStore, name: vault}\n  target: {name: \"${APP}-db\", template: {data: {a: \"${X} {{ .b }}\"}}}\n  \
         data: [{secretKey: \"${KEY}\", remoteRef: {key: db}}]\n---\napiVersion: external-secrets.io/v1\nkind: SecretStore\n\
         metadata: {name: vault, namespace: \"${NS}\"}\nspec: {provider: {vault: {auth: {tokenSecretRef: {name: a, key: b, namespace: \"${NS}\"}}}}}\n\
         ---\napiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: a}\nspec: {secretName: \"${TLS}\", issuerRef: {name: \"${ISSUER}\"}}\n",
    )]);
    let report = tree.report(&["."]);
    for group in [
        "external-secrets/data",
        "external-secrets/store",
        "external-secrets/template",
        "cert-manager/missing-issuer",
    ] {
        assert!(report.of(group).is_empty(), "{:#?}", report.lines());
    }
}

#[test]
fn m_fp_06_two_clusters_in_one_tree_have_certificates_of_their_own() {
    let certificate = |name: &str| {
        format!(
            "apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {{name: {name}, namespace: shop}}\nspec: {{secretName: tls, issuerRef: {{name: a}}}}\n"
        )
    };
    let tree = Tree::new(&[("east/all.yaml", &certificate("east")), ("west/all.yaml", &certificate("west"))]);
    assert!(tree.report(&["."]).of("cert-manager/duplicate-secret").is_empty());
    tree.write("east/more.yaml", certificate("more"));
    assert_eq!(tree.report(&["."]).one("cert-manager/duplicate-secret")["path"], "east/more.yaml");
}

// P4: one ciphertext in two clusters.

#[test]
fn p04_a_file_that_was_copied_from_dev_to_prod() {
    let text = sealed("db", "shop", &ciphertext(1));
    let app = Tree::app(&[("envs/dev/db.yaml", &text), ("envs/prod/db.yaml", &text)]);
    let report = app.report(&[]);
    let found = report.one("seal/same-ciphertext");
    assert_eq!(place(found), json!(["envs/prod/db.yaml", 6, 5, 8]));
    assert_eq!(place(&found["related"][0]), json!(["envs/dev/db.yaml", 6, 5, 8]));
    assert_eq!(found["severity"], "warning");
    let other = sealed("db", "shop", &ciphertext(2));
    app.write("envs/prod/db.yaml", other);
    assert!(app.report(&[]).of("seal/same-ciphertext").is_empty());
}

#[test]
fn p04_environments_of_one_cluster_may_share_a_value() {
    let clusters = format!("{APP}environments: {{dev: {{cluster: main}}, prod: {{cluster: main}}}}\n");
    let app =
        Tree::app(&[("sealwave.yaml", &clusters), ("base/db.yaml", &sealed("db", "shop", &ciphertext(1)))]);
    assert!(app.report(&[]).of("seal/same-ciphertext").is_empty());
    app.write("sealwave.yaml", clusters.replace("prod: {cluster: main}", "prod: {cluster: other}"));
    assert_eq!(place(app.report(&[]).one("seal/same-ciphertext")), json!(["base/db.yaml", 6, 5, 8]));
}

#[test]
fn p04_plain_files_under_another_name_or_namespace() {
    let value = ciphertext(1);
    let tree = Tree::new(&[
        ("dev/db.yaml", &sealed("db", "shop-dev", &value)),
        ("prod/db.yaml", &sealed("db", "shop-prod", &value)),
    ]);
    let report = tree.report(&["."]);
    assert_eq!(report.one("seal/renamed")["path"], "prod/db.yaml");
    assert_eq!(report.one("seal/renamed")["severity"], "error");
}

// P7: pods within ConfigMaps.

const POD_TEMPLATE: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: airflow}\ndata:\n  pod_template.yaml: |\n    apiVersion: v1\n    \
    kind: Pod\n    metadata: {name: placeholder}\n    spec:\n      serviceAccountName: worker\n      containers:\n      - name: base\n        \
    image: airflow:2\n        env:\n        - name: A\n          valueFrom: {secretKeyRef: {name: db, key: pasword}}\n        \
    volumeMounts:\n        - {name: awss, mountPath: /home/airflow/.aws}\n      volumes:\n      - name: aws\n        \
    secret: {secretName: aws-credentials}\n";

#[test]
fn p07_a_pod_template_in_a_config_map() {
    let app = Tree::app(&[
        ("base/airflow.yaml", POD_TEMPLATE),
        (
            "base/db.yaml",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {password: <vault:db#password>}\n",
        ),
    ]);
    let report = app.report(&[]);
    for (rule, expected) in [
        ("reference/missing-secret", json!(["base/airflow.yaml", 21, 30, 15])),
        ("reference/missing-service-account", json!(["base/airflow.yaml", 10, 27, 6])),
        ("reference/missing-key", json!(["base/airflow.yaml", 16, 53, 7])),
        ("workload/missing-volume", json!(["base/airflow.yaml", 18, 18, 4])),
    ] {
        let found = report.one(rule);
        assert_eq!(place(found), expected, "{rule}");
        assert_eq!(found["severity"], "warning", "{rule}");
        assert_eq!(found["pointer"], "/data/pod_template.yaml", "{rule}");
        assert_eq!(found["object"]["kind"], "ConfigMap", "{rule}");
    }
    // Objects that such a pod reads are used.
    assert!(report.of("reference/unused").iter().all(|finding| finding["path"] != "base/db.yaml"));
}

#[test]
fn p07_pods_of_jenkins_and_of_argo_workflows() {
    let app = Tree::app(&[
        (
            "base/jenkins.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: jcasc}\ndata:\n  jenkins.yaml: |\n    jenkins:\n      clouds:\n      \
             - kubernetes:\n          templates:\n          - yaml: |\n              apiVersion: v1\n              kind: Pod\n              \
             spec:\n                containers:\n                - name: jnlp\n                  envFrom: [{secretRef: {name: nexus}}]\n",
        ),
        (
            "base/argo.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: workflow-controller}\ndata:\n  workflowDefaults: |\n    spec:\n      \
             serviceAccountName: flow\n      volumes: [{name: a, configMap: {name: flow-config}}]\n",
        ),
    ]);
    let report = app.report(&[]);
    assert_eq!(place(report.one("reference/missing-secret")), json!(["base/jenkins.yaml", 16, 48, 5]));
    assert_eq!(place(report.one("reference/missing-config-map")), json!(["base/argo.yaml", 8, 45, 11]));
    assert_eq!(place(report.one("reference/missing-service-account")), json!(["base/argo.yaml", 7, 27, 4]));
}

#[test]
fn p07_texts_that_only_look_like_pods_and_objects_within_a_text() {
    let app = Tree::app(&[(
        "base/texts.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: texts}\ndata:\n  dashboard.json: '{\"kind\": \"panel\", \"containers\": []}'\n  \
         broken: |\n    kind: Pod\n    apiVersion: v1\n     spec: [\n  helm: |\n    kind: Pod\n    apiVersion: v1\n    spec: {{ .Values.spec }}\n  \
         both: |\n    apiVersion: v1\n    kind: Secret\n    metadata: {name: own}\n    ---\n    apiVersion: v1\n    kind: Pod\n    spec:\n      \
         containers: [{name: a, envFrom: [{secretRef: {name: own}}, {secretRef: {name: \"$(NAME)\"}}]}]\n",
    )]);
    let report = app.report(&[]);
    for rule in ["reference/missing-secret", "reference/missing-service-account", "yaml/syntax"] {
        assert!(report.of(rule).is_empty(), "{:#?}", report.lines());
    }
}

#[test]
fn p07_hostile_config_maps_are_read_within_limits() {
    let mut many = String::from("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: many}\ndata:\n");
    for number in 0..600 {
        let _ = writeln!(
            many,
            "  k{number}: '{{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"spec\":{{\"volumes\":[{{\"secret\":{{\"secretName\":\"s{number}\"}}}}]}}}}'"
        );
    }
    let aliases = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bomb}\ndata:\n  pod.yaml: |\n    kind: Pod\n    a: &a [x, x, x, x, x, x, x, x]\n    \
                   b: &b [*a, *a, *a, *a, *a, *a, *a, *a]\n    c: &c [*b, *b, *b, *b, *b, *b, *b, *b]\n    d: [*c, *c, *c, *c, *c, *c, *c, *c]\n";
    let nested = (0..12).fold("kind: Pod".to_owned(), |text, _| format!("a: {}", json!(text)));
    let nested = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: nested}}\ndata:\n  pod.yaml: {}\n",
        json!(nested.chars().take(200_000).collect::<String>())
    );
    let app =
        Tree::app(&[("base/many.yaml", &many), ("base/bomb.yaml", aliases), ("base/nested.yaml", &nested)]);
    let found = app.report(&[]).of("reference/missing-secret").len();
    assert!((1..=256).contains(&found), "{found}");
}

#[test]
fn p07_no_secret_of_an_embedded_text_is_shown() {
    let app = Tree::app(&[(
        "base/a.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  p.yaml: |\n    apiVersion: v1\n    kind: Pod\n    spec:\n      \
         containers:\n      - {name: a, env: [{name: DB_PASSWORD, value: S3cr3tCANARYx9}], envFrom: [{secretRef: {name: gone}}]}\n",
    )]);
    assert_eq!(app.report(&[]).of("reference/missing-secret").len(), 1);
    assert_no_canary(&app, &[]);
}

// P8: credentials in values and in files.

#[test]
fn p08_credentials_beside_an_app() {
    let key = private_key();
    let app = Tree::app(&[
        (".env", "DB_PASSWORD=Tr0ub4dor&3CANARY\n"),
        (".aws/credentials", "[default]\naws_secret_access_key = wJalrXUtnFEMI9K7MDENGbPxRfiCYzCANARYk3yQ\n"),
        ("deploy/id_rsa", &key),
        ("tls/server.pem", &key),
        (".pgpass", "db:5432:shop:shop:S3cr3tCANARYpw\n"),
        (".npmrc", "//npm.shop.internal/:_authToken=S3cr3tCANARYtoken\n"),
        (
            ".docker/config.json",
            "{\"auths\": {\"r.shop.internal\": {\"auth\": \"c2hvcDpTM2NyM3RDQU5BUlk=\"}}}\n",
        ),
        ("terraform.tfvars", "db_password = \"S3cr3tCANARY9x\"\n"),
        ("sa.json", &json!({"type": "service_account", "private_key": key}).to_string()),
        ("tls/store.p12", "binary"),
        ("keys/seal-key-new", &"k".repeat(32)),
    ]);
    let report = app.report(&[]);
    let found: Vec<(&str, &str)> = report
        .of("secret/in-file")
        .iter()
        .map(|finding| (finding["path"].as_str().unwrap(), finding["severity"].as_str().unwrap()))
        .collect();
    assert_eq!(
        found,
        [
            (".aws/credentials", "warning"),
            (".docker/config.json", "error"),
            (".env", "warning"),
            (".npmrc", "error"),
            (".pgpass", "error"),
            ("deploy/id_rsa", "error"),
            ("keys/seal-key-new", "error"),
            ("sa.json", "error"),
            ("terraform.tfvars", "warning"),
            ("tls/server.pem", "error"),
            ("tls/store.p12", "warning"),
        ]
    );
    assert_no_canary(&app, &[]);
}

#[test]
fn p08_ignored_files_and_values_that_are_not_secrets() {
    let app = Tree::app(&[
        (".gitignore", "*.key\n/.aws/\n"),
        ("deploy/.gitignore", ".env\n"),
        ("deploy/.env", "DB_PASSWORD=Tr0ub4dor&3CANARY\n"),
        (".aws/credentials", "aws_secret_access_key = wJalrXUtnFEMI9K7MDENGbPxRfiCYzCANARYk3yQ\n"),
        ("tls.key", &private_key()),
        ("ca.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        ("id_ed25519.pub", "ssh-ed25519 AAAA ci\n"),
        (".env.example", "DB_PASSWORD=Tr0ub4dor&3CANARY\n"),
        ("prod.env", "DB_PASSWORD=ENC[AES256_GCM,data:x,iv:x,tag:x,type:str]\nsops_version=3.9\n"),
        ("age.key", "age-encryption.org/v1\n-> X25519 abc\n"),
        ("server.pem", "{{ pem }}\n"),
        ("cluster.kubeconfig", "users: [{name: a, user: {token: \"${TOKEN}\"}}]\n"),
        ("inner/sealwave.yaml", APP),
        ("inner/envs/dev/values.yaml", "{}\n"),
        ("inner/base/good.yaml", GOOD),
        ("inner/.env", "DB_PASSWORD=Tr0ub4dor&3CANARY\n"),
    ]);
    let report = app.report(&[]);
    assert_eq!(report.of("secret/in-file").len(), 0, "{:#?}", report.lines());
    // The other app is checked if requested.
    let all = app.report(&["--all", "."]);
    assert_eq!(all.one("secret/in-file")["path"], "inner/.env");
}

#[test]
fn p08_values_that_no_manifest_prints() {
    let app = Tree::app(&[
        ("values.yaml", "db:\n  password: Tr0ub4dor&3CANARY\n"),
        (
            "envs/dev/values.yaml",
            "db: {password: changeme}\nmore: [{token: ghp_0123456789CANARYabcdefghijklmnopqr}]\n",
        ),
        ("envs/prod/values.yaml", "db: {password: <vault:prod/db#password>}\n"),
    ]);
    let report = app.report(&[]);
    let found = report.of("secret/in-values");
    let places: Vec<(&Value, &Value)> =
        found.iter().map(|finding| (&finding["path"], &finding["line"])).collect();
    assert!(places.contains(&(&json!("values.yaml"), &json!(2))), "{places:?}");
    assert_no_canary(&app, &[]);
}

#[test]
fn p08_hostile_files_beside_an_app() {
    let app = Tree::app(&[("big.env", &format!("A={}\n", "x".repeat(3 << 20))), ("empty.key", "")]);
    let outside = tempfile::NamedTempFile::new().unwrap();
    fs_err::write(outside.path(), private_key()).unwrap();
    symlink(outside.path(), app.root().join("linked.pem")).unwrap();
    symlink("/dev/zero", app.root().join("zero.key")).unwrap();
    symlink("..", app.root().join("up")).unwrap();
    let report = app.report(&[]);
    assert!(report.of("secret/in-file").is_empty(), "{:#?}", report.lines());
    // Only a limited number of files is read.
    for number in 0..300 {
        app.write(&format!("many/{number:03}.key"), private_key());
    }
    let found = app.report(&[]).of("secret/in-file").len();
    assert!((150..=200).contains(&found), "{found}");
}

#[test]
fn p08_a_suppression_applies_to_a_file() {
    let ignore = format!(
        "{APP}validate:\n  ignore:\n  - {{rule: secret/in-file, reason: \"a key of the test server\", path: \"tls/*\"}}\n"
    );
    let app = Tree::app(&[("tls/server.key", &private_key()), ("sealwave.yaml", &ignore)]);
    let ran = app.run(&[]);
    let report: Report = ran.report();
    assert!(report.of("secret/in-file").is_empty() || ran.code == 2, "{:#?}", report.lines());
}

// P9: roles, off by default.

#[test]
fn p09_roles_that_allow_everything_are_reported_on_request() {
    let role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: all}\nrules:\n\
                - {apiGroups: [\"*\"], resources: [\"*\"], verbs: [\"*\"]}\n";
    let app = Tree::app(&[("base/role.yaml", role)]);
    assert!(
        app.report(&[])
            .findings()
            .iter()
            .all(|finding| !finding["rule"].as_str().unwrap().starts_with("rbac/"))
    );
    let report = app.report(&["--rule", "rbac/wildcard=warning", "--rule", "rbac/read-secrets=error"]);
    assert_eq!(place(report.one("rbac/wildcard")), json!(["base/role.yaml", 5, 34, 3]));
    assert_eq!(report.one("rbac/read-secrets")["severity"], "error");
}

// P11: one note for each path.

fn secret(app: usize, items: usize) -> String {
    let mut text = format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: db-{app}}}\nstringData:\n");
    for item in 0..items {
        let _ = writeln!(text, "  k{item}: <vault:platform/db#k{item}>");
    }
    text
}

#[test]
fn p11_one_path_of_an_app_is_one_note() {
    let app = Tree::app(&[("base/db.yaml", &secret(0, 16))]);
    let report = app.report(&[]);
    let found = report.one("environment/same-secret");
    let message = found["message"].as_str().unwrap();
    assert!(message.contains("32 items in 2 environments"), "{message}");
    assert_eq!(place(found), json!(["base/db.yaml", 5, 7, 22]));
}

#[test]
fn p11_one_path_of_many_apps_is_one_note() {
    let tree = Tree::new(&[]);
    for number in 0..20 {
        for (path, text) in [
            ("sealwave.yaml", APP.to_owned()),
            ("envs/dev/values.yaml", "{}\n".to_owned()),
            ("envs/prod/values.yaml", "{}\n".to_owned()),
            ("base/db.yaml", secret(number, 4)),
        ] {
            tree.write(&format!("apps/app-{number:02}/{path}"), text);
        }
    }
    let report = tree.report(&["--all", "."]);
    let found = report.one("environment/same-secret");
    assert_eq!(found["path"], "apps/app-00/base/db.yaml");
    assert!(found["message"].as_str().unwrap().contains("19 more apps"), "{found}");
    assert_eq!(report.lines(), tree.report(&["--all", "."]).lines());
}

// Scenario 3: files on a command line.

#[test]
fn s3_a_location_that_no_volume_mounts() {
    let web = |argument: &str, mount: &str| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: backend}}\nspec:\n  selector: {{matchLabels: {{app: backend}}}}\n  \
             template:\n    metadata: {{labels: {{app: backend}}}}\n    spec:\n      containers:\n      - name: app\n        \
             image: example.com/app:1\n        args: [\"{argument}\"]\n        volumeMounts: [{mount}]\n      \
             volumes: [{{name: s, secret: {{secretName: backend}}}}]\n"
        )
    };
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: backend}\nstringData: {secrets.properties: <vault:a#b>}\n";
    let single = "{name: s, mountPath: /app/secrets.properties, subPath: secrets.properties}";
    let whole = "{name: s, mountPath: /app/config}";
    let option = "--spring.config.additional-location=file:/app/secrets.properties";
    for (argument, mount, expected) in [
        (option, single, None),
        (option, whole, Some(("note", 58, 23))),
        (
            "--spring.config.additional-location=file:/app/config/secret.properties",
            whole,
            Some(("warning", 58, 29)),
        ),
        (
            "--spring.config.additional-location=file:/app/secret.properties",
            single,
            Some(("warning", 58, 22)),
        ),
        ("--spring.config.additional-location=optional:file:/app/none.properties", single, None),
        ("--spring.config.additional-location=file:/app/config/", whole, None),
        ("-Dspring.config.location=classpath:/,file:/etc/none.yaml", whole, Some(("note", 59, 14))),
        ("--log=/app/config/none.log", whole, Some(("warning", 23, 20))),
        ("--log=/elsewhere/none.log", whole, None),
    ] {
        let app = Tree::app(&[("base/web.yaml", &web(argument, mount)), ("base/secret.yaml", secret)]);
        let report = app.report(&[]);
        let found = report.of("reference/missing-file");
        match expected {
            None => assert!(found.is_empty(), "{argument}: {found:?}"),
            Some((severity, column, width)) => {
                assert_eq!(found.len(), 1, "{argument}");
                assert_eq!(found[0]["severity"], severity, "{argument}");
                assert_eq!(place(found[0]), json!(["base/web.yaml", 12, column, width]), "{argument}");
            }
        }
    }
}
