use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::testing::{BytesResult, app, is_denied, is_invalid, is_missing, reference};
use super::*;
use crate::env::EnvSettings;
use crate::file::FileSettings;
use sealwave_core::diagnostic::{Explain as _, Failure};
use sealwave_secrets::placeholder::{PlaceholderText, SecretReference, TextPart};
use sealwave_secrets::values::SecretValue;

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

fn env(names: &[&str]) -> ProviderConfig {
    ProviderConfig::Env(EnvSettings { names: names.iter().map(|name| (*name).to_owned()).collect() })
}

fn providers(dir: &Path, root: &str, protected: &[PathBuf]) -> Result<ProviderRegistry, Failure> {
    let config = BTreeMap::from([
        ("file".to_owned(), ProviderConfig::File(FileSettings { root: root.into() })),
        ("env".to_owned(), env(&["SHOP_*", "*_ID"])),
    ]);
    let protected = ProtectedFiles { others: protected.to_vec(), ..ProtectedFiles::default() };
    ProviderRegistry::new(&config, dir, &protected, &app(dir), |name| match name {
        "SHOP_UNSET" => None,
        "SHOP_EMPTY" => Some(OsString::new()),
        other => Some(format!("canary-{other}\n").into()),
    })
}

fn fetch(providers: &ProviderRegistry, source: &str) -> BytesResult {
    let reference = reference(source);
    let mut fetched = providers.fetch([&reference], soon());
    fetched.remove(&reference).expect("an answer").map(|fetched| fetched.value.expose().to_vec())
}

#[test]
fn env_reads_only_allowed_variables() {
    let dir = tempfile::tempdir().expect("a directory");
    let providers = providers(dir.path(), "secrets", &[]).expect("valid");
    assert_eq!(fetch(&providers, "env:SHOP_TOKEN").expect("set"), b"canary-SHOP_TOKEN\n");
    assert_eq!(fetch(&providers, "env:SHOP_EMPTY").expect("set"), b"");
    assert_eq!(fetch(&providers, "env:APP_ID").expect("set"), b"canary-APP_ID\n");
    assert!(is_missing(&fetch(&providers, "env:SHOP_UNSET")));
    for name in [
        "PATH",
        "shop_TOKEN",
        "XSHOP_A",
        "ARGOCD_ENV_ID",
        "ARGOCD_APP_ID",
        "PARAM_ID",
        "SEALWAVE_ID",
        "KUBERNETES_ID",
        "KUBE_ID",
        "GIT_ID",
        "VAULT_TOKEN",
    ] {
        assert!(is_denied(&fetch(&providers, &format!("env:{name}"))), "{name}");
    }
    for source in [
        "env:SHOP_A#k",
        "env:SHOP_A##1",
        "env:SHOP_*",
        "env:SHOP_A=b",
        "env:",
        "env:1_ID",
        "env:SHOP_\u{e4}",
        "env:SHOP_A B",
    ] {
        assert!(is_invalid(&fetch(&providers, source)), "{source}");
    }
}

#[test]
fn bad_settings_are_reported_together() {
    for pattern in ["*", "**", "?*", "[A-Z]*", "{*,A}", "*?"] {
        let config = BTreeMap::from([("e".to_owned(), env(&[pattern]))]);
        assert!(
            ProviderRegistry::new(
                &config,
                Path::new("."),
                &ProtectedFiles::default(),
                &app(Path::new(".")),
                |_| None
            )
            .is_err(),
            "{pattern}"
        );
    }
    let config = BTreeMap::from([
        ("path".to_owned(), env(&["A"])),
        ("Bad".to_owned(), env(&["A"])),
        ("a_b".to_owned(), env(&["A"])),
        ("glob".to_owned(), env(&["[a"])),
        ("wide".to_owned(), ProviderConfig::File(FileSettings { root: "/".into() })),
        ("proc".to_owned(), ProviderConfig::File(FileSettings { root: "/proc".into() })),
    ]);
    let failure = ProviderRegistry::new(
        &config,
        Path::new("."),
        &ProtectedFiles::default(),
        &app(Path::new(".")),
        |_| None,
    )
    .err()
    .expect("a failure");
    assert_eq!(failure.problems().len(), 6, "{failure}");
    assert!(failure.problems().iter().all(|problem| problem.hint.is_some()));
}

#[test]
fn a_root_must_not_contain_the_operator_file() {
    let dir = tempfile::tempdir().expect("a directory");
    let inner = dir.path().join("operator");
    fs_err::create_dir(&inner).expect("made");
    for root in [".", "..", "/"] {
        assert!(providers(&inner, root, &[]).is_err(), "{root}");
    }
    symlink(&inner, inner.join("loop")).expect("linked");
    assert!(providers(&inner, "loop", &[]).is_err());
    // A root that is created later is checked when it is read.
    let late = providers(&inner, "late", &[]).expect("not there yet");
    assert!(matches!(fetch(&late, "file:seal-key"), Err(ProviderError::Unreachable { .. })));
    symlink(&inner, inner.join("late")).expect("linked");
    fs_err::write(inner.join("seal-key"), "canary").expect("written");
    assert!(is_denied(&fetch(&late, "file:seal-key")));
}

#[test]
fn files_are_read_exactly_and_paths_stay_below_the_root() {
    let dir = tempfile::tempdir().expect("a directory");
    let root = dir.path().join("secrets");
    fs_err::create_dir_all(root.join("shop/..data")).expect("made");
    let value = b"a\0<file:x#y> {{ }} $\xff\n\n";
    fs_err::write(root.join("shop/value"), value).expect("written");
    fs_err::write(root.join("shop/..data/mounted"), "m").expect("written");
    fs_err::write(root.join("shop/empty"), "").expect("written");
    fs_err::write(root.join("shop/%2e%2e"), "literal").expect("written");
    fs_err::write(root.join("large"), vec![b'x'; (2 << 20) + 1]).expect("written");
    fs_err::write(root.join("key"), "canary").expect("written");
    fs_err::write(dir.path().join("outside"), "canary").expect("written");
    for (target, link) in [
        ("..data/mounted", "shop/inside"),
        ("../outside", "out"),
        ("/etc/passwd", "abs"),
        ("/proc/self/environ", "environ"),
        ("key", "alias"),
        ("loop", "loop"),
        ("nowhere", "dangling"),
        ("..", "up"),
    ] {
        symlink(target, root.join(link)).expect("linked");
    }
    let made = std::process::Command::new("mkfifo").arg(root.join("fifo")).status();
    let providers = providers(dir.path(), "secrets", &[dir.path().join("secrets/key")]).expect("valid");
    assert_eq!(fetch(&providers, "file:shop/value").expect("a file"), value);
    assert_eq!(fetch(&providers, "file:shop/empty").expect("a file"), b"");
    assert_eq!(fetch(&providers, "file:shop/inside").expect("a link inside"), b"m");
    assert_eq!(fetch(&providers, "file:shop/%2e%2e").expect("taken literally"), b"literal");
    for path in [
        "../outside",
        "shop/../../outside",
        "shop/..",
        "..",
        "shop/..data/mounted",
        "...",
        "/etc/passwd",
        "//etc/passwd",
        "shop//value",
        "shop/value/",
        "./shop/value",
        "shop/./value",
        "shop\\value",
        "..\\outside",
        "sh\0op",
        "",
        "shop",
        "large",
        "shop/value##1",
    ] {
        assert!(is_invalid(&fetch(&providers, &format!("file:{path}"))), "{path:?}");
    }
    for path in ["out", "abs", "environ", "key", "alias", "up/outside"] {
        assert!(is_denied(&fetch(&providers, &format!("file:{path}"))), "{path}");
    }
    for path in [
        "nope",
        "shop/nope",
        "shop/value/x",
        "dangling",
        "%2e%2e/outside",
        "%2e%2e%2foutside",
        "shop%2fvalue",
        "Shop/value",
    ] {
        assert!(is_missing(&fetch(&providers, &format!("file:{path}"))), "{path}");
    }
    assert!(matches!(fetch(&providers, "file:loop"), Err(ProviderError::Unreachable { .. })));
    if made.is_ok_and(|status| status.success()) {
        assert!(is_invalid(&fetch(&providers, "file:fifo")));
    }
}

#[test]
fn keys_are_read_from_all_formats() {
    let dir = tempfile::tempdir().expect("a directory");
    let root = dir.path().join("secrets");
    fs_err::create_dir(&root).expect("made");
    for (name, content) in [
        (
            "a.json",
            r#"{"user":"u\n","n":1.10,"big":123456789012345678901,"t":true,"z":null,"a.b":"exact","a":{"b":"deep","c":"deep"},"l":[1, 2],"d":1,"d":2,"":"e"}"#,
        ),
        ("a.yaml", "user: \"u\\n\"\nt: true\nn: 5432\na:\n  c: deep\n\"a.b\": exact\nl: [1]\nz:\n"),
        ("a.yml", "k: |\n  one\n  two\n"),
        (
            ".env",
            "# c\nA=1\nexport B = two words # c\nC='$A #x'\nD=\"a\\n\\\"b\\\"\\$ \\\nz\"\nE=\nF=a#b\nG=\"x\ny\" # c\r\nH=ä\nexport=1\nA.B=dot\n",
        ),
        ("b.env", "A=1\nA=2\nB=3"),
        ("bad.env", "A=1\ncanary\n"),
        ("open.env", "A=\"canary\n"),
        (
            "a.properties",
            "# c\n! c\na=1\n  b : two  \nc three\nd=x\\\n   y\\\\\ne\\ f\\:g=\\u00e4\\uD83D\\uDE00\\t\\q\nh\ni==\r\nj=1\\",
        ),
        ("bad.properties", "a=1\nb=\\uD83Dcanary\n"),
        ("bad.json", "{\"canary\":"),
        ("bad.yaml", "a: [canary\n"),
        ("x.txt", "a=1"),
    ] {
        fs_err::write(root.join(name), content).expect("written");
    }
    fs_err::write(root.join("latin.json"), b"\xff").expect("written");
    let providers = providers(dir.path(), "secrets", &[]).expect("valid");
    for (source, expected) in [
        ("a.json#user", "u\n"),
        ("a.json#n", "1.10"),
        ("a.json#big", "123456789012345678901"),
        ("a.json#t", "true"),
        ("a.json#a.b", "exact"),
        ("a.json#a.c", "deep"),
        ("a.json#l", "[1,2]"),
        ("a.json#a", r#"{"b":"deep","c":"deep"}"#),
        ("a.yaml#user", "u\n"),
        ("a.yaml#t", "true"),
        ("a.yaml#n", "5432"),
        ("a.yaml#a.c", "deep"),
        ("a.yaml#a.b", "exact"),
        ("a.yaml#l", "[1]"),
        ("a.yml#k", "one\ntwo\n"),
        (".env#A", "1"),
        (".env#B", "two words"),
        (".env#C", "$A #x"),
        (".env#D", "a\n\"b\"$ z"),
        (".env#E", ""),
        (".env#F", "a#b"),
        (".env#G", "x\ny"),
        (".env#H", "ä"),
        (".env#export", "1"),
        (".env#A.B", "dot"),
        ("b.env#B", "3"),
        ("a.properties#a", "1"),
        ("a.properties#b", "two  "),
        ("a.properties#c", "three"),
        ("a.properties#d", "xy\\"),
        ("a.properties#e f:g", "ä😀\tq"),
        ("a.properties#h", ""),
        ("a.properties#i", "="),
        ("a.properties#j", "1"),
    ] {
        let found = fetch(&providers, &format!("file:{source}"));
        assert_eq!(found.as_deref().map(String::from_utf8_lossy).as_deref(), Ok(expected), "{source}");
    }
    for source in [
        "a.json#q",
        "a.json#z",
        "a.json#a.q",
        "a.json#user.x",
        "a.yaml#z",
        "a.yaml#q",
        ".env#Q",
        "a.properties#q",
    ] {
        assert!(is_missing(&fetch(&providers, &format!("file:{source}"))), "{source}");
    }
    for source in [
        "a.json#d",
        "b.env#A",
        "bad.env#A",
        "open.env#A",
        "bad.properties#a",
        "bad.json#a",
        "bad.yaml#a",
        "latin.json#a",
        "x.txt#a",
    ] {
        let error = fetch(&providers, &format!("file:{source}")).expect_err("an error");
        assert!(matches!(error, ProviderError::Invalid { .. }), "{source}: {error}");
        assert!(!format!("{error} {:?}", error.hint()).contains("canary"), "{source}: {error}");
    }
}

/// The reported case: one file, three ways to each value.
#[test]
fn r04_objects_and_lists_keep_the_spelling() {
    let dir = tempfile::tempdir().expect("a directory");
    fs_err::create_dir(dir.path().join("secrets")).expect("made");
    let yaml = "accounts: {no: 0123, on: 1.10, code: 8, pins: [0123, 1_000, 0x1F, yes, NO, 1e3]}\n\
                zip: [02134, 00501]\ncountries: {NO: norway, y: a, on: b}\nsingle: 0123\nlate: &d 2001-1-2\n\
                alias: [*d, ~, null, '', .inf, 123456789012345678901]\n<<: {merged: 010}\n";
    fs_err::write(dir.path().join("secrets/a.yaml"), yaml).expect("written");
    fs_err::write(
        dir.path().join("secrets/a.json"),
        r#"{"a":{"n":1E400,"b":123456789012345678901,"f":1.10,"u":"\u00e4\/","d":1,"d":2}, "l":[ -0, 1.0 ]}"#,
    )
    .expect("written");
    let providers = providers(dir.path(), "secrets", &[]).expect("valid");
    let text = |source: &str| {
        let found = fetch(&providers, &format!("file:{source}"));
        found.map(|bytes| String::from_utf8(bytes).expect("UTF-8"))
    };
    for (key, expected) in [
        ("accounts", r#"{"no":"0123","on":1.10,"code":8,"pins":["0123","1_000","0x1F","yes","NO",1e3]}"#),
        ("accounts.no", "0123"),
        ("accounts.on", "1.10"),
        ("accounts.pins.3", "yes"),
        ("accounts.pins", r#"["0123","1_000","0x1F","yes","NO",1e3]"#),
        ("zip", r#"["02134","00501"]"#),
        ("zip.0", "02134"),
        ("countries", r#"{"NO":"norway","y":"a","on":"b"}"#),
        ("countries.NO", "norway"),
        ("countries.on", "b"),
        ("single", "0123"),
        ("alias", r#"["2001-1-2",null,null,"",".inf",123456789012345678901]"#),
        ("alias.0", "2001-1-2"),
        ("alias.3", ""),
        ("merged", "010"),
    ] {
        assert_eq!(text(&format!("a.yaml#{key}")).as_deref(), Ok(expected), "{key}");
    }
    for key in ["countries.false", "accounts.true", "alias.1", "accounts.pins.6", "zip.\"0\""] {
        assert!(is_missing(&fetch(&providers, &format!("file:a.yaml#{key}"))), "{key}");
    }
    for (key, expected) in [
        ("a", r#"{"n":1E400,"b":123456789012345678901,"f":1.10,"u":"\u00e4\/","d":1,"d":2}"#),
        ("a.n", "1E400"),
        ("a.u", "\u{e4}/"),
        ("l.1", "1.0"),
        ("l", "[-0,1.0]"),
    ] {
        assert_eq!(text(&format!("a.json#{key}")).as_deref(), Ok(expected), "{key}");
    }
    assert!(is_invalid(&fetch(&providers, "file:a.json#a.d")));
    assert!(is_missing(&fetch(&providers, "file:a.json#l.2")));
}

#[test]
fn r18_flat_files_do_not_support_paths() {
    let dir = tempfile::tempdir().expect("a directory");
    fs_err::create_dir(dir.path().join("secrets")).expect("made");
    fs_err::write(dir.path().join("secrets/a.properties"), "a.b=1\na={\"b\":2}\n\"q\"=3\n").expect("written");
    let providers = providers(dir.path(), "secrets", &[]).expect("valid");
    for (key, expected) in [("a.b", "1"), ("\"a.b\"", "1"), ("\"\\\"q\\\"\"", "3")] {
        let found = fetch(&providers, &format!("file:a.properties#{key}"));
        assert_eq!(found.as_deref(), Ok(expected.as_bytes()), "{key}");
    }
    for key in ["\"a\".b", "a.b.c", "a.0", "b"] {
        assert!(is_missing(&fetch(&providers, &format!("file:a.properties#{key}"))), "{key}");
    }
}

/// Long paths: the work is bounded by the number of names, and nothing recurses.
#[test]
fn r18_hostile_paths_are_cheap() {
    let dir = tempfile::tempdir().expect("a directory");
    fs_err::create_dir(dir.path().join("secrets")).expect("made");
    let deep = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    let wide = format!("[{}0]", "0,".repeat(900_000));
    fs_err::write(dir.path().join("secrets/deep.json"), deep).expect("written");
    fs_err::write(dir.path().join("secrets/wide.json"), wide).expect("written");
    let providers = providers(dir.path(), "secrets", &[]).expect("valid");
    let steps = vec!["a"; 33].join(".");
    for (source, expected) in [
        (format!("deep.json#{steps}"), "missing"),
        (format!("deep.json#{}", vec!["a"; 500].join(".")), "missing"),
        (format!("deep.json#{}", "a".repeat(10 << 10)), "invalid"),
        ("wide.json#99999999999999999999".to_owned(), "missing"),
        ("wide.json#18446744073709551615".to_owned(), "missing"),
        ("wide.json#900000".to_owned(), "found"),
        ("wide.json#\"".to_owned(), "invalid"),
    ] {
        let answer = fetch(&providers, &format!("file:{source}"));
        assert_eq!(super::testing::result_kind(&answer), expected, "{source:.40}");
    }
}

#[test]
fn nothing_is_fetched_after_the_deadline_or_without_a_provider() {
    let dir = tempfile::tempdir().expect("a directory");
    fs_err::create_dir(dir.path().join("secrets")).expect("made");
    fs_err::write(dir.path().join("secrets/a.json"), r#"{"k":"v"}"#).expect("written");
    let providers = providers(dir.path(), "secrets", &[]).expect("valid");
    let one = reference("file:a.json#k");
    let late = providers.fetch([&one], Instant::now());
    assert!(matches!(late.get(&one), Some(Err(ProviderError::Overdue { .. }))));
    let unknown = reference("nope:a");
    assert!(matches!(
        providers.fetch([&unknown], soon()).get(&unknown),
        Some(Err(ProviderError::Invalid { .. }))
    ));
}

/// Returns fewer results than references.
struct SilentProvider;

impl Provider for SilentProvider {
    fn fetch(&self, _references: &[&SecretReference], _deadline: Instant) -> Vec<FetchResult> {
        Vec::new()
    }
}

#[test]
fn a_missing_result_is_an_error() {
    let providers = ProviderRegistry::default().with("silent", SilentProvider);
    let text = PlaceholderText::parse("<silent:a>").expect("well formed");
    let [TextPart::Placeholder(placeholder)] = text.parts() else { panic!("one placeholder") };
    let fetched = providers.fetch([&placeholder.reference], soon());
    assert!(matches!(fetched.get(&placeholder.reference), Some(Err(ProviderError::Unreachable { .. }))));
}

/// Returns only while another instance is being queried.
struct ConcurrentProvider(std::sync::Mutex<(std::sync::mpsc::Sender<()>, std::sync::mpsc::Receiver<()>)>);

impl Provider for ConcurrentProvider {
    fn fetch(&self, references: &[&SecretReference], _deadline: Instant) -> Vec<FetchResult> {
        let ends = self.0.lock().expect("not poisoned");
        ends.0.send(()).expect("the other one lives");
        let met = ends.1.recv_timeout(Duration::from_secs(20)).is_ok();
        references
            .iter()
            .map(|_| {
                if met { Ok(SecretValue::new(b"met".to_vec()).into()) } else { Err(ProviderError::overdue()) }
            })
            .collect()
    }
}

/// `PanickingProvider` with a value in its payload.
struct PanickingProvider;

impl Provider for PanickingProvider {
    fn fetch(&self, _references: &[&SecretReference], _deadline: Instant) -> Vec<FetchResult> {
        panic!("canary")
    }
}

#[test]
fn providers_run_concurrently_and_a_panic_does_not_affect_others() {
    let (to_b, from_a) = std::sync::mpsc::channel();
    let (to_a, from_b) = std::sync::mpsc::channel();
    let providers = ProviderRegistry::default()
        .with("a", ConcurrentProvider((to_b, from_b).into()))
        .with("b", ConcurrentProvider((to_a, from_a).into()))
        .with("c", PanickingProvider);
    let references = ["a:x", "b:x", "c:x", "c:y"].map(reference);
    let fetched = providers.fetch(&references, soon());
    assert_eq!(fetched.keys().copied().collect::<Vec<_>>(), references.iter().collect::<Vec<_>>());
    for met in &references[..2] {
        assert!(fetched[met].is_ok(), "{met}");
    }
    for broken in &references[2..] {
        let Err(error) = &fetched[broken] else { panic!("{broken} cannot be there") };
        assert!(matches!(error, ProviderError::Unreachable { .. }));
        assert!(!format!("{error:?}").contains("canary"));
    }
}

/// Exceeds the deadline for all references but the first.
struct SlowProvider;

impl Provider for SlowProvider {
    fn fetch(&self, references: &[&SecretReference], _deadline: Instant) -> Vec<FetchResult> {
        let late = references.iter().skip(1).map(|_| Err(ProviderError::overdue()));
        std::iter::once(Ok(SecretValue::new(Vec::new()).into())).chain(late).collect()
    }
}

#[test]
fn pending_references_are_listed_once_and_within_limits() {
    let providers = ProviderRegistry::default().with("slow", SlowProvider);
    let names: Vec<SecretReference> =
        (0..60).map(|number| reference(&format!("slow:p{:02}#{}", number / 2, number % 2))).collect();
    let fetched = providers.fetch(&names, soon());
    let Err(error) = &fetched[&names[1]] else { panic!("late") };
    let text = error.to_string();
    assert!(
        text.contains("still waiting for: `slow:p00`, `slow:p01`, ")
            && text.ends_with("`slow:p19` and 10 more"),
        "{text}"
    );
    assert!(fetched[&names[0]].is_ok());
    assert_eq!(fetched.values().filter(|answer| answer.is_err()).count(), 59);
}

/// One operator file serves many apps: a missing provider must only affect the apps that use it.
#[cfg(not(feature = "vault"))]
#[test]
fn a_provider_that_is_not_built_fails_only_its_references() {
    let config: BTreeMap<String, ProviderConfig> = yaml_serde::from_str(
        "{v: {kind: vault, address: 'https://v', auth: {token: {file: t}}}, e: {kind: env, names: [SHOP_TOKEN]}}",
    )
    .expect("valid");
    let dir = Path::new(".");
    let providers = ProviderRegistry::new(&config, dir, &ProtectedFiles::default(), &app(dir), |_| {
        Some("a value".into())
    })
    .expect("valid");
    assert_eq!(fetch(&providers, "e:SHOP_TOKEN").as_deref(), Ok(&b"a value"[..]));
    let error = fetch(&providers, "v:secret/a#k").expect_err("not built in");
    assert_eq!(error.to_string(), "cannot be fetched: this build of sealwave has no `vault` provider");
    let hint = error.hint();
    assert_eq!(hint.as_deref(), Some("use a release, or build with `--features vault`"));
}
