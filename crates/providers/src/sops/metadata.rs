//! The `sops` part of a file: who can open it, and which of its values are encrypted.
//!
//! None of it is authenticated but `lastmodified` (by the MAC) and the KMS context (by KMS), and all of it comes from
//! Git. So it is only ever matched against what the operator allows; a role or a profile in it is never used.

use std::collections::BTreeMap;

use regex::Regex;

use super::error::SopsError;
use sealwave_core::document::{Node, Value};
use sealwave_core::yaml::{CoreScalar, resolve_core};

/// Recipients of one kind; more is an attack.
const MAX_KEYS: usize = 100;

/// Bytes that a compiled regular expression from Git may take.
const MAX_REGEX: usize = 1 << 20;

/// What SOPS leaves in the clear where nothing else is said.
const DEFAULT_SUFFIX: &str = "_unencrypted";

/// Kinds of keys that need a service or a program that no operator setting here can name.
const OTHER_KINDS: [&str; 5] = ["azure_kv", "gcp_kms", "hc_vault", "hckms", "pgp"];

pub(super) struct Metadata {
    pub(super) age: Vec<AgeKey>,
    pub(super) kms: Vec<KmsKey>,
    /// Kinds of keys that were skipped.
    pub(super) skipped: Vec<&'static str>,
    pub(super) last_modified: String,
    pub(super) mac: String,
    pub(super) mac_only_encrypted: bool,
    pub(super) rule: Rule,
}

/// The data key, encrypted to an age recipient.
pub(super) struct AgeKey {
    pub(super) recipient: String,
    pub(super) armored: String,
}

/// The data key, encrypted under a key of AWS KMS.
#[cfg_attr(not(feature = "aws"), expect(dead_code, reason = "without AWS, only that it is there counts"))]
pub(super) struct KmsKey {
    pub(super) arn: String,
    pub(super) context: BTreeMap<String, String>,
    /// Base64.
    pub(super) encrypted: String,
}

impl KmsKey {
    /// The ARN, if it is one in every part: only then may it be matched, shown, or sent anywhere.
    pub(super) fn shown_arn(&self) -> Option<&str> {
        self.region().map(|_| self.arn.as_str())
    }

    /// The region that the ARN names.
    pub(super) fn region(&self) -> Option<&str> {
        let parts: Vec<&str> = self.arn.split(':').collect();
        let &["arn", partition, "kms", region, account, key] = parts.as_slice() else { return None };
        let plain =
            |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
        let name = key.strip_prefix("key/").or_else(|| key.strip_prefix("alias/"))?;
        let named = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'/' | b'_');
        let fits = (partition == "aws" || partition.starts_with("aws-"))
            && [partition, region, account].into_iter().all(plain)
            && !name.is_empty()
            && name.bytes().all(named);
        fits.then_some(region)
    }
}

/// Which values are encrypted; each looks at every key on the way to the value.
pub(super) enum Rule {
    /// Comments decide, which no reader here sees: what looks encrypted is. The MAC then has the last word.
    ByLook,
    EncryptedRegex(Regex),
    EncryptedSuffix(String),
    UnencryptedRegex(Regex),
    UnencryptedSuffix(String),
}

impl Rule {
    /// Whether a key is one that the rule names.
    pub(super) fn names(&self, key: &str) -> bool {
        match self {
            Self::ByLook => false,
            Self::EncryptedRegex(regex) | Self::UnencryptedRegex(regex) => regex.is_match(key),
            Self::EncryptedSuffix(suffix) | Self::UnencryptedSuffix(suffix) => key.ends_with(suffix.as_str()),
        }
    }

    /// Whether a value is encrypted, given whether one of its keys is named; `None` where its look decides.
    pub(super) const fn encrypts(&self, named: bool) -> Option<bool> {
        match self {
            Self::ByLook => None,
            Self::EncryptedRegex(_) | Self::EncryptedSuffix(_) => Some(named),
            Self::UnencryptedRegex(_) | Self::UnencryptedSuffix(_) => Some(!named),
        }
    }
}

impl Metadata {
    pub(super) fn read(node: &Node) -> Result<Self, SopsError> {
        if node.as_mapping().is_none() {
            return Err(SopsError::NotEncrypted);
        }
        let threshold = node.get("shamir_threshold").map_or(0, integer);
        if !list(node, "key_groups")?.is_empty() || threshold > 1 {
            return Err(SopsError::KeyGroups);
        }
        let skipped =
            OTHER_KINDS.into_iter().filter(|kind| list(node, kind).is_ok_and(|list| !list.is_empty()));
        Ok(Self {
            age: list(node, "age")?.into_iter().map(age_key).collect::<Result<_, _>>()?,
            kms: list(node, "kms")?.into_iter().map(kms_key).collect::<Result<_, _>>()?,
            skipped: skipped.collect(),
            last_modified: last_modified(text(node, "lastmodified")?),
            mac: text(node, "mac")?.to_owned(),
            mac_only_encrypted: node.get("mac_only_encrypted").is_some_and(is_true),
            rule: rule(node)?,
        })
    }
}

/// Writes the time of the last change as SOPS does when it binds the MAC to it: to the second, `Z` for no offset.
fn last_modified(text: &str) -> String {
    let Some(CoreScalar::Timestamp(time)) = resolve_core(text) else { return text.to_owned() };
    match time.split_once('.') {
        Some((seconds, rest)) => {
            format!("{seconds}{}", rest.trim_start_matches(|c: char| c.is_ascii_digit()))
        }
        None => time.to_string(),
    }
}

fn rule(node: &Node) -> Result<Rule, SopsError> {
    let given = |name| node.get(name).and_then(Node::as_str).filter(|text| !text.is_empty());
    let mut rules = Vec::new();
    if let Some(suffix) = given("unencrypted_suffix") {
        rules.push(Rule::UnencryptedSuffix(suffix.to_owned()));
    }
    if let Some(suffix) = given("encrypted_suffix") {
        rules.push(Rule::EncryptedSuffix(suffix.to_owned()));
    }
    if let Some(pattern) = given("unencrypted_regex") {
        rules.push(Rule::UnencryptedRegex(regex(pattern)?));
    }
    if let Some(pattern) = given("encrypted_regex") {
        rules.push(Rule::EncryptedRegex(regex(pattern)?));
    }
    for name in ["encrypted_comment_regex", "unencrypted_comment_regex"] {
        rules.extend(given(name).map(|_| Rule::ByLook));
    }
    match (rules.pop(), rules.is_empty()) {
        (None, _) => Ok(Rule::UnencryptedSuffix(DEFAULT_SUFFIX.to_owned())),
        (Some(rule), true) => Ok(rule),
        (Some(_), false) => Err(SopsError::Metadata("several rules say what is encrypted")),
    }
}

fn regex(pattern: &str) -> Result<Regex, SopsError> {
    regex::RegexBuilder::new(pattern)
        .size_limit(MAX_REGEX)
        .dfa_size_limit(MAX_REGEX)
        .build()
        .map_err(|_| SopsError::Metadata("a regular expression in it is not valid, or too large"))
}

fn age_key(node: &Node) -> Result<AgeKey, SopsError> {
    Ok(AgeKey { recipient: text(node, "recipient")?.to_owned(), armored: text(node, "enc")?.to_owned() })
}

fn kms_key(node: &Node) -> Result<KmsKey, SopsError> {
    let mut context = BTreeMap::new();
    for entry in node.get("context").and_then(Node::as_mapping).map_or(&[][..], |context| context.entries()) {
        let value = entry.value.as_str().ok_or(SopsError::Metadata("a KMS context holds more than text"))?;
        context.insert(entry.key.to_string(), value.to_owned());
    }
    Ok(KmsKey { arn: text(node, "arn")?.to_owned(), context, encrypted: text(node, "enc")?.to_owned() })
}

/// A list, where there is one. In flat formats it was made a mapping with the numbers as keys.
fn list<'a>(node: &'a Node, name: &str) -> Result<Vec<&'a Node>, SopsError> {
    let items: Vec<&Node> = match node.get(name).map(|node| &node.value) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Sequence(items)) => items.iter().collect(),
        Some(Value::Mapping(items)) => items.entries().iter().map(|entry| &entry.value).collect(),
        Some(_) => return Err(SopsError::Metadata("a list of keys is none")),
    };
    if items.len() > MAX_KEYS { Err(SopsError::Metadata("it names too many keys")) } else { Ok(items) }
}

fn text<'a>(node: &'a Node, name: &str) -> Result<&'a str, SopsError> {
    node.get(name)
        .and_then(Node::as_str)
        .ok_or(SopsError::Metadata("a field that must be there is not, or is no text"))
}

/// The readers leave scalars as they are written.
fn integer(node: &Node) -> i64 {
    match &node.value {
        Value::String(text) => text.parse().unwrap_or(i64::MAX),
        Value::Null => 0,
        _ => i64::MAX,
    }
}

fn is_true(node: &Node) -> bool {
    matches!(node.as_str(), Some("true" | "True" | "TRUE"))
}
