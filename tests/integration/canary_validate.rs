//! Canary tests of `validate`: no report format contains a secret, however malformed its object is.
//!
//! Reports may contain names of keys, fields and objects that are clearly not part of a Secret: messages would be useless
//! without names. So no marker here is the name of a field outside of a Secret, or the key of a valid item of a Secret: a
//! key with a string value is an item's name, whatever it looks like.

use std::path::Path;

use crate::support::validating::{Tree, command};
use crate::support::{MARKER, find_marker};

const FORMS: [&str; 6] = ["human", "json", "sarif", "junit", "github", "gitlab"];

/// A value that looks like a credential, both by its key and by itself.
const VALUE: &str = "CANARY-hunter2-Xk29dLq8Vz";

/// Malformed manifests with the marker; `VALUE` stands for the secret, `BASE64` for it in base64.
const SHAPES: &[&str] = &[
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  password: VALUE\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\npassword: VALUE\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n    password: a\n  token: VALUE\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  password: \"VALUE\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  password: 'VALUE\n  b: c\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {password: VALUE\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  VALUE: {a: b}\n  b: c\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  VALUE:\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  VALUE\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: VALUE\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: [VALUE]\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n- password: VALUE\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {password: {nested: VALUE}}\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {password: {VALUE: nested}}\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {password: [VALUE]}\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {password: VALUE: b}\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n\tpassword: VALUE\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  password: !!binary VALUE\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  password: !!int VALUE\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  password: !VALUE x\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  a: &VALUE x\n  b: *VALUEx\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  a: *VALUE\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  a: &x VALUE\n  b: *x\n  c: *x\ndata: *x\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  <<: VALUE\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  ? {VALUE: a}\n  : b\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {password: VALUE}\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {password: BASE64}\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {password: BASE64, b: 7}\nstringData: {password: BASE64}\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: [BASE64]\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nVALUE: {}\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\npassword: VALUE\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a, VALUE: b}\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a, password: VALUE}\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a, annotations: {password: VALUE, n: 7}}\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a, labels: {password: 'VALUE!'}}\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ntype: kubernetes.io/tls\nstringData: {tls.crt: VALUE, tls.key: VALUE}\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ntype: kubernetes.io/dockerconfigjson\nstringData: {.dockerconfigjson: '{\"auths\": VALUE}'}\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nimmutable: VALUE\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {a: \"<file:VALUE\"}\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {a: \"ENC[AES256_GCM,data:VALUE]\", b: \"${VALUE}\", c: \"{{ VALUE }}\"}\n",
    // A malformed key may be a misplaced value.
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  VALUE!: x\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  VALUE!: 7\n  .VALUE$: ${A}\n  VALUE=: ENC[AES256_GCM,data:x]\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  VALUE!: a\n  VALUE!: b\n  a/b/VALUE: a\n  a/b/VALUE: b\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  VALUE!: <env:A>\n  password VALUE: '<env:A\n\n'\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata:\n  VALUE!: no base64\n  password VALUE: aHVudGVyMgo=\n  VALUE?: YUdWc2JHOGdkMjl5YkdRPQ==\nstringData:\n  VALUE!: a\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ntype: kubernetes.io/tls\nstringData: {VALUE!: {a: b}, 'VALUE#': [a], VALUE%: }\n",
    "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: a}\nspec: {encryptedData: {VALUE!: a}, template: {data: {VALUE!: a}}}\n",
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {VALUE!: 'postgresql://app:hunter2@db/app', password VALUE: hunter2, ..VALUE: a}\nbinaryData: {VALUE!: YQ==}\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {VALUE!: a, ..VALUE: b}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: a\n    image: a:1\n    \
     envFrom: [{secretRef: {name: a}}]\n    env: [{name: A, valueFrom: {secretKeyRef: {name: a, key: VALUE!}}}]\n",
    "apiVersion: v1\nkind: Sercet\nmetadata: {name: a}\nstringData: {password: VALUE}\ndata: {a: BASE64}\n",
    "apiVersion: v1\nkind: secret\nmetadata: {name: a}\nstringData: {password: VALUE}\n",
    "apiVersion: v1\nKind: Secret\nmetadata: {name: a}\nstringData: {password: VALUE}\n",
    "kind: Secret\nmetadata: {name: a}\nstringData: {password: VALUE}\n",
    "apiVersion: v2\nkind: Secret\nmetadata: {name: a}\nstringData: {password: VALUE}\n",
    "apiVersion: v1\nkind: Secret\nstringData: {password: VALUE}\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: 7}\nstringData: {password: VALUE}\n",
    "apiVersion: v1\nkind: SecretList\nitems:\n- metadata: {name: a}\n  stringData: {password: {a: VALUE}}\n",
    "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: [VALUE]}\n- VALUE\n",
    "# VALUE\napiVersion: v1\nkind: Secret # VALUE\nmetadata: {name: a}\nstringData: {a: 7} # VALUE\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n# sealwave: ignore schema/type until VALUE -- VALUE\nstringData: {a: 7}\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {a: 7} # sealwave: ignore VALUE/type -- because VALUE\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a, annotations: {ignore.sealwave.dev/VALUE: VALUE, ignore.sealwave.dev/schema.type: VALUE}}\nstringData: {a: 7}\n",
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {password: VALUE, url: 'postgresql://app:VALUE@db/app', n: 7}\n",
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  app.ini: |\n    password = VALUE\n  n: 7\n  m: {password: VALUE}\n",
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {password: \"VALUE}\n",
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: {password: VALUE, n: 7}, labels: {password: 'VALUE!'}}\n",
    "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: a\n    image: a:1\n    args: [--password=VALUE, --token, VALUE]\n    command: ['sh', '-c', 'PASSWORD=VALUE run']\n    \
     env:\n    - {name: PASSWORD, value: VALUE}\n    - {name: DB, value: 'mysql://u:VALUE@h/d', valueFrom: {secretKeyRef: {name: b, key: c}}}\n    - {name: N, value: 7, vale: VALUE}\n",
    "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - {name: a, image: 'a:1', imagePullPolicy: VALUE, env: [PASSWORD=VALUE]}\n",
    "apiVersion: example.org/v1\nkind: Database\nmetadata: {name: a}\nspec: {password: VALUE, adminPassword: {value: VALUE}}\n",
    "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\nspec: {source: {helm: {values: \"password: VALUE\"}}}\n",
    "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: a}\nspec: {target: {template: {data: {password: VALUE}}}}\n",
    "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: a}\nspec: {encryptedData: {password: VALUE}, template: {data: {a: VALUE}}}\n",
    // Lines with another error next to the credential, so that the line would be shown.
    "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: a\n    image: a:1\n    command: [sh, -c, \"PGPASSWORD=VALUE psql\", 5]\n",
    "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: a\n    image: a:1\n    args: [\"curl -u u:VALUE h\", 5, \"mysql -uroot -pVALUE\", 'Authorization: Bearer VALUE']\n",
    "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: a\n    image: a:1\n    args: [\"redis-cli -a VALUE\", 5]\n    command: [curl, -u, \"u:VALUE\", 5]\n",
    "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: a\n    image: a:1\n    env:\n    - {name: A, value: \"user:VALUE@tcp(h)/d\", b: 5}\n    \
     - {name: B, value: \"{\\\"password\\\": \\\"VALUE\\\"}\", b: 5}\n    - {name: C, value: \"password: VALUE\", b: 5}\n    - {name: D, value: \"Basic VALUE\", b: 5}\n    - {name: E, value: VALUE, b: 5}\n",
    "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: a\n    image: a:1\n    env:\n    - {name: JWT_KEY, value: VALUE, b: 5}\n    \
     - {name: LICENSE_KEY, value: VALUE, b: 5}\n    - {name: PIN, value: VALUE, b: 5}\n    - {name: AUTH, value: \"Basic VALUE\", b: 5}\n    - {name: SECRET_KEY, value: VALUE, b: 5}\n    - {name: API_TOKEN, value: VALUE, b: 5}\n",
    "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: a\n    image: a:1\n    env:\n    - name: JWT_KEY\n      value: {VALUE: 5}\n    \
     - name: LICENSE_KEY\n      value: [VALUE]\n    - value: [VALUE]\n      name: PIN\n    - name: AUTH\n\n      # why\n      value: [\"Basic VALUE\"]\n",
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: {x: \"password: VALUE\", y: 5}}\ndata: {x: \"--api-key VALUE\", y: 5}\n",
    "apiVersion: example.org/v1\nkind: Database\nmetadata:\n  name: a\n  labels:\n    password:\n      VALUE!\n    x: >-\n      password is\n      VALUE!\n",
    "VALUE\n",
    "password: VALUE\n",
    "- VALUE\n",
    "{\"apiVersion\": \"v1\", \"kind\": \"Secret\", \"metadata\": {\"name\": \"a\"}, \"stringData\": {\"password\": \"VALUE\", }, }\n",
];

fn filled(shape: &str) -> String {
    // `CANARY-hunter2-Xk29dLq8Vz`
    shape.replace("VALUE", VALUE).replace("BASE64", "Q0FOQVJZLWh1bnRlcjItWGsyOWRMcThWeg==")
}

fn check(bytes: &[u8], what: &str, leaks: &mut Vec<String>) {
    if let Some(form) = find_marker(bytes, MARKER) {
        let text = String::from_utf8_lossy(bytes);
        let line = text.lines().find(|line| line.contains(&form)).unwrap_or_default();
        leaks.push(format!("{what}: `{form}` in: {}", line.chars().take(300).collect::<String>()));
    }
}

/// Runs with all report formats and checks everything that was written.
fn watch(tree: &Tree, input: &[&str], stdin: Option<&Path>, what: &str, leaks: &mut Vec<String>) {
    let temp = tempfile::TempDir::new().unwrap();
    let mut args: Vec<String> = input.iter().map(|arg| (*arg).to_owned()).collect();
    for form in FORMS {
        args.extend(["--output".to_owned(), format!("{form}={}", temp.path().join(form).display())]);
    }
    args.extend(["--write-baseline".to_owned(), temp.path().join("baseline").display().to_string()]);
    args.extend(["--output".to_owned(), "human".to_owned()]);
    for colours in [false, true] {
        let mut command = command(tree.root(), &args);
        command.env("GITHUB_STEP_SUMMARY", temp.path().join("summary")).env("RUST_BACKTRACE", "full");
        if colours {
            command.env("CLICOLOR_FORCE", "1");
        }
        if let Some(path) = stdin {
            command.stdin(std::fs::File::open(path).unwrap());
        }
        let output = command.output().unwrap();
        assert!(
            output.status.code().is_some_and(|code| code < 2),
            "{what}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        check(&output.stdout, &format!("{what}, standard output"), leaks);
        check(&output.stderr, &format!("{what}, standard error"), leaks);
    }
    let mut seen = 0;
    for entry in fs_err::read_dir(temp.path()).unwrap() {
        let path = entry.unwrap().path();
        check(
            &fs_err::read(&path).unwrap(),
            &format!("{what}, {}", path.file_name().unwrap().display()),
            leaks,
        );
        seen += 1;
    }
    assert_eq!(seen, FORMS.len() + 2, "{what}");
}

#[test]
fn malformed_manifests_do_not_leak_from_files_standard_input_or_apps() {
    let mut leaks = Vec::new();
    for (number, shape) in SHAPES.iter().enumerate() {
        let text = filled(shape);
        let tree = Tree::new(&[("a.yaml", &text)]);
        watch(&tree, &["a.yaml"], None, &format!("shape {number} as a file"), &mut leaks);
        watch(
            &tree,
            &["-"],
            Some(&tree.root().join("a.yaml")),
            &format!("shape {number} on standard input"),
            &mut leaks,
        );
        let app = Tree::app(&[("base/a.yaml", &text)]);
        watch(&app, &[], None, &format!("shape {number} in an app"), &mut leaks);
    }
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}

/// Weak values, which only their context identifies as credentials.
#[test]
fn weak_values_do_not_leak_next_to_errors() {
    let container =
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: a\n    image: a:1\n";
    let shapes = [
        "    env:\n    - {name: SECRET_KEY, value: CANARY, b: 5}\n    - {name: API_TOKEN, value: CANARY, b: 5}\n    - {name: PIN, value: CANARY, b: 5}\n",
        "    env:\n    - name: JWT_KEY\n      value: [CANARY]\n    - name: AUTH\n      value: {CANARY: 5}\n",
        "    args: [--api-key=CANARY, 5]\n",
        "    args: [--api-key, CANARY, 5]\n    command: [mysql, -p, CANARY, 5]\n",
        "    args: [\"login -u root -p CANARY\", 5]\n    command: [sh, -c, \"TOKEN=CANARY run\", 5]\n",
    ];
    let mut leaks = Vec::new();
    for (number, shape) in shapes.iter().enumerate() {
        let tree = Tree::new(&[("a.yaml", &format!("{container}{shape}"))]);
        watch(&tree, &["a.yaml"], None, &format!("weak shape {number}"), &mut leaks);
    }
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}

#[test]
fn values_templates_patches_and_settings_do_not_leak() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n";
    let patched = |patch: &str| {
        format!(
            "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\nenvironments:\n  dev:\n    patches:\n    - target: {{kind: Secret}}\n      patch: {patch}\n"
        )
    };
    let apps: Vec<Vec<(&str, String)>> = vec![
        vec![("values.yaml", "db: {password: VALUE}\n".into()), ("base/a.yaml.hbs", format!("{secret}  a: {{{{ db.password }}}}\n"))],
        vec![("values.yaml", "db: {password: [VALUE]}\n".into()), ("base/a.yaml.hbs", format!("{secret}  a: [{{{{ db.password }}}}]\n"))],
        vec![("values.yaml", "db: {password: 'VALUE: [x'}\n".into()), ("base/a.yaml.hbs", format!("{secret}  a: {{{{ db.password }}}}\n"))],
        vec![("values.yaml", "db: {password: VALUE\n".into())],
        vec![("base/a.yaml.hbs", format!("{secret}  a: VALUE {{{{ nothing }}}}\n"))],
        vec![("base/a.yaml.hbs", format!("{secret}  a: VALUE {{{{#if}}}}\n"))],
        vec![("base/a.yaml.hbs", format!("{secret}  a: {{{{ VALUE\n"))],
        vec![("base/a.yaml", format!("{secret}  a: b\n")), ("sealwave.yaml", patched("[{op: replace, path: /stringData/a, value: [VALUE]}]"))],
        vec![("base/a.yaml", format!("{secret}  a: b\n")), ("sealwave.yaml", patched("[{op: test, path: /stringData/a, value: VALUE}]"))],
        vec![("base/a.yaml", format!("{secret}  a: b\n")), ("sealwave.yaml", patched("{stringData: {a: {b: VALUE}}, data: VALUE}"))],
        vec![("sealwave.yaml", "apiVersion: sealwave.dev/v1alpha1\nkind: App\nvalidate: {ignore: [{rule: schema/type, reason: VALUE, until: 2020-01-01}]}\n".into())],
        vec![("sealwave.yaml", "apiVersion: sealwave.dev/v1alpha1\nkind: App\nvalidate: {ignore: [{rule: schema/VALUE, reason: a}]}\n".into())],
        vec![
            ("envs/dev/a.yaml", format!("{secret}  VALUE!: x\n  VALUE?: <env:A>\n  b: <env:B>\n")),
            ("envs/stage/a.yaml", format!("{secret}  VALUE!: y\n  VALUE?: <env:A>\n  b: <env:B>\n")),
            ("envs/prod/a.yaml", format!("{secret}  VALUE?: z\n  b: <env:B>\n")),
        ],
        vec![("base/a.yaml.hbs", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: {{ db.password }}, n: 7}\n".into()), ("values.yaml", "db: {password: 'VALUE'}\n".into())],
    ];
    let mut leaks = Vec::new();
    for (number, files) in apps.into_iter().enumerate() {
        let app = Tree::app(&[]);
        for (path, text) in files {
            app.write(path, filled(&text));
        }
        watch(&app, &[], None, &format!("app {number}"), &mut leaks);
    }
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}
