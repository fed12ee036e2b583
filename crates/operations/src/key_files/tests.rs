//! Key files in every format, and those that are refused.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fs_err as fs;
use sealwave_core::diagnostic::{Failure, Note};
use sealwave_secrets::crypto::Certificate;
use sealwave_secrets::values::SecretValue;

use super::UnsealKeys;

macro_rules! testdata {
    ($name:literal) => {
        include_str!(concat!("../../../../testdata/sealed-secrets/", $name))
    };
}

const KEY: &str = testdata!("rsa2048.key");
const CERTIFICATE: &str = testdata!("rsa2048.crt");
const OTHER_KEY: &str = testdata!("rsa3072.key");
const OTHER_CERTIFICATE: &str = testdata!("rsa3072.crt");

struct Directory(tempfile::TempDir);

impl Directory {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, content).expect("written");
        set_mode(&path, 0o600);
        path
    }
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("changed");
}

#[cfg(not(unix))]
fn set_mode(_: &Path, _: u32) {}

fn read(files: &[PathBuf], identities: &[PathBuf]) -> (Result<UnsealKeys, Failure>, Vec<Note>) {
    let mut notes = Vec::new();
    let keys = UnsealKeys::read(files, identities, &mut notes);
    (keys, notes)
}

fn read_one(content: impl AsRef<[u8]>) -> Result<UnsealKeys, String> {
    let directory = Directory::new();
    let (keys, notes) = read(&[directory.write("keys", content)], &[]);
    assert_eq!(notes, [], "no note");
    let root = directory.0.path().display().to_string();
    keys.map_err(|failure| failure.to_string().replace(&format!("{root}/"), ""))
}

fn seal(certificate: &str) -> String {
    let certificate = Certificate::from_pem(certificate.as_bytes()).expect("a certificate");
    certificate.seal_randomly(b"ns/name", &SecretValue::new(b"value".to_vec())).expect("sealed")
}

fn secret(name: &str, key: &str, certificate: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}, namespace: kube-system}}\ntype: kubernetes.io/tls\n\
         data:\n  tls.crt: {}\n  tls.key: {}\n",
        STANDARD.encode(certificate),
        STANDARD.encode(key)
    )
}

fn indented(text: &str) -> String {
    text.lines().fold(String::new(), |out, line| out + "    " + line + "\n")
}

#[test]
fn keys_are_read_in_every_format() {
    let both = secret("one", KEY, CERTIFICATE) + "---\n" + &secret("two", OTHER_KEY, OTHER_CERTIFICATE);
    let item = |text: &str| format!("- {}", indented(text).trim_start()).replace("\n    ", "\n  ");
    let list = format!(
        "apiVersion: v1\nkind: List\nitems:\n{}{}",
        item(&secret("one", KEY, CERTIFICATE)),
        item(&secret("two", OTHER_KEY, OTHER_CERTIFICATE))
    );
    let json = format!(
        r#"{{"apiVersion":"v1","kind":"Secret","metadata":{{"name":"one"}},"data":{{"tls.key":"{}"}}}}"#,
        STANDARD.encode(KEY)
    );
    let string_data = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: one}}\ndata: {{tls.key: AAAA}}\nstringData:\n  tls.key: |\n{}",
        indented(KEY)
    );
    for (content, expected) in [
        (KEY.to_owned(), 1),
        (KEY.replace('\n', "\r\n"), 1),
        (format!("\u{feff}{KEY}"), 1),
        (format!("{CERTIFICATE}{KEY}\n{OTHER_KEY}"), 2),
        (both, 2),
        (list, 2),
        (json, 1),
        (string_data, 1),
        (secret("one", KEY, "damaged"), 1),
        // Each key is kept once.
        (format!("{KEY}{KEY}"), 1),
    ] {
        let keys = read_one(&content).unwrap_or_else(|error| panic!("{error}\n{content}"));
        assert_eq!(keys.infos().len(), expected, "{content}");
        assert!(keys.open(b"ns/name", &seal(CERTIFICATE)).is_some());
        assert_eq!(keys.open(b"ns/name", &seal(OTHER_CERTIFICATE)).is_some(), expected == 2);
        assert!(keys.open(b"ns/other", &seal(CERTIFICATE)).is_none());
    }
}

#[test]
fn the_newest_key_is_first_and_each_result_names_its_key() {
    let old = secret("old", KEY, CERTIFICATE);
    let new = secret("new", OTHER_KEY, OTHER_CERTIFICATE);
    let keys = read_one(format!("{old}---\n{new}")).expect("keys");
    let mut dates: Vec<_> = keys.infos().map(|info| info.not_before.clone().expect("a date")).collect();
    let shown = dates.clone();
    dates.sort();
    dates.reverse();
    assert_eq!(shown, dates);
    for (certificate, name) in [(CERTIFICATE, "old"), (OTHER_CERTIFICATE, "new"), (CERTIFICATE, "old")] {
        let item = seal(certificate);
        let (value, info) = keys.open(b"ns/name", &item).expect("opened");
        assert_eq!(value.expose(), b"value");
        assert_eq!(info.secret.as_deref(), Some(format!("kube-system/{name}").as_str()));
        let own = Certificate::from_pem(certificate.as_bytes()).expect("a certificate");
        assert_eq!(info.public_key_sha256, own.details().public_key_sha256);
    }
}

#[test]
fn files_without_usable_keys_are_refused_without_quoting_them() {
    let cut = &KEY[60..];
    let wide = [0xff, 0xfe].into_iter().chain(KEY.encode_utf16().flat_map(u16::to_le_bytes));
    let error = read_one(wide.collect::<Vec<u8>>()).err().expect("refused");
    assert!(error.starts_with("key file `keys` cannot be used: file is UTF-16, not UTF-8"), "{error}");
    for (content, expected) in [
        (String::new(), "key file `keys` cannot be used: file holds no private key"),
        (CERTIFICATE.to_owned(), "key file `keys` cannot be used: file holds a certificate or a public key"),
        (
            "apiVersion: v1\nkind: List\nitems: []\n".to_owned(),
            "key file `keys` cannot be used: file holds no private key",
        ),
        ("a: [".to_owned(), "keys:2:1: key file is neither a private key in PEM nor YAML or JSON"),
        (
            secret("one", "no key", ""),
            "keys:1:1: `tls.key` of Secret `kube-system/one` cannot be used: file holds no",
        ),
        (secret("one", KEY, "") + "---\nkind: ConfigMap\n", "keys:9:1: document is not a Secret"),
        (
            secret("one", KEY, "").replace("tls.key", "other"),
            "keys:1:1: Secret `kube-system/one` has no item `tls.key`",
        ),
        (
            secret("one", KEY, "").replace("tls.key: ", "tls.key: '='#"),
            "keys:1:1: `tls.key` of Secret `kube-system/one` is not base64",
        ),
        (cut.to_owned(), "keys"),
    ] {
        let error = read_one(&content).err().unwrap_or_else(|| panic!("accepted:\n{content}"));
        assert!(error.starts_with(expected), "{error}\nexpected: {expected}");
        for line in KEY.lines().skip(1).filter(|line| line.len() > 20) {
            assert!(!error.contains(&line[..20]), "{error}");
        }
    }
}

#[test]
fn pipes_and_huge_files_are_not_read() {
    let (keys, _) = read(&[PathBuf::from("/dev/zero")], &[]);
    assert!(keys.err().expect("refused").to_string().contains("not a regular file"));
    let directory = Directory::new();
    let huge = directory.write("huge", "");
    fs::OpenOptions::new().write(true).open(&huge).expect("open").set_len(1 << 30).expect("sparse");
    let (keys, _) = read(&[huge], &[]);
    assert!(keys.err().expect("refused").to_string().contains("larger than"));
}

#[cfg(unix)]
#[test]
fn a_key_file_that_others_can_read_is_reported() {
    let directory = Directory::new();
    let path = directory.write("keys", KEY);
    for (mode, expected) in [(0o600, 0), (0o400, 0), (0o640, 1), (0o604, 1)] {
        set_mode(&path, mode);
        let (keys, notes) = read(std::slice::from_ref(&path), &[]);
        assert!(keys.is_ok());
        assert_eq!(notes.len(), expected, "{mode:o}");
    }
}

#[cfg(feature = "sops")]
mod with_age {
    use std::io::Write as _;

    use age::secrecy::ExposeSecret as _;

    use super::*;

    fn encrypt(content: &str, recipient: &age::x25519::Recipient, armor: bool) -> Vec<u8> {
        let format = if armor { age::armor::Format::AsciiArmor } else { age::armor::Format::Binary };
        let recipients = std::iter::once(recipient as &dyn age::Recipient);
        let encryptor = age::Encryptor::with_recipients(recipients).expect("a recipient");
        let mut out = Vec::new();
        let armored = age::armor::ArmoredWriter::wrap_output(&mut out, format).expect("a writer");
        let mut writer = encryptor.wrap_output(armored).expect("a header");
        writer.write_all(content.as_bytes()).expect("written");
        writer.finish().and_then(age::armor::ArmoredWriter::finish).expect("finished");
        out
    }

    #[test]
    fn age_files_are_decrypted_with_an_identity() {
        let directory = Directory::new();
        let (identity, other) = (age::x25519::Identity::generate(), age::x25519::Identity::generate());
        let file = |name: &str, identity: &age::x25519::Identity| {
            directory.write(name, format!("# created: today\n{}\n", identity.to_string().expose_secret()))
        };
        let (own, foreign) = (file("own.txt", &identity), file("foreign.txt", &other));
        for armor in [false, true] {
            for content in [KEY.to_owned(), secret("one", KEY, CERTIFICATE)] {
                let path = directory.write("keys.age", encrypt(&content, &identity.to_public(), armor));
                // The ciphertext may be visible to others.
                set_mode(&path, 0o644);
                let (keys, notes) = read(std::slice::from_ref(&path), &[foreign.clone(), own.clone()]);
                assert!(keys.expect("keys").open(b"ns/name", &seal(CERTIFICATE)).is_some());
                assert_eq!(notes, []);
                let refused = |identities: &[PathBuf]| {
                    read(std::slice::from_ref(&path), identities).0.err().expect("refused").to_string()
                };
                assert!(refused(&[]).ends_with("it is encrypted with age, and no identity was given"));
                assert!(refused(std::slice::from_ref(&foreign)).contains("encrypted to other recipients"));
                let mut damaged = fs::read(&path).expect("readable");
                damaged.truncate(damaged.len() - 60);
                fs::write(&path, damaged).expect("written");
                assert!(refused(std::slice::from_ref(&own)).ends_with("the age file is damaged"));
            }
        }
        let (keys, _) =
            read(&[directory.write("keys", KEY)], &[directory.write("no-identity", "AGE-SECRET-KEY-1X\n")]);
        let error = keys.err().expect("refused").to_string();
        assert!(error.ends_with("cannot be used: line 1 is not an age identity"), "{error}");
        assert!(!error.contains("AGE-SECRET"), "{error}");
    }
}
