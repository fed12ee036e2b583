//! No secret value is readable outside of Secrets: not in Redis, logs, files of Argo CD, conditions, events or other objects.
//!
//! The scanner has to prove itself: it finds the value of a Secret that is plain in Git, and each encoding.

use std::sync::Arc;

use serde_json::json;

use crate::harness::leaks::{Needles, find_in_files, find_in_objects, find_in_redis, find_leaks};
use crate::harness::{APP_FILE, CONFIG_MAP, OPERATOR_KEYS, Refresh, Stack, TestApp, condition};

const SECRET: &str = "\
apiVersion: v1
kind: Secret
metadata:
  name: values
stringData:
  password: <file:app/values.yaml#password>
  pin: <file:app/values.yaml#pin>
  accented: <file:app/values.yaml#accented>
  url: https://user:<file:app/values.yaml#in_url | urlencode>@host.example.internal/
  binary: <file:app/values.yaml#binary | base64decode>
  document.json: <file:app/document.json>
  token: <file:app/document.json | jsonPath {.canaryService.token}>
  private.key: <file:app/private.key>
  own: <file:app/own.txt>
";

const WORKLOAD: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: reader
spec:
  selector: {matchLabels: {app: reader}}
  template:
    metadata: {labels: {app: reader}}
    spec:
      containers:
        - {name: reader, image: reader:1, envFrom: [{secretRef: {name: values}}]}
";

const PASSWORD: &str = r#"CANARY-pt-"quoted"\<&>$word"#;
const PIN: &str = "CANARY7";
const ACCENTED: &str = "CANARY-pt-pässwörd-密码";
const IN_URL: &str = "CANARY/pt:url@pass?word";
const BINARY: &[u8] = b"\x00\xff\xfeCANARY-pt-binary\x00\x80\x9f\n\x7f\x01";
const TOKEN: &str = "CANARY-pt-token-8c1f";
const DOCUMENT: &str = "{\n  \"canaryService\": {\n    \"token\": \"CANARY-pt-token-8c1f\",\n    \"user\": \"CANARY-pt-json-user\"\n  }\n}\n";
const PRIVATE_KEY: &str = "\
-----BEGIN CANARY KEY-----
CANARYptMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ
CANARYptAasa70z0JSed0seB8eYCVbmNeOTL8VITj4f3WoLzSIr2mk2eh2
-----END CANARY KEY-----
";

/// A change that makes the run fail while it holds values.
struct Failure {
    name: &'static str,
    /// A file of the operator, or of the app.
    file: &'static str,
    /// The text that is replaced there, and the text instead.
    change: (&'static str, &'static str),
    /// A part of the message.
    message: &'static str,
}

const STORE: &str = "operator/secrets/app/values.yaml";
const DOCUMENT_STORE: &str = "operator/secrets/app/document.json";
const IN_APP: &str = "app/base/secret.yaml";

const FAILURES: &[Failure] = &[
    Failure {
        name: "broken YAML in the store",
        file: STORE,
        change: ("\"pin\"", "pin\": \"CANARY-pt-failing"),
        message: "it is not well-formed YAML (line 3)",
    },
    Failure {
        name: "broken JSON in the store",
        file: DOCUMENT_STORE,
        change: ("}\n}", "CANARY-pt-failing"),
        message: "the value is not JSON",
    },
    Failure {
        name: "broken base64 in the store",
        file: STORE,
        change: ("\"binary\": \"", "\"binary\": \"CANARY-pt-failing*"),
        message: "the value is not base64",
    },
    Failure {
        name: "wrong modifier",
        file: IN_APP,
        change: ("document.json |", "private.key |"),
        message: "modifier `jsonPath` of `file:app/private.key` cannot be applied",
    },
    Failure {
        name: "unknown modifier",
        file: IN_APP,
        change: ("base64decode", "base64decod"),
        message: "modifier `base64decod` is unknown",
    },
    Failure {
        name: "refused by the policy",
        file: IN_APP,
        change: ("app/values.yaml#password", "other/values.yaml#password"),
        message: "is refused",
    },
    Failure {
        name: "missing key",
        file: IN_APP,
        change: ("#pin", "#pim"),
        message: "the file has no such key",
    },
    Failure {
        name: "placeholder in a ConfigMap",
        file: IN_APP,
        change: ("kind: Secret", "kind: ConfigMap"),
        message: "is outside of a Secret's data",
    },
    Failure {
        name: "wrong type of Secret",
        file: IN_APP,
        change: (
            "stringData:\n",
            "type: kubernetes.io/dockerconfigjson\nstringData:\n  .dockerconfigjson: <file:app/private.key>\n",
        ),
        message: "is not a JSON object",
    },
];

/// After good and failing runs, no value of an app and no key of its operator is readable anywhere.
pub fn values_stay_in_secrets(stack: &Arc<Stack>) {
    stay_in_secrets(stack, &TestApp::new(stack, "plaintext", &[]));
}

/// The story, also for a program that breaks the promise.
pub fn stay_in_secrets(stack: &Stack, app: &TestApp) {
    prepare(app);
    let needles = needles(&own_value(app));
    let commit = app.deploy(app.name(), "dev");
    app.wait_healthy(&commit);
    assert_values_arrived(app);
    app.refresh(Refresh::Hard);
    assert_no_leak(stack, &needles, "good runs");
    for failure in FAILURES {
        fail(app, failure);
        assert_no_leak(stack, &needles, &format!("a failing run, {}", failure.name));
    }
    let live = app.refresh(Refresh::Hard);
    assert_eq!(live["status"]["sync"]["status"], "Synced", "after all repairs");
}

/// Fails if a value is readable outside of Secrets.
pub fn assert_no_leak(stack: &Stack, needles: &Needles, after: &str) {
    let leaks = find_leaks(stack, needles);
    let mut values: Vec<&str> = leaks.iter().map(|leak| leak.value.as_str()).collect();
    values.sort_unstable();
    values.dedup();
    assert!(leaks.is_empty(), "leaks of {values:?} after {after}: {leaks:#?}");
}

/// The scanner finds a Secret that is plain in Git, in Redis and wherever else a value may turn up.
pub fn scanner_finds_a_plain_secret(stack: &Arc<Stack>) {
    let value = "CANARY-plain-in-git-31a9";
    let needles = Needles::new(&[("value", value.as_bytes())]);
    let app = TestApp::new(stack, "plain", &[]);
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "plain"}, "stringData": {"key": value}});
    app.repository().write("app/secret.json", &secret.to_string());
    let mut application = app.application("plain", "dev");
    application["spec"]["source"].as_object_mut().expect("a source").remove("plugin");
    let commit = app.deploy_application(&application);
    app.wait_healthy(&commit);
    let places: Vec<String> = find_in_redis(stack, &needles).into_iter().map(|leak| leak.place).collect();
    assert!(places.iter().any(|place| place.contains("mfst|")), "manifests in Redis: {places:?}");

    stack.cluster().apply(&json!({
        "apiVersion": CONFIG_MAP.0, "kind": CONFIG_MAP.1, "metadata": {"name": "plain", "namespace": "plain"},
        "data": {"key": value},
    }));
    let places = find_in_objects(stack, &needles);
    assert!(places.iter().any(|leak| leak.place.starts_with("ConfigMap")), "a ConfigMap: {places:?}");
    let directory = stack.directory().join("planted");
    fs_err::create_dir_all(&directory).expect("a directory");
    fs_err::write(directory.join("a.log"), format!("level=info msg=\"the value is {value}\"\n"))
        .expect("writable");
    assert_eq!(find_in_files(&directory, &needles).len(), 1, "a log");
}

/// The scanner finds each encoding of each form of a value.
pub fn scanner_knows_encodings(_: &Arc<Stack>) {
    use base64::Engine as _;
    use std::io::Write as _;

    let needles = needles("CANARY-pt-own");
    let finds = |value: &str, name: &str, text: &[u8]| {
        assert!(needles.find(name, text).iter().any(|leak| leak.value == value), "{name} is found");
    };
    let finds_password = |name: &str, text: &[u8]| finds("password", name, text);
    let base64 = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let json = |text: &str| json!({ "field": text }).to_string();
    let gzip = |text: &[u8]| {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packed.write_all(text).expect("memory");
        packed.finish().expect("memory")
    };
    finds_password("plain", format!("before {PASSWORD} after").as_bytes());
    finds("private key", "a line", b"    CANARYptAasa70z0JSed0seB8eYCVbmNeOTL8VITj4f3WoLzSIr2mk2eh2\n");
    for before in ["", "a", "ab"] {
        finds_password("base64 in a longer text", base64(&format!("{before}{PASSWORD}after")).as_bytes());
    }
    finds("binary", "base64", base64::engine::general_purpose::STANDARD.encode(BINARY).as_bytes());
    finds("binary", "URL-safe base64", base64::engine::general_purpose::URL_SAFE.encode(BINARY).as_bytes());
    let digits: Vec<String> = PASSWORD.bytes().map(|byte| format!("{byte:02x}")).collect();
    let digits = digits.concat();
    finds_password("hexadecimal", digits.as_bytes());
    finds_password("upper-case hexadecimal", digits.to_uppercase().as_bytes());
    finds_password("a query in a URL", b"CANARY-pt-%22quoted%22%5C%3C%26%3E%24word");
    finds_password("everything encoded in a URL", b"CANARY%2Dpt%2D%22quoted%22%5C%3C%26%3E%24word");
    finds_password("JSON", json(PASSWORD).as_bytes());
    finds_password("JSON in JSON", json(&json(PASSWORD)).as_bytes());
    finds_password("JSON in JSON in a log", format!("msg={:?}", json(&json(PASSWORD))).as_bytes());
    finds_password("base64 in JSON in base64 in JSON", json(&base64(&json(&base64(PASSWORD)))).as_bytes());
    finds_password("base64 in base64 in a list", json!([base64(&base64(PASSWORD))]).to_string().as_bytes());
    finds_password("gzip", &gzip(PASSWORD.as_bytes()));
    finds_password("gzip in gzip", &gzip(&gzip(json(&json(PASSWORD)).as_bytes())));
    let packed = gzip(PASSWORD.as_bytes());
    finds_password("gzip without its end", &packed[..packed.len() - 4]);
    assert_eq!(needles.find("nothing", b"CANARY").len(), 0, "another text is not found");
}

fn needles(own: &str) -> Needles {
    use base64::Engine as _;

    let keys = OPERATOR_KEYS.map(|(name, key)| (name, base64::engine::general_purpose::STANDARD.decode(key)));
    let keys = keys.map(|(name, key)| (name, key.expect("base64")));
    let mut values: Vec<(&str, &[u8])> = vec![
        ("password", PASSWORD.as_bytes()),
        ("pin", PIN.as_bytes()),
        ("accented", ACCENTED.as_bytes()),
        ("in URL", IN_URL.as_bytes()),
        ("binary", BINARY),
        ("token", TOKEN.as_bytes()),
        ("document", DOCUMENT.as_bytes()),
        ("private key", PRIVATE_KEY.as_bytes()),
        ("own value", own.as_bytes()),
        ("of failing runs", b"CANARY-pt-failing"),
    ];
    values.extend(keys.iter().map(|(name, key)| (*name, key.as_slice())));
    Needles::new(&values)
}

/// Returns a value that no other app has.
fn own_value(app: &TestApp) -> String {
    format!("CANARY-pt-{}-own", app.name())
}

fn prepare(app: &TestApp) {
    app.write_operator();
    app.write_operator_file("secrets/app/values.yaml", &values_file());
    app.write_operator_file("secrets/app/document.json", DOCUMENT);
    app.write_operator_file("secrets/app/own.txt", &own_value(app));
    app.write_operator_file("secrets/app/private.key", PRIVATE_KEY);
    app.write_operator_file("secrets/other/values.yaml", "password: CANARY-pt-failing-refused\n");
    let files = [("sealwave.yaml", APP_FILE), ("base/secret.yaml", SECRET), ("base/reader.yaml", WORKLOAD)];
    for (path, text) in files {
        app.repository().write(&format!("app/{path}"), text);
    }
}

/// Returns the operator's file of values. JSON strings are also YAML.
fn values_file() -> String {
    use base64::Engine as _;

    let binary = base64::engine::general_purpose::STANDARD.encode(BINARY);
    let values =
        json!({"password": PASSWORD, "pin": PIN, "accented": ACCENTED, "in_url": IN_URL, "binary": binary});
    format!("{values:#}\n")
}

fn assert_values_arrived(app: &TestApp) {
    let secrets = app.secrets(app.name());
    let values = &secrets["values"];
    let url = "https://user:CANARY%2Fpt%3Aurl%40pass%3Fword@host.example.internal/";
    let own = own_value(app);
    let expected: [(&str, &[u8]); 9] = [
        ("accented", ACCENTED.as_bytes()),
        ("binary", BINARY),
        ("document.json", DOCUMENT.as_bytes()),
        ("own", own.as_bytes()),
        ("password", PASSWORD.as_bytes()),
        ("pin", PIN.as_bytes()),
        ("private.key", PRIVATE_KEY.as_bytes()),
        ("token", TOKEN.as_bytes()),
        ("url", url.as_bytes()),
    ];
    for (key, value) in expected {
        assert!(values[key] == value, "{key} is {:?}", String::from_utf8_lossy(&values[key]));
    }
}

/// Makes a run fail, and puts the file back afterwards.
fn fail(app: &TestApp, failure: &Failure) {
    let (directory, file) = match failure.file.strip_prefix("operator/") {
        Some(file) => (app.sidecar().operator_directory(), file),
        None => (app.repository().directory().to_owned(), failure.file),
    };
    let file = directory.join(file);
    let good = fs_err::read_to_string(&file).expect("a file");
    let bad = good.replace(failure.change.0, failure.change.1);
    assert_ne!(good, bad, "{}: nothing changes", failure.name);
    fs_err::write(&file, bad).expect("writable");
    app.repository().commit(failure.name);
    let live = app.refresh(Refresh::Hard);
    let message =
        condition(&live, "ComparisonError").unwrap_or_else(|| panic!("{}: no condition", failure.name));
    assert!(message.contains(failure.message), "{}: the condition is\n{message}", failure.name);
    fs_err::write(&file, good).expect("writable");
    app.repository().commit("the repair");
}
