//! Finds credentials in files that programs store credentials in.
//!
//! Only files with known names are read. Encrypted content, public certificates and placeholders are not reported. A
//! finding holds the kind and the line only, never text of the file.

use crate::facts::fields::{items, text};
use sealwave_core::document::{Node, SourceId};
use sealwave_core::yaml::{self, Limits};

use super::{CredentialKind, detect, detect_in_lines, is_placeholder_or_reference};

/// The format of a file that may hold credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CredentialFileFormat {
    /// Registry logins in JSON.
    Docker,
    /// A binary key store.
    KeyStore,
    /// A kubeconfig.
    Kubeconfig,
    /// Names and values: environment files, INI, Terraform.
    Lines,
    /// `machine … login … password …`.
    Netrc,
    /// Package manager settings.
    Npmrc,
    /// PEM: keys and certificates between `BEGIN` and `END` lines.
    Pem,
    /// `host:port:database:user:password`.
    Pgpass,
    /// A service account key or a cloud CLI login, in JSON.
    ServiceAccount,
    /// A single token.
    Token,
    /// An app's values.
    Values,
}

/// A credential found in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CredentialInFile {
    /// The line, from 1; 0 for the whole file.
    pub(crate) line: u32,
    pub(crate) noun: &'static str,
    /// Whether it is certainly a credential.
    pub(crate) is_certain: bool,
}

/// Suffixes of sample files and templates.
const SAMPLE_SUFFIXES: &[&str] =
    &[".default", ".defaults", ".dist", ".example", ".hbs", ".j2", ".sample", ".template", ".tmpl", ".tpl"];

/// Returns the format of a file by its path below the app; `None` if the name is not typical of credentials.
pub(crate) fn credential_file_format(path: &str) -> Option<CredentialFileFormat> {
    let path = path.to_ascii_lowercase();
    let (parent, name) = path.rsplit_once('/').unwrap_or(("", &path));
    let parent = parent.rsplit('/').next().unwrap_or_default();
    if SAMPLE_SUFFIXES.iter().any(|end| name.ends_with(end)) || name.contains("example") {
        return None;
    }
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    Some(match (parent, name, extension) {
        (".docker", "config.json", _) | (_, ".dockercfg" | ".dockerconfigjson" | "dockerconfig.json", _) => {
            CredentialFileFormat::Docker
        }
        (".kube", "config", _) | (_, "kubeconfig", _) | (_, _, "kubeconfig") => {
            CredentialFileFormat::Kubeconfig
        }
        _ if name.starts_with("kubeconfig.") => CredentialFileFormat::Kubeconfig,
        (".aws", "config" | "credentials", _) => CredentialFileFormat::Lines,
        (_, ".boto" | ".env" | ".git-credentials" | ".my.cnf" | ".pypirc" | ".s3cfg" | "credentials", _) => {
            CredentialFileFormat::Lines
        }
        (_, "terraform.tfvars.json", _) | (_, _, "env" | "tfstate" | "tfvars") => CredentialFileFormat::Lines,
        _ if name.starts_with(".env.") || name.ends_with(".tfstate.backup") => CredentialFileFormat::Lines,
        (_, ".npmrc" | ".yarnrc" | ".yarnrc.yml", _) => CredentialFileFormat::Npmrc,
        (_, ".netrc" | "_netrc", _) => CredentialFileFormat::Netrc,
        (_, ".pgpass" | "pgpass.conf", _) => CredentialFileFormat::Pgpass,
        (_, ".vault-token", _) => CredentialFileFormat::Token,
        (_, "id_dsa" | "id_ecdsa" | "id_ed25519" | "id_rsa", _) | (_, _, "key" | "p8" | "pem" | "ppk") => {
            CredentialFileFormat::Pem
        }
        (_, _, "bcfks" | "jks" | "keystore" | "p12" | "pfx") => CredentialFileFormat::KeyStore,
        (_, _, "json") => CredentialFileFormat::ServiceAccount,
        _ => return None,
    })
}

/// Finds a credential in a file.
pub(crate) fn find(form: CredentialFileFormat, content: &[u8], source: SourceId) -> Option<CredentialInFile> {
    if content.is_empty() || is_encrypted(content) {
        return None;
    }
    if form == CredentialFileFormat::KeyStore {
        return Some(CredentialInFile { line: 0, noun: "a key store", is_certain: false });
    }
    let text = std::str::from_utf8(content).ok()?;
    match form {
        CredentialFileFormat::Docker => docker(text),
        CredentialFileFormat::KeyStore | CredentialFileFormat::Values => None,
        CredentialFileFormat::Kubeconfig => kubeconfig(content, source).or_else(|| find_certain(text)),
        CredentialFileFormat::Lines => find_in_lines(text, assignment).or_else(|| find_by_lines(text)),
        CredentialFileFormat::Netrc => find_in_lines(text, netrc),
        CredentialFileFormat::Npmrc => find_in_lines(text, npmrc),
        CredentialFileFormat::Pem => pem(text),
        CredentialFileFormat::Pgpass => find_in_lines(text, pgpass),
        CredentialFileFormat::ServiceAccount => service_account(text),
        CredentialFileFormat::Token => {
            let token = text.trim();
            let is_token = token.len() >= 8
                && !token.contains(char::is_whitespace)
                && !is_placeholder_or_reference(token);
            is_token.then_some(CredentialInFile { line: 1, noun: "a token", is_certain: true })
        }
    }
}

/// Reports whether a file is encrypted by SOPS, age, `OpenPGP`, git-crypt or Ansible.
pub(crate) fn is_encrypted(content: &[u8]) -> bool {
    const STARTS: &[&[u8]] = &[
        b"\0GITCRYPT\0",
        b"$ANSIBLE_VAULT;",
        b"-----BEGIN AGE ENCRYPTED FILE-----",
        b"-----BEGIN PGP MESSAGE-----",
        b"age-encryption.org/",
    ];
    let contains = |part: &[u8]| memchr::memmem::find(content, part).is_some();
    STARTS.iter().any(|start| content.trim_ascii_start().starts_with(start) || content.starts_with(start))
        || contains(b"ENC[AES256_GCM,") && contains(b"sops")
}

/// Finds the first line with a credential.
fn find_in_lines(text: &str, find: impl Fn(&str) -> Option<CredentialKind>) -> Option<CredentialInFile> {
    let mut lines = (1..).zip(text.lines());
    lines.find_map(|(line, text)| {
        let kind = find(text.trim())?;
        Some(CredentialInFile { line, noun: kind.noun(), is_certain: kind.is_certain() })
    })
}

fn find_by_lines(text: &str) -> Option<CredentialInFile> {
    let (line, kind) = detect_in_lines(text)?;
    let line = u32::try_from(line).unwrap_or(u32::MAX).saturating_add(1);
    Some(CredentialInFile { line, noun: kind.noun(), is_certain: kind.is_certain() })
}

fn find_certain(text: &str) -> Option<CredentialInFile> {
    find_by_lines(text).filter(|found| found.is_certain)
}

/// Detects a credential in `export NAME=value`, `name = "value"` or `"name": "value",`.
fn assignment(line: &str) -> Option<CredentialKind> {
    if line.starts_with(['#', ';']) {
        return None;
    }
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once(['=', ':']).unwrap_or(("", line));
    let quotes = ['"', '\'', ' ', '\t'];
    let (name, value) = (name.trim_matches(quotes), value.trim().trim_end_matches(',').trim_matches(quotes));
    detect(Some(name).filter(|name| !name.is_empty()), value)
}

fn netrc(line: &str) -> Option<CredentialKind> {
    let mut words = line.split_whitespace();
    words.find(|word| *word == "password")?;
    words
        .next()
        .filter(|value| !is_placeholder_or_reference(value))
        .map(|_| CredentialKind::Token("a password"))
}

fn npmrc(line: &str) -> Option<CredentialKind> {
    let (name, value) = line
        .split_once(['=', ':'])
        .filter(|_| !line.starts_with(['#', ';', '/']))
        .or_else(|| line.starts_with("//").then(|| line.split_once('=')).flatten())?;
    let is_login = ["_authToken", "_auth", "_password", "npmAuthToken", "npmAuthIdent"]
        .iter()
        .any(|end| name.trim().ends_with(end));
    let value = value.trim().trim_matches(['"', '\'']);
    (is_login && value.len() >= 8 && !is_placeholder_or_reference(value))
        .then_some(CredentialKind::Token("a registry token"))
}

fn pgpass(line: &str) -> Option<CredentialKind> {
    let parts: Vec<&str> = line.split(':').collect();
    let password = parts.get(4).filter(|_| !line.starts_with('#'))?;
    (!password.is_empty() && !is_placeholder_or_reference(password))
        .then_some(CredentialKind::Token("a password"))
}

fn pem(text: &str) -> Option<CredentialInFile> {
    let found = find_certain(text).or_else(|| {
        let line = (1..).zip(text.lines()).find(|(_, line)| line.starts_with("PuTTY-User-Key-File"))?.0;
        Some(CredentialInFile { line, noun: CredentialKind::PrivateKey.noun(), is_certain: true })
    });
    let begins = text.lines().position(|line| line.contains("BEGIN ENCRYPTED PRIVATE KEY"));
    let has_passphrase = begins.is_some() || text.contains("Proc-Type: 4,ENCRYPTED");
    if has_passphrase {
        let line = begins.and_then(|line| u32::try_from(line + 1).ok()).or(found.map(|found| found.line))?;
        return Some(CredentialInFile { line, noun: "a private key with a passphrase", is_certain: false });
    }
    found
}

fn docker(text: &str) -> Option<CredentialInFile> {
    let json: serde_json::Value = serde_json::from_str(text).ok()?;
    let all = json.get("auths").unwrap_or(&json).as_object()?;
    let has_login = all.values().any(|login| {
        ["auth", "identitytoken", "password", "registrytoken"].iter().any(|field| {
            let value = login.get(field).and_then(serde_json::Value::as_str).unwrap_or_default();
            value.len() >= 4 && !is_placeholder_or_reference(value)
        })
    });
    let line =
        (1..).zip(text.lines()).find(|(_, line)| line.contains("\"auth\"")).map_or(0, |(line, _)| line);
    has_login.then_some(CredentialInFile { line, noun: "a registry login", is_certain: true })
}

fn kubeconfig(content: &[u8], source: SourceId) -> Option<CredentialInFile> {
    let documents = yaml::read(content, source, &limits()).ok()?;
    let users = documents.iter().flat_map(|document| items(document, "users"));
    users.filter_map(|user| user.get("user")).find_map(|user| {
        ["client-key-data", "password", "token"].iter().find_map(|field| {
            text(user, field).filter(|value| !is_placeholder_or_reference(value))?;
            let line = user.get(field).map_or(0, |node| node.origin.line);
            Some(CredentialInFile { line, noun: "a cluster login", is_certain: true })
        })
    })
}

/// Finds the private key of a service account, or the refresh token of a CLI user.
fn service_account(text: &str) -> Option<CredentialInFile> {
    let is_login = ["\"authorized_user\"", "\"external_account_authorized_user\"", "\"service_account\""]
        .iter()
        .any(|kind| text.contains(kind));
    let json: serde_json::Value = is_login.then(|| serde_json::from_str(text).ok()).flatten()?;
    ["client_secret", "private_key", "refresh_token"].iter().find_map(|field| {
        let value = json.get(field)?.as_str()?;
        let is_key = detect(None, value) == Some(CredentialKind::PrivateKey);
        (is_key || value.len() >= 8 && !is_placeholder_or_reference(value)).then_some(())?;
        let quoted = format!("\"{field}\"");
        let line =
            (1..).zip(text.lines()).find(|(_, line)| line.contains(&quoted)).map_or(0, |(line, _)| line);
        Some(CredentialInFile { line, noun: "a cloud account login", is_certain: true })
    })
}

/// Returns limits for files of untrusted repositories, well above the size of real files.
pub(crate) fn limits() -> Limits {
    Limits {
        alias_bytes: 64 << 10,
        alias_nodes: 1_000,
        depth: 32,
        document_bytes: 1 << 20,
        document_nodes: 50_000,
        duplicate_keys: yaml::DuplicateKeys::LastWins,
        stream_bytes: 1 << 20,
    }
}

/// Collects the scalars of a document that are credentials, with their kinds, in document order.
pub(crate) fn collect_in_tree<'a>(key: &str, node: &'a Node, found: &mut Vec<(&'a Node, CredentialKind)>) {
    if let Some(value) = node.as_str() {
        let is_multiline = value.trim_end().contains('\n');
        let kind = if is_multiline {
            detect_in_lines(value).map(|(_, kind)| kind)
        } else {
            detect(Some(key), value)
        };
        found.extend(kind.map(|kind| (node, kind)));
    }
    for entry in node.entries() {
        collect_in_tree(&entry.key, &entry.value, found);
    }
    node.items().iter().for_each(|item| collect_in_tree(key, item, found));
}
