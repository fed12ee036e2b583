//! The `sops` section of a file: its recipients and the rule for encrypted values.
//!
//! Only `lastmodified` (by the MAC) and the KMS context (by KMS) are authenticated, and all of it comes from Git. So it is
//! only matched against the operator's settings; a role or profile in it is never used.

use std::collections::BTreeMap;

use regex::Regex;

use super::error::SopsError;
use sealwave_core::document::{Node, NodeValue};
use sealwave_core::yaml::{CoreScalar, resolve_core};

/// The most recipients of one kind; more is an attack.
const MAX_KEYS: usize = 100;

/// The largest compiled regular expression from Git, in bytes.
const MAX_REGEX: usize = 1 << 20;

/// The suffix of keys that SOPS does not encrypt by default.
const DEFAULT_SUFFIX: &str = "_unencrypted";

/// Kinds of keys that are not supported, since they need other services or programs.
const OTHER_KINDS: [&str; 5] = ["azure_kv", "gcp_kms", "hc_vault", "hckms", "pgp"];

pub(super) struct SopsMetadata {
    pub(super) age: Vec<AgeKey>,
    pub(super) kms: Vec<KmsKey>,
    /// Kinds of keys that were skipped.
    pub(super) skipped: Vec<&'static str>,
    pub(super) last_modified: String,
    pub(super) mac: String,
    pub(super) mac_only_encrypted: bool,
    pub(super) rule: EncryptionRule,
}

/// The data key, encrypted to an age recipient.
pub(super) struct AgeKey {
    pub(super) recipient: String,
    pub(super) armored: String,
}

/// The data key, encrypted with a key in AWS KMS.
#[cfg_attr(not(feature = "aws"), expect(dead_code, reason = "without AWS, only its presence matters"))]
pub(super) struct KmsKey {
    pub(super) arn: String,
    pub(super) context: BTreeMap<String, String>,
    /// The encrypted data key in base64.
    pub(super) encrypted: String,
}

impl KmsKey {
    /// Returns the ARN if all of its parts are valid. Only then may it be matched, shown or sent.
    pub(super) fn shown_arn(&self) -> Option<&str> {
        self.region().map(|_| self.arn.as_str())
    }

    /// Returns the region of the ARN.
    pub(super) fn region(&self) -> Option<&str> {
        let parts: Vec<&str> = self.arn.split(':').collect();
        let &["arn", partition, "kms", region, account, key] = parts.as_slice() else { return None };
        let is_plain =
            |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
        let name = key.strip_prefix("key/").or_else(|| key.strip_prefix("alias/"))?;
        let is_name_byte = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'/' | b'_');
        let fits = (partition == "aws" || partition.starts_with("aws-"))
            && [partition, region, account].into_iter().all(is_plain)
            && !name.is_empty()
            && name.bytes().all(is_name_byte);
        fits.then_some(region)
    }
}

/// The rule that selects encrypted values; it applies to every key on the path to a value.
pub(super) enum EncryptionRule {
    /// Selected by comments, which the parsers drop: values that look encrypted are. The MAC verifies the result.
    ByAppearance,
    EncryptedRegex(Regex),
    EncryptedSuffix(String),
    UnencryptedRegex(Regex),
    UnencryptedSuffix(String),
}

impl EncryptionRule {
    /// Reports whether the rule matches a key.
    pub(super) fn matches_key(&self, key: &str) -> bool {
        match self {
            Self::ByAppearance => false,
            Self::EncryptedRegex(regex) | Self::UnencryptedRegex(regex) => regex.is_match(key),
            Self::EncryptedSuffix(suffix) | Self::UnencryptedSuffix(suffix) => key.ends_with(suffix.as_str()),
        }
    }

    /// Reports whether a value is encrypted. `named` is set if the rule matches one of its keys. `None`: by its appearance.
    pub(super) const fn encrypts(&self, named: bool) -> Option<bool> {
        match self {
            Self::ByAppearance => None,
            Self::EncryptedRegex(_) | Self::EncryptedSuffix(_) => Some(named),
            Self::UnencryptedRegex(_) | Self::UnencryptedSuffix(_) => Some(!named),
        }
    }
}

impl SopsMetadata {
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

/// Formats the time of the last change like SOPS does when it binds the MAC to it: in seconds, with `Z` for no offset.
fn last_modified(text: &str) -> String {
    let Some(CoreScalar::Timestamp(time)) = resolve_core(text) else { return text.to_owned() };
    match time.split_once('.') {
        Some((seconds, rest)) => {
            format!("{seconds}{}", rest.trim_start_matches(|c: char| c.is_ascii_digit()))
        }
        None => time.to_string(),
    }
}

fn rule(node: &Node) -> Result<EncryptionRule, SopsError> {
    let setting = |name| node.get(name).and_then(Node::as_str).filter(|text| !text.is_empty());
    let mut rules = Vec::new();
    if let Some(suffix) = setting("unencrypted_suffix") {
        rules.push(EncryptionRule::UnencryptedSuffix(suffix.to_owned()));
    }
    if let Some(suffix) = setting("encrypted_suffix") {
        rules.push(EncryptionRule::EncryptedSuffix(suffix.to_owned()));
    }
    if let Some(pattern) = setting("unencrypted_regex") {
        rules.push(EncryptionRule::UnencryptedRegex(regex(pattern)?));
    }
    if let Some(pattern) = setting("encrypted_regex") {
        rules.push(EncryptionRule::EncryptedRegex(regex(pattern)?));
    }
    for name in ["encrypted_comment_regex", "unencrypted_comment_regex"] {
        rules.extend(setting(name).map(|_| EncryptionRule::ByAppearance));
    }
    match (rules.pop(), rules.is_empty()) {
        (None, _) => Ok(EncryptionRule::UnencryptedSuffix(DEFAULT_SUFFIX.to_owned())),
        (Some(rule), true) => Ok(rule),
        (Some(_), false) => Err(SopsError::Metadata("several rules select the encrypted values")),
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
        let value =
            entry.value.as_str().ok_or(SopsError::Metadata("a value in a KMS context is not text"))?;
        context.insert(entry.key.to_string(), value.to_owned());
    }
    Ok(KmsKey { arn: text(node, "arn")?.to_owned(), context, encrypted: text(node, "enc")?.to_owned() })
}

/// Returns the items of a list, if any. In flat formats, a list is a mapping with numbers as keys.
fn list<'a>(node: &'a Node, name: &str) -> Result<Vec<&'a Node>, SopsError> {
    let items: Vec<&Node> = match node.get(name).map(|node| &node.value) {
        None | Some(NodeValue::Null) => Vec::new(),
        Some(NodeValue::Sequence(items)) => items.iter().collect(),
        Some(NodeValue::Mapping(items)) => items.entries().iter().map(|entry| &entry.value).collect(),
        Some(_) => return Err(SopsError::Metadata("a field for a list of keys is not a list")),
    };
    if items.len() > MAX_KEYS { Err(SopsError::Metadata("it has too many keys")) } else { Ok(items) }
}

fn text<'a>(node: &'a Node, name: &str) -> Result<&'a str, SopsError> {
    node.get(name)
        .and_then(Node::as_str)
        .ok_or(SopsError::Metadata("a required field is missing or not text"))
}

/// Parses a number; the parsers keep scalars as strings.
fn integer(node: &Node) -> i64 {
    match &node.value {
        NodeValue::String(text) => text.parse().unwrap_or(i64::MAX),
        NodeValue::Null => 0,
        _ => i64::MAX,
    }
}

fn is_true(node: &Node) -> bool {
    matches!(node.as_str(), Some("true" | "True" | "TRUE"))
}
