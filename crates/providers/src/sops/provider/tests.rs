//! Tests with files that `sops` itself wrote; `testdata/sops/make.sh` creates them.

#![allow(clippy::format_push_string, clippy::format_collect, reason = "hostile texts are put together here")]

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::*;
use crate::evidence_of;
use crate::testing::{self, BytesResult};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/sops");

/// The recipients of `age.key` and `other.key`.
const OURS: &str = "age1t97az49eepmgr7e6afutvw8sscrv7kjg2w8jtclqmrnmxsld3qgs6tylum";
const OTHER: &str = "age17s9xc7g2txx80tkfzwa2tnf5grntqa28hecfpmguaz456fzupusq5k8yaz";

/// A temporary repository with an app.
struct TestRepository(tempfile::TempDir);

impl TestRepository {
    /// Creates a repository with all fixtures in `app/`.
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        fs_err::create_dir_all(dir.path().join("repository/app/sub")).expect("made");
        let repository = Self(dir);
        let mut seen = 0;
        for entry in fs_err::read_dir(FIXTURES).expect("fixtures") {
            let path = entry.expect("an entry").path();
            if path.is_file() {
                fs_err::copy(&path, repository.app().join(path.file_name().expect("a name")))
                    .expect("copied");
                seen += 1;
            }
        }
        assert!(seen > 14, "{seen}");
        repository
    }

    fn app(&self) -> PathBuf {
        self.0.path().join("repository/app")
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs_err::write(self.app().join(name), bytes).expect("written");
    }

    fn text(name: &str) -> String {
        fs_err::read_to_string(Path::new(FIXTURES).join(name)).expect("a fixture")
    }

    fn provider(&self, keys: &[&str]) -> Box<dyn Provider> {
        let boundary = fs_err::canonicalize(self.0.path().join("repository")).expect("there");
        let app = AppDetails { boundary, ..testing::app(&self.app()) };
        let age_key_files = keys.iter().map(PathBuf::from).collect();
        let settings = SopsSettings { age_key_files, aws_kms: None };
        testing::create(&settings, Path::new(FIXTURES), &app).expect("valid")
    }

    fn fetch(&self, source: &str) -> BytesResult {
        fetch(&*self.provider(&["age.key"]), source)
    }
}

fn fetch(sops: &dyn Provider, source: &str) -> BytesResult {
    let reference = testing::reference(&format!("sops:{source}"));
    let answers = sops.fetch(&[&reference], Instant::now() + testing::LONG);
    assert_eq!(answers.len(), 1);
    let answer = testing::bytes(answers).remove(0);
    if let Err(error) = &answer {
        let text = format!("{error} {:?}", sealwave_core::diagnostic::Explain::hint(error));
        for secret in ["age.key", "other.key"].map(TestRepository::text) {
            let key = secret.lines().find(|line| line.starts_with("AGE-SECRET")).expect("a key");
            assert!(!text.contains(&key[..24]), "{text}");
        }
    }
    answer
}

fn text(answer: BytesResult) -> Result<String, ProviderError> {
    answer.map(|bytes| String::from_utf8(bytes).expect("UTF-8"))
}

fn error(answer: BytesResult) -> String {
    answer.expect_err("an error").to_string()
}

#[test]
fn values_of_real_files_are_exact() {
    let repository = TestRepository::new();
    for (source, expected) in [
        ("all.yaml#password", "CANARY-p@ss <aws-sm:x#y> {{ z }} $"),
        ("all.yaml#username_unencrypted", "shop"),
        ("all.yaml#db.host", "CANARY.example"),
        ("all.yaml#db.port", "5432"),
        ("all.yaml#db.ratio", "1.5"),
        ("all.yaml#db.tls", "true"),
        ("all.yaml#db.legacy", "no"),
        ("all.yaml#db.off", "false"),
        ("all.yaml#db.empty", ""),
        ("all.yaml#db.none", "{}"),
        ("all.yaml#db.nobody", "[]"),
        ("all.yaml#db.date", "2001-12-14T00:00:00Z"),
        ("all.yaml#db.time", "2001-12-14T21:59:43.1-05:00"),
        ("all.yaml#db.quoted", "0123"),
        ("all.yaml#db.octal", "15"),
        ("all.yaml#db.big", "9007199254740993"),
        ("all.yaml#db.tiny", "0.0000001"),
        ("all.yaml#db.huge", "1500000000000000000000000000000"),
        ("all.yaml#a.b", "CANARY-exact"),
        ("all.yaml#a.c", "CANARY-c"),
        ("all.yaml#a", r#"{"b":"CANARY-deep","c":"CANARY-c"}"#),
        ("all.yaml#with:colon.x", "CANARY-colon"),
        ("all.yaml#list.0", "CANARY-one"),
        ("all.yaml#list.1.n", "2"),
        ("all.yaml#list.2.1", "CANARY-4"),
        ("all.yaml#list.4", ""),
        ("all.yaml#list", r#"["CANARY-one",{"name":"CANARY-two","n":2},["CANARY-3","CANARY-4"],null,""]"#),
        ("all.yaml#multi", "CANARY line one\nline two\n"),
        ("all.yaml#folded", "CANARY folded text"),
        ("all.yaml#unicode", "CANARY ä 😀 \0 \t 😀"),
        (
            "all.yaml#plain_unencrypted",
            r#"{"port":8080,"ratio":0.5,"on":true,"list":["a",1,false,null],"text":"yes"}"#,
        ),
        ("all.json#password", "CANARY-p\"\\\0\n"),
        ("all.json#n", "5432"),
        ("all.json#f", "1.1"),
        ("all.json#t", "true"),
        ("all.json#", "CANARY-empty-key"),
        ("all.json#empty", ""),
        ("all.json#l.2.2.x", "CANARY-x"),
        ("all.json#db.user", "CANARY-ü😀"),
        ("all.json#db.deep_unencrypted.a", "1.25"),
        ("all.env#PASSWORD", "CANARY-p@ss #not a comment"),
        ("all.env#EMPTY", ""),
        ("all.env#SPACED", " CANARY both sides "),
        ("all.env#QUOTED", "\"CANARY\""),
        ("all.env#MULTI", "CANARY\ntwo"),
        ("all.env#EQUALS", "a=CANARY=b"),
        ("all.env#DOTTED.KEY", "CANARY-dot"),
        ("all.env#HOST_unencrypted", "db.example"),
        ("all.env#UNI", "CANARY-ä😀"),
        ("all.ini#DEFAULT.top", "CANARY-top"),
        ("all.ini#db.user", "CANARY-user"),
        ("all.ini#db.password", "CANARY p=ss:word"),
        ("all.ini#db.host_unencrypted", "db.example"),
        ("all.ini#db.empty", ""),
        ("several.yaml#key", "CANARY-several"),
        ("suffix.yaml#user", "shop"),
        ("suffix.yaml#pass_secret", "CANARY-suffix"),
        ("suffix.yaml#tree_secret.1.b", "1"),
        ("regex.yaml#stringData.password", "CANARY-regex"),
        ("regex.yaml#metadata.name", "app"),
        ("unregex.json#stringData.p", "CANARY-unregex"),
        ("only.yaml#secretKey", "CANARY-only"),
        ("only.yaml#secrets.b", "2"),
        ("only.yaml#public", "1"),
        ("only.env#A", "CANARY-only"),
        ("only.env#B_PLAIN", "open"),
        ("comments.yaml#hidden", "CANARY-hidden"),
        ("comments.yaml#also", "5"),
    ] {
        assert_eq!(text(repository.fetch(source)), Ok(expected.to_owned()), "{source}");
    }
    let blob = repository.fetch("blob.bin").expect("a value");
    assert_eq!(blob, b"CANARY\x00\x01\xff\xfe binary\r\n\n");
}

/// All but the spellings were written by sops 3.12.1, 3.13.1 and 3.13.2, which decrypt every one of these files.
#[test]
fn r02_ini_files_of_all_versions() {
    let repository = TestRepository::new();
    for (source, expected) in [
        ("simple-3.13.1.ini#db.user", "bob"),
        ("simple-3.13.1.ini#db.pw", "x"),
        ("simple-3.13.2.ini#db.user", "bob"),
        ("comments-3.13.1.ini#db.user", "bob"),
        ("comments-3.13.1.ini#db.pass_unencrypted", "\"p"),
        ("comments-3.13.1.ini#db.note_unencrypted", "a"),
    ] {
        assert_eq!(text(repository.fetch(source)), Ok(expected.to_owned()), "{source}");
    }
    for version in ["3.13.1", "3.13.2"] {
        for (key, expected) in [
            ("DEFAULT.top", "1"),
            ("DEFAULT.x_unencrypted", "dflt"),
            ("db.a_unencrypted", "plain"),
            ("db.b_unencrypted", "a"),
            ("db.c_unencrypted", "\"quoted"),
            ("db.d_unencrypted", "back # tick ; x"),
            ("db.e_unencrypted", "single"),
            ("db.g_unencrypted", "one two three"),
            ("db.h_unencrypted", "multi\nline \"quoted\"\ntext"),
            ("db.i_unencrypted", ""),
            ("db.j_unencrypted", "colon"),
            ("db.k=y_unencrypted", "v"),
            ("db.l_unencrypted", "v"),
            ("db.m_unencrypted", "\"it's\" and 'more'"),
            ("db.n_unencrypted", " padded "),
            ("db.o_unencrypted", "\u{e4}"),
            ("db.p_unencrypted", "a=b:c"),
            ("\" spaced \".s_unencrypted", "x"),
            ("odd]name.pw", "p"),
        ] {
            let source = format!("odd-{version}.ini#{key}");
            assert_eq!(text(repository.fetch(&source)), Ok(expected.to_owned()), "{source}");
        }
    }
}

#[test]
fn r02_similar_ini_files() {
    let repository = TestRepository::new();
    for name in ["simple-3.13.1.ini", "simple-3.13.2.ini"] {
        let good = TestRepository::text(name);
        repository.write("crlf.ini", good.replace('\n', "\r\n"));
        assert_eq!(text(repository.fetch("crlf.ini#db.pw")), Ok("x".to_owned()), "{name}");
        // An unknown KMS key next to the recipient.
        repository.write(
            "kms.ini",
            format!("{good}kms__list_0__map_arn = arn:aws:kms:eu-west-1:111122223333:key/x\nkms__list_0__map_enc = AAAA\nkms__list_0__map_aws_profile =\n"),
        );
        assert_eq!(text(repository.fetch("kms.ini#db.pw")), Ok("x".to_owned()), "{name}");
        // The MAC and the binding of values are checked as in every other format.
        repository.write("mac.ini", good.replace("[sops]", "[more]\na_unencrypted = x\n[sops]"));
        assert!(error(repository.fetch("mac.ini#db.pw")).contains("MAC does not match"), "{name}");
        repository.write("moved.ini", good.replace("[db]", "[dc]"));
        assert!(
            error(repository.fetch("moved.ini#dc.pw")).contains("cannot be decrypted: it was changed"),
            "{name}"
        );
        repository.write("open.ini", good.replacen("[db]", "[db]\na = \"\"\"CANARY", 1));
        assert!(matches!(repository.fetch("open.ini#db.pw"), Err(ProviderError::Invalid { .. })), "{name}");
        // An empty section of the same name changes nothing.
        repository.write("twice.ini", good.replace("[sops]", "[db]\n[sops]"));
        assert_eq!(text(repository.fetch("twice.ini#db.pw")), Ok("x".to_owned()), "{name}");
    }
    let sections: String = (0..100_000).map(|number| format!("[{number}]\n")).collect();
    repository.write("many.ini", sections + &TestRepository::text("simple-3.13.2.ini"));
    assert_eq!(text(repository.fetch("many.ini#db.pw")), Ok("x".to_owned()));
}

#[test]
fn r03_merge_keys_aliases_and_words() {
    let repository = TestRepository::new();
    for (source, expected) in [
        ("merge-3.12.1.yaml#base.password", "pw"),
        ("merge-3.12.1.yaml#prod.port", "1"),
        ("merge-3.12.1.yaml#prod.<<.password", "pw"),
        ("merge-3.12.1.yaml#copy.host", "h"),
        ("alias.yaml#a", "pw"),
        ("alias.yaml#b", "pw"),
        ("unquoted-no.yaml#smtp.no", "secret-no"),
        ("unquoted-no.yaml#smtp.de", "secret-de"),
    ] {
        assert_eq!(text(repository.fetch(source)), Ok(expected.to_owned()), "{source}");
    }
    for name in ["merge-3.13.2.yaml", "merge-unquoted.yaml"] {
        for (key, expected) in [
            ("base.host", "CANARY-host"),
            ("prod.port", "5432"),
            ("prod.<<.password", "CANARY-pw"),
            ("several.<<.1.extra", "CANARY-extra"),
            ("several.<<.0.host", "CANARY-host"),
            ("inline", r#"{"<<":{"a":"CANARY-a"}}"#),
            ("copy.password", "CANARY-pw"),
            ("yes", "CANARY-yes"),
            ("on.off", "CANARY-off"),
            ("on", r#"{"off":"CANARY-off","y":1,"n":2}"#),
        ] {
            assert_eq!(
                text(repository.fetch(&format!("{name}#{key}"))),
                Ok(expected.to_owned()),
                "{name} {key}"
            );
        }
        // As in SOPS, a merge does not add the merged keys to the mapping itself.
        assert!(matches!(
            repository.fetch(&format!("{name}#prod.host")),
            Err(ProviderError::NotFound { .. })
        ));
    }
}

/// Unencrypted scalars in the spellings of YAML, each of which `sops decrypt` accepts under the file's MAC.
#[test]
fn r03_unencrypted_scalars_keep_the_spelling() {
    let repository = TestRepository::new();
    assert_eq!(text(repository.fetch("spelled.yaml#k")), Ok("CANARY-k".to_owned()));
    let list = text(repository.fetch("spelled.yaml#x_unencrypted")).expect("a list");
    let items: Vec<serde_json::Value> = serde_json::from_str(&list).expect("JSON");
    assert_eq!(items.len(), 115, "{list}");
    for item in [
        "\"yes\"",
        "\"True\"",
        "true",
        "null",
        "\"0777\"",
        "\"1_000\"",
        "1.10",
        "1e3",
        "\".inf\"",
        "\"2001-1-2\"",
        "5e-324",
    ] {
        assert!(
            list.contains(&format!(",{item},")) || list.starts_with(&format!("[{item},")),
            "{item}: {list}"
        );
    }
    for (spelling, other) in
        [("- 0777", "- 0776"), ("- 2001-1-2", "- 2001-1-3"), ("- 1_000", "- 1_001"), ("- True", "- False")]
    {
        let good = TestRepository::text("spelled.yaml");
        repository.write("other.yaml", good.replacen(spelling, other, 1));
        assert!(error(repository.fetch("other.yaml#k")).contains("MAC does not match"), "{other}");
    }
    // The MAC does not depend on the spelling of a value.
    let good = TestRepository::text("spelled.yaml");
    repository.write(
        "same.yaml",
        good.replacen("- 0777", "- 0x1ff", 1).replacen("- 2001-1-2", "- 2001-01-02T00:00:00Z", 1),
    );
    assert_eq!(text(repository.fetch("same.yaml#k")), Ok("CANARY-k".to_owned()));
}

/// `sops decrypt` accepts each of these.
#[test]
fn r03_similar_files() {
    let repository = TestRepository::new();
    for (source, expected) in [
        ("comments-3.13.2.yaml#m.x", "1"),
        ("comments-3.13.2.yaml#m.y", "CANARY"),
        ("comments-3.13.2.yaml#z", r#"{"a":"b"}"#),
        ("anchors.yaml#a_unencrypted", "0777"),
        ("anchors.yaml#b_unencrypted", "0777"),
        ("anchors.yaml#c_unencrypted", r#"{"<<":{"d":1},"e":["0777","yes"]}"#),
        ("anchors.yaml#k", "CANARY-k"),
    ] {
        assert_eq!(text(repository.fetch(source)), Ok(expected.to_owned()), "{source}");
    }
    let good = TestRepository::text("anchors.yaml");
    repository.write("crlf.yaml", good.replace('\n', "\r\n"));
    repository.write("start.yaml", format!("--- # sops\n{good}...\n"));
    repository.write("mark.yaml", format!("\u{feff}{good}"));
    let at = good.find("lastmodified: \"").expect("a time");
    let (before, time) = good.split_at(at);
    repository.write("time.yaml", format!("{before}{}", time.replacen("Z\"", ".000+00:00\"", 1)));
    for name in ["crlf.yaml", "start.yaml", "mark.yaml", "time.yaml"] {
        let found = text(repository.fetch(&format!("{name}#k")));
        assert_eq!(found, Ok("CANARY-k".to_owned()), "{name}");
    }
}

/// SOPS rejects these files too.
#[test]
fn r03_unreadable_files_are_not_reported_as_attacks() {
    let repository = TestRepository::new();
    let good = TestRepository::text("unquoted-no.yaml");
    for (from, to, why) in [
        ("smtp:", "1: x\nsmtp:", "SOPS requires quotes"),
        ("smtp:", "true: x\nsmtp:", "SOPS requires quotes"),
        ("smtp:", "2001-01-01: x\nsmtp:", "SOPS requires quotes"),
        ("smtp:", "~: x\nsmtp:", "SOPS requires quotes"),
        ("smtp:", "smtp: {}\nsmtp:", "it has a duplicate key"),
        ("sops:", "a: 1\n---\nsops:", "several YAML documents"),
    ] {
        repository.write("bad.yaml", good.replacen(from, to, 1));
        let answer = repository.fetch("bad.yaml#smtp.no");
        let Err(error @ ProviderError::Invalid { .. }) = &answer else { panic!("{to}: {answer:?}") };
        let message = format!("{error} {:?}", sealwave_core::diagnostic::Explain::hint(error));
        assert!(message.contains(why) && !message.contains("attack"), "{to}: {message}");
    }
}

#[test]
fn r18_paths_into_files() {
    let repository = TestRepository::new();
    for (source, expected) in [
        ("all.yaml#\"a.b\"", "CANARY-exact"),
        ("all.yaml#\"a\".b", "CANARY-deep"),
        ("all.yaml#list.1.name", "CANARY-two"),
        ("all.yaml#\"list\".2.1", "CANARY-4"),
        ("all.env#\"DOTTED.KEY\"", "CANARY-dot"),
    ] {
        assert_eq!(text(repository.fetch(source)), Ok(expected.to_owned()), "{source}");
    }
    for (source, why) in [
        ("all.yaml#db.nope", "the object `db` has no key `nope`"),
        ("all.yaml#list.99999999999999999999", "the list `list` has no item `99999999999999999999`"),
        ("all.yaml#list.\"0\"", "the list `list` has no item `0`"),
        ("all.yaml#password.x", "`password` is not an object or a list"),
        ("all.yaml#db.nothing", "has no such key"),
    ] {
        let message = error(repository.fetch(source));
        assert!(message.contains(why), "{source}: {message}");
    }
}

#[test]
fn missing_files_and_keys_are_not_found() {
    let repository = TestRepository::new();
    for source in [
        "nope.yaml#a",
        "all.yaml/x#a",
        "all.yaml#nope",
        "all.yaml#db.nothing",
        "all.yaml#list.9",
        "all.yaml#list.01",
        "all.yaml#list.+1",
        "all.yaml#list.-1",
        "all.yaml#password.x",
        "all.yaml#sops",
        "all.yaml#sops.mac",
        "all.env#sops_mac",
        "all.ini#sops.mac",
        "%2e%2e/all.yaml#a",
        "ALL.yaml#password",
    ] {
        let answer = repository.fetch(source);
        assert!(matches!(answer, Err(ProviderError::NotFound { .. })), "{source}: {answer:?}");
    }
    for source in ["all.yaml", "all.json", "all.env", "all.ini", "blob.bin#data", "all.yaml#password#1"] {
        let answer = repository.fetch(source);
        assert!(matches!(answer, Err(ProviderError::Invalid { .. })), "{source}: {answer:?}");
    }
}

#[test]
fn keys_that_do_not_match_are_listed() {
    let repository = TestRepository::new();
    let answer = repository.fetch("stranger.yaml#key");
    assert!(matches!(answer, Err(ProviderError::Denied { .. })), "{answer:?}");
    let message = error(answer);
    assert!(message.contains(OURS) && message.contains(OTHER), "{message}");
    let both = repository.provider(&["age.key", "other.key"]);
    assert_eq!(text(fetch(&*both, "stranger.yaml#key")), Ok("CANARY-several".to_owned()));
    assert!(error(repository.fetch("groups.yaml#key")).contains("key groups"));

    for (keys, why) in [
        (["nope.key"], "cannot be read"),
        (["all.env"], "not an X25519 identity"),
        ([".."], "cannot be read"),
    ] {
        let answer = fetch(&*repository.provider(&keys), "all.yaml#password");
        assert!(error(answer).contains(why), "{keys:?}");
    }
}

#[test]
fn a_damaged_data_key_is_not_reported_as_a_missing_key() {
    let repository = TestRepository::new();
    let good = TestRepository::text("suffix.yaml");
    let lines: Vec<&str> = good.lines().collect();
    let at = lines.iter().position(|line| line.contains("END AGE")).expect("armor");
    repository.write("cut.yaml", good.replacen(lines[at - 1], "            AAAA", 1));
    repository.write("lies.yaml", TestRepository::text("stranger.yaml").replace(OTHER, OURS));
    for source in ["cut.yaml#user", "lies.yaml#key"] {
        let message = error(repository.fetch(source));
        assert!(message.contains("data key is damaged"), "{source}: {message}");
    }
}

/// Replaces the first occurrence of a text in a copy of a fixture, and returns the error of fetching a value.
fn tampered(fixture: &str, key: &str, from: &str, to: &str) -> String {
    let repository = TestRepository::new();
    let before = TestRepository::text(fixture);
    let after = before.replacen(from, to, 1);
    assert_ne!(before, after, "{fixture}: {from}");
    repository.write(fixture, after);
    error(repository.fetch(&format!("{fixture}#{key}")))
}

#[test]
fn every_change_is_detected() {
    let moved = "cannot be decrypted: it was changed";
    let mac = "MAC does not match";
    for (fixture, key, from, to, why) in [
        // A value, its label, its key, the MAC, the time that the MAC is bound to.
        (
            "all.yaml",
            "password",
            "password: ENC[AES256_GCM,data:",
            "password: ENC[AES256_GCM,data:AAAA",
            moved,
        ),
        ("all.yaml", "db.port", "type:int", "type:comment", mac),
        ("all.yaml", "username_unencrypted", "username_unencrypted: shop", "username_unencrypted: root", mac),
        ("all.yaml", "passwort", "password:", "passwort:", moved),
        ("all.yaml", "password", "lastmodified: \"2", "lastmodified: \"3", mac),
        ("all.yaml", "password", "mac: ENC[AES256_GCM,data:", "mac: ENC[AES256_GCM,data:AAAA", mac),
        ("all.yaml", "password", "mac: ENC[", "mac: \"\"\n    old: ENC[", mac),
        // Added values, and values that claim to need no encryption.
        ("all.yaml", "password", "password:", "added_unencrypted: x\npassword:", mac),
        ("all.yaml", "added", "password:", "added: x\npassword:", "should be encrypted"),
        ("all.yaml", "added", "password:", "added: 5\npassword:", "should be encrypted"),
        (
            "all.yaml",
            "password",
            "unencrypted_suffix: _unencrypted",
            "unencrypted_suffix: word",
            "should be encrypted",
        ),
        ("all.yaml", "password", "version:", "mac_only_encrypted: true\n    version:", mac),
        ("only.yaml", "public", "mac_only_encrypted: true", "mac_only_encrypted: false", mac),
        ("only.yaml", "secretKey", "secretKey:", "secretMore: x\nsecretKey:", "should be encrypted"),
        ("comments.yaml", "hidden", "also: 5", "also: 6", mac),
        ("all.json", "n", "\"port_unencrypted\": 8080", "\"port_unencrypted\": 8081", mac),
        ("all.env", "PASSWORD", "HOST_unencrypted=db", "HOST_unencrypted=xx", mac),
        ("all.env", "PASSWORT", "PASSWORD=", "PASSWORT=", moved),
        ("all.ini", "db.user", "[db]", "[dc]", moved),
        // Rules that no `sops` writes.
        ("all.yaml", "password", "version:", "encrypted_regex: x\n    version:", "several rules"),
        ("regex.yaml", "data.k", "^(data|stringData)$", "((((", "regular expression"),
        ("regex.yaml", "data.k", "^(data|stringData)$", "(a{999}){999}", "regular expression"),
        ("all.yaml", "password", "version:", "shamir_threshold: 2\n    version:", "key groups"),
    ] {
        let message = tampered(fixture, key, from, to);
        assert!(message.contains(why), "{fixture}: {from} → {to}: {message}");
    }
}

#[test]
fn a_removed_or_moved_value_is_detected() {
    let repository = TestRepository::new();
    let good = TestRepository::text("all.yaml");
    let lines: Vec<&str> = good.lines().collect();
    let at = |start: &str| lines.iter().position(|line| line.starts_with(start)).expect("a line");
    let (password, multi) = (at("password:"), at("multi:"));
    let mut removed = lines.clone();
    removed.remove(password);
    repository.write("removed.yaml", removed.join("\n"));
    let mut swapped = lines.clone();
    swapped.swap(password, multi);
    repository.write("swapped.yaml", swapped.join("\n"));
    for name in ["removed.yaml", "swapped.yaml"] {
        let message = error(repository.fetch(&format!("{name}#a.c")));
        assert!(message.contains("MAC does not match"), "{name}: {message}");
    }
}

#[test]
fn paths_stay_in_the_repository() {
    let repository = TestRepository::new();
    let app = repository.app();
    let outside = repository.0.path().join("outside.yaml");
    fs_err::copy(app.join("all.yaml"), &outside).expect("copied");
    fs_err::copy(app.join("all.yaml"), app.join("../shared.yaml")).expect("copied");
    symlink(&outside, app.join("out.yaml")).expect("linked");
    symlink("../..", app.join("up")).expect("linked");
    symlink("../shared.yaml", app.join("shared.yaml")).expect("linked");
    symlink("self.yaml", app.join("self.yaml")).expect("linked");
    assert!(repository.fetch("shared.yaml#password").is_ok());
    for source in ["out.yaml#password", "up/outside.yaml#password"] {
        assert!(matches!(repository.fetch(source), Err(ProviderError::Denied { .. })), "{source}");
    }
    let absolute = format!("{}#password", app.join("all.yaml").display());
    for source in [
        "../shared.yaml#password",
        "./all.yaml#password",
        "sub/../all.yaml#password",
        "sub#a",
        "#a",
        &absolute,
    ] {
        assert!(matches!(repository.fetch(source), Err(ProviderError::Invalid { .. })), "{source}");
    }
    assert!(matches!(repository.fetch("self.yaml#a"), Err(ProviderError::Unreachable { .. })));
}

#[test]
fn hostile_files_are_errors() {
    let repository = TestRepository::new();
    repository.write("plain.yaml", "password: CANARY\n");
    assert!(error(repository.fetch("plain.yaml#password")).contains("is not encrypted"));
    let deep = format!("{{\"a\":{}1{},\"sops\":{{}}}}", "[".repeat(5000), "]".repeat(5000));
    repository.write("deep.json", deep);
    repository.write("huge.yaml", vec![b'a'; (2 << 20) + 1]);
    repository.write("bomb.yaml", {
        let mut text = "a0: &a0 [x]\n".to_owned();
        for level in 1..12 {
            let items = vec![format!("*a{}", level - 1); 10].join(", ");
            text.push_str(&format!("a{level}: &a{level} [{items}]\n"));
        }
        text + "sops: {mac: x, lastmodified: x}\n"
    });
    let keys = vec!["{recipient: x, enc: x}"; 200].join(", ");
    repository.write("keys.yaml", format!("a: x\nsops: {{mac: x, lastmodified: x, age: [{keys}]}}\n"));
    repository.write("types.yaml", "a: x\nsops: {mac: [CANARY], lastmodified: {}, age: 5}\n");
    let flat: String = (0..5000).map(|number| format!("sops_age__list_{number}__map_enc=x\n")).collect();
    repository.write("flat.env", flat);
    repository.write("nested.env", format!("sops_a{}=x\n", "__map_a".repeat(10_000)));
    for name in ["deep.json", "huge.yaml", "bomb.yaml", "keys.yaml", "types.yaml", "flat.env", "nested.env"] {
        let answer = repository.fetch(&format!("{name}#a"));
        assert!(matches!(answer, Err(ProviderError::Invalid { .. })), "{name}: {answer:?}");
    }
}

#[test]
fn a_provider_without_keys_is_rejected() {
    let error = testing::settings_error(&SopsSettings::default(), Path::new("."));
    assert_eq!(error.as_deref(), Some("no decryption key is configured"));
}

#[test]
fn the_whole_encrypted_file_is_evidence() {
    let repository = TestRepository::new();
    let evidence = |file: &str| {
        repository.write("same.yaml", file);
        let sops = repository.provider(&["age.key"]);
        let references = ["sops:same.yaml#password", "sops:same.yaml#none"].map(testing::reference);
        let answers = sops.fetch(&[&references[0], &references[1]], Instant::now() + testing::LONG);
        let evidence = evidence_of(&answers[0]).expect("the value is from Git");
        assert!(answers[1].is_err(), "the key does not exist");
        assert_eq!(evidence_of(&answers[1]), Some(evidence), "also for a missing key");
        (text(testing::bytes(answers).swap_remove(0)).expect("a value"), evidence)
    };
    let file = TestRepository::text("all.yaml");
    let (value, before) = evidence(&file);
    // A comment changes neither values nor the MAC.
    let (same, after) = evidence(&format!("{file}# another\n"));
    assert_eq!(value, same);
    assert_ne!(before, after);
    assert_eq!(evidence(&file).1, before);
}

#[test]
fn all_keys_of_a_file_are_returned() {
    let repository = TestRepository::new();
    let sops = repository.provider(&["age.key"]);
    let ask = |name: &str| {
        repository.write(name, TestRepository::text(name));
        let reference = testing::all_keys(&format!("sops:{name}"));
        let answer = sops.fetch(&[&reference], Instant::now() + testing::LONG).remove(0);
        let evidence = evidence_of(&answer);
        let entries = answer.map(|fetched| fetched.entries.expect("all keys were asked for"));
        let text = |value: &sealwave_secrets::values::SecretValue| {
            String::from_utf8_lossy(value.expose()).into_owned()
        };
        let all: Result<std::collections::BTreeMap<String, String>, String> = entries
            .map(|all| all.iter().map(|(key, value)| (key.to_owned(), text(value))).collect())
            .map_err(|error| error.to_string());
        assert_eq!(evidence.is_some(), all.is_ok(), "values from Git have evidence");
        all
    };
    let yaml = ask("all.yaml").expect("values");
    assert_eq!(yaml["password"], "CANARY-p@ss <aws-sm:x#y> {{ z }} $");
    assert_eq!(yaml["a.b"], "CANARY-exact");
    assert!(yaml["db"].starts_with("{\"host\":\"CANARY.example\",\"port\":5432,"), "{}", yaml["db"]);
    assert!(!yaml.contains_key("sops"));
    assert_eq!(ask("all.env").expect("values")["DOTTED.KEY"], "CANARY-dot");
    assert!(ask("blob.bin").expect_err("binary").contains("a binary file has no keys"));
}

/// Only files that need KMS fail; others are decrypted as in a build with AWS.
#[cfg(not(feature = "aws"))]
#[test]
fn a_build_without_aws_fails_only_files_that_need_kms() {
    let repository = TestRepository::new();
    let kms = "kms: [{arn: 'arn:aws:kms:eu-west-1:111122223333:key/a', created_at: '', enc: Q0FOQVJZ}]";
    let sops = format!("sops: {{{kms}, lastmodified: '', mac: 'ENC[]'}}\n");
    repository.write("kms.yaml", format!("key: ENC[]\n{sops}"));
    let boundary = fs_err::canonicalize(repository.0.path().join("repository")).expect("there");
    let app = AppDetails { boundary, ..testing::app(&repository.app()) };
    let fetch_with = |keys: &str, source: &str| {
        let settings = format!("{{ageKeyFiles: [{keys}], awsKms: {{keys: ['arn:aws:kms:*']}}}}");
        let settings: SopsSettings = yaml_serde::from_str(&settings).expect("settings");
        fetch(&*testing::create(&settings, Path::new(FIXTURES), &app).expect("valid"), source)
    };
    assert!(fetch_with("age.key", "blob.bin").is_ok());
    let error = fetch_with("", "kms.yaml#key").expect_err("not built in");
    assert_eq!(error.to_string(), "cannot be fetched: this build of sealwave has no AWS KMS");
}
