//! `rotation` of the app file: how the team rotates each secret, and how often. The list is for people and for
//! `sealwave status`; nothing is rotated because of it.

use std::fmt;

use globset::{GlobBuilder, GlobMatcher};
use schemars::JsonSchema;
use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer};

use sealwave_core::time::Date;

/// The most entries of a policy.
const MAX_ENTRIES: usize = 1000;
/// The longest text of an entry, in characters.
const MAX_TEXT: usize = 300;
/// The longest address of a runbook.
const MAX_ADDRESS: usize = 500;
/// The largest maximum age, in days.
const MAX_DAYS: u32 = 36_500;

/// The longest name of an IAM user.
const MAX_USER: usize = 64;

/// The rotation policy of an app. For each Secret, the first entry that matches it applies.
#[derive(Clone, Debug, Default, JsonSchema)]
#[schemars(extend("maxItems" = MAX_ENTRIES))]
pub struct RotationPolicy(Vec<RotationEntry>);

/// An entry of the policy: the way in which the secrets that match it are rotated.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RotationEntry {
    /// The Secrets: `name` or `namespace/name`, each part a glob.
    pub secret: SecretPattern,
    /// The environments; by default all.
    #[serde(default)]
    pub environments: Vec<String>,
    /// The one who rotates the secret: its source, or a person.
    pub rotation: RotationMode,
    /// The maximum age in days, for example `90d`.
    #[serde(default)]
    pub max_age: Option<MaxAge>,
    /// The day of the last rotation, for secrets whose source does not tell it.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date", "pattern" = r"^\d{4}-\d{2}-\d{2}$"))]
    pub rotated: Option<Date>,
    /// The team or person to ask.
    #[serde(default)]
    pub owner: Option<ShortText>,
    /// The reason why the secret is rotated in this way, or cannot be rotated automatically.
    #[serde(default)]
    pub reason: Option<ShortText>,
    /// The page that describes the rotation: an https address.
    #[serde(default)]
    pub runbook: Option<RunbookAddress>,
    /// The IAM user whose access key the Secret holds. `sealwave status --fetch` asks AWS for the age of the user's keys.
    #[serde(default)]
    pub iam_user: Option<IamUserName>,
}

/// The one who rotates a secret.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum RotationMode {
    /// Its source, or a controller.
    Automatic,
    /// A person.
    Manual,
}

/// A pattern for Secrets: `name` or `namespace/name`, each part a glob.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(with = "String", extend("pattern" = "^[^/]+(/[^/]+)?$", "maxLength" = MAX_TEXT))]
pub struct SecretPattern {
    text: String,
    matcher: GlobMatcher,
}

/// A maximum age in whole days.
#[derive(Clone, Copy, Debug, JsonSchema, PartialEq, Eq)]
#[schemars(with = "String", extend("pattern" = "^[1-9][0-9]{0,4}d$"))]
pub struct MaxAge(u32);

/// A short text without control characters.
#[derive(Clone, Debug, JsonSchema, PartialEq, Eq)]
#[schemars(with = "String", extend("minLength" = 1, "maxLength" = MAX_TEXT, "pattern" = r"^[^\u0000-\u001f\u007f-\u009f]+$"))]
pub struct ShortText(String);

/// An https address without credentials.
#[derive(Clone, Debug, JsonSchema, PartialEq, Eq)]
#[schemars(with = "String", extend("maxLength" = MAX_ADDRESS, "pattern" = r"^https://[^\s@\u0000-\u001f\u007f-\u009f]+$"))]
pub struct RunbookAddress(String);

/// The name of an IAM user, without a path.
#[derive(Clone, Debug, JsonSchema, PartialEq, Eq, PartialOrd, Ord)]
#[schemars(with = "String", extend("maxLength" = MAX_USER, "pattern" = r"^[A-Za-z0-9+=,.@_-]*[A-Za-z0-9+=,@_-][A-Za-z0-9+=,.@_-]*$"))]
pub struct IamUserName(String);

impl RotationPolicy {
    /// Returns the entries, in order.
    #[must_use]
    pub fn entries(&self) -> &[RotationEntry] {
        &self.0
    }

    /// Returns the entry for a Secret of an environment, with its index: the first one that matches.
    #[must_use]
    pub fn entry_for(
        &self,
        environment: &str,
        namespace: &str,
        name: &str,
    ) -> Option<(usize, &RotationEntry)> {
        self.0.iter().enumerate().find(|(_, entry)| entry.matches(environment, namespace, name))
    }
}

impl RotationEntry {
    /// Reports whether the entry is about a Secret.
    #[must_use]
    pub fn matches(&self, environment: &str, namespace: &str, name: &str) -> bool {
        let is_here = self.environments.is_empty() || self.environments.iter().any(|one| one == environment);
        is_here && self.secret.matches(namespace, name)
    }
}

impl RotationMode {
    /// Returns the name in the app file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::Manual => "manual",
        }
    }
}

impl SecretPattern {
    fn parse(text: &str) -> Option<Self> {
        let parts = text.split('/').count();
        if parts > 2 || text.split('/').any(str::is_empty) || !is_short(text, MAX_TEXT) {
            return None;
        }
        let glob = GlobBuilder::new(text).literal_separator(true).build().ok()?;
        Some(Self { text: text.to_owned(), matcher: glob.compile_matcher() })
    }

    /// Reports whether the pattern matches a Secret.
    #[must_use]
    pub fn matches(&self, namespace: &str, name: &str) -> bool {
        if self.text.contains('/') {
            self.matcher.is_match(format!("{namespace}/{name}"))
        } else {
            self.matcher.is_match(name)
        }
    }
}

impl fmt::Display for SecretPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl MaxAge {
    fn parse(text: &str) -> Option<Self> {
        let days = text.strip_suffix('d').filter(|days| days.bytes().all(|byte| byte.is_ascii_digit()))?;
        let is_plain = !days.starts_with('0');
        days.parse().ok().filter(|days| is_plain && (1..=MAX_DAYS).contains(days)).map(Self)
    }

    /// Returns the number of days.
    #[must_use]
    pub const fn days(self) -> i64 {
        self.0 as i64
    }
}

impl ShortText {
    fn parse(text: &str) -> Option<Self> {
        is_short(text, MAX_TEXT).then(|| Self(text.to_owned()))
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl RunbookAddress {
    fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("https://")?;
        let is_plain = is_short(text, MAX_ADDRESS) && !text.contains([' ', '@']) && !rest.starts_with('/');
        is_plain.then(|| Self(text.to_owned()))
    }

    /// Returns the address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl IamUserName {
    /// Reads a name that AWS accepts. Dots alone are not a name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_name = (1..=MAX_USER).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte))
            && text.bytes().any(|byte| byte != b'.');
        is_name.then(|| Self(text.to_owned()))
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_short(text: &str, max: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= max && !text.chars().any(char::is_control)
}

/// Reads a text of a form.
fn read<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    parse: fn(&str) -> Option<T>,
    expected: &str,
) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).ok_or_else(|| Error::invalid_value(Unexpected::Other("text"), &expected))
}

macro_rules! read_text {
    ($($type:ty: $expected:literal;)*) => {
        $(impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                read(deserializer, Self::parse, $expected)
            }
        })*
    };
}

read_text! {
    IamUserName: "the name of an IAM user: at most 64 letters, digits and `+=,.@_-`, without a path";
    MaxAge: "a number of days such as `90d`";
    RunbookAddress: "an https address without credentials, of at most 500 characters";
    SecretPattern: "`name` or `namespace/name`, each part a glob such as `*`";
    ShortText: "one line of at most 300 characters";
}

impl<'de> Deserialize<'de> for RotationPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries = Vec::<RotationEntry>::deserialize(deserializer)?;
        if entries.len() > MAX_ENTRIES {
            return Err(Error::invalid_length(entries.len(), &"at most 1000 entries"));
        }
        Ok(Self(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(text: &str) -> Result<RotationPolicy, String> {
        yaml_serde::from_str(text).map_err(|error: yaml_serde::Error| error.to_string())
    }

    #[test]
    fn the_first_entry_that_matches_applies() {
        let policy = policy(
            "- {secret: slack-webhook, rotation: manual, maxAge: 365d, owner: sre, rotated: 2026-01-15}\n\
             - {secret: 'shop/*', environments: [prod], rotation: automatic}\n\
             - {secret: '*', rotation: manual}\n",
        )
        .unwrap();
        for (environment, namespace, name, expected) in [
            ("prod", "shop", "slack-webhook", 0),
            ("prod", "shop", "db", 1),
            ("dev", "shop", "db", 2),
            ("prod", "other", "db", 2),
        ] {
            let found = policy.entry_for(environment, namespace, name).map(|(index, _)| index);
            assert_eq!(found, Some(expected), "{environment} {namespace}/{name}");
        }
        assert_eq!(policy.entries()[0].max_age.map(MaxAge::days), Some(365));
    }

    #[test]
    fn hostile_and_wrong_texts_are_refused() {
        let long = "a".repeat(301);
        for (field, text) in [
            ("maxAge", "0d"),
            ("maxAge", "090d"),
            ("maxAge", "90"),
            ("maxAge", "-1d"),
            ("maxAge", "99999999999d"),
            ("maxAge", "36501d"),
            ("owner", ""),
            ("owner", " "),
            ("owner", "a\\e[2J"),
            ("owner", "a\\nb"),
            ("owner", &long),
            ("reason", "a\\x07"),
            ("runbook", "http://a.example"),
            ("runbook", "https://user:CANARY@a.example"),
            ("runbook", "https:///a"),
            ("runbook", "https://a.example/a b"),
            ("runbook", "javascript:alert(1)"),
            ("iamUser", ""),
            ("iamUser", "team/a"),
            ("iamUser", "a b"),
            ("iamUser", "a&Action=DeleteUser"),
            ("iamUser", ".."),
            ("iamUser", &long),
            ("iamUser", "arn:aws:iam::123456789012:user/a"),
            ("iamUser", "a\\nb"),
            ("secret", "a/b/c"),
            ("secret", "a//b"),
            ("secret", ""),
            ("secret", "[a"),
            ("rotated", "2026-02-30"),
            ("rotation", "sometimes"),
            ("environments", "prod"),
            ("unknown", "x"),
        ] {
            let (own, rest) = match field {
                "secret" => (String::new(), ", rotation: manual"),
                "rotation" => ("secret: a, ".to_owned(), ""),
                _ => ("secret: a, ".to_owned(), ", rotation: manual"),
            };
            let error = policy(&format!("- {{{own}{field}: \"{text}\"{rest}}}\n"));
            assert!(error.is_err(), "{field}: {text}");
            assert!(!error.unwrap_err().contains("CANARY"), "{field}");
        }
        let many = "- {secret: a, rotation: manual}\n".repeat(MAX_ENTRIES + 1);
        assert!(policy(&many).is_err());
    }
}
