//! Decides by the name of a key whether its value is a credential.
//!
//! `DB_PASSWORD` names a credential; `TOKEN_TTL`, `secretName`, `passwordFile` and `tokenSecretRef` do not: the last
//! word decides. An owner or environment may follow it: `DB_PASSWORD_PROD`.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

/// The meaning of a key's name for its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameMeaning {
    /// The value is a credential, or a login method.
    Auth,
    /// The value is probably a password.
    Likely,
    /// The value is a password, regardless of its look.
    Password,
    /// The value is a secret or refers to one.
    Secret,
}

/// Returns the meaning of a name, by its last words.
pub(crate) fn name_meaning(key: &str) -> Option<NameMeaning> {
    if !STEMS.as_ref()?.is_match(key) {
        return None;
    }
    let words = words(key);
    // `SECRET_KEY_BASE`, `PASSWORD_2`
    let rest = without_last(&words, |word| matches!(word, "" | "b" | "base" | "value"));
    meaning_of_words(rest).or_else(|| {
        match meaning_of_words(without_last(rest, |word| word.is_empty() || QUALIFIERS.contains(&word)))? {
            NameMeaning::Auth => None,
            NameMeaning::Likely | NameMeaning::Password => Some(NameMeaning::Likely),
            NameMeaning::Secret => Some(NameMeaning::Secret),
        }
    })
}

/// Every meaningful name contains one of these, so most names need not be split.
static STEMS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let stems = ["auth", "credential", "key", "pass", "pwd", "secret", "token"];
    AhoCorasick::builder().ascii_case_insensitive(true).build(stems).ok()
});

/// Words of configuration files that a password follows after a space.
pub(crate) const DIRECTIVES: &[&str] = &["masterauth", "requirepass"];

/// Environments and roles that may follow in a name.
const QUALIFIERS: &[&str] = &[
    "admin",
    "app",
    "backup",
    "current",
    "database",
    "db",
    "demo",
    "dev",
    "development",
    "live",
    "local",
    "master",
    "new",
    "old",
    "owner",
    "prd",
    "preprod",
    "previous",
    "primary",
    "prod",
    "production",
    "qa",
    "readonly",
    "replica",
    "replication",
    "ro",
    "root",
    "rw",
    "secondary",
    "stage",
    "staging",
    "stg",
    "superuser",
    "test",
    "uat",
    "user",
];

fn without_last(words: &[String], is_extra: impl Fn(&str) -> bool) -> &[String] {
    let kept = words.iter().rposition(|word| !is_extra(word)).map_or(0, |last| last + 1);
    words.get(..kept).unwrap_or_default()
}

fn meaning_of_words(words: &[String]) -> Option<NameMeaning> {
    let (last, before) = words.split_last()?;
    match last.as_str() {
        "auth" => Some(NameMeaning::Auth),
        "credential" | "credentials" => Some(NameMeaning::Secret),
        "key" => before.last().filter(|of| KEYS.contains(&of.as_str())).map(|_| NameMeaning::Secret),
        "pass" => Some(NameMeaning::Likely),
        "pwd" => Some(NameMeaning::Password),
        word if DIRECTIVES.contains(&word) => Some(NameMeaning::Password),
        word => meaning_of_compound(word),
    }
}

/// Words before `key` that make it a secret.
const KEYS: &[&str] =
    &["access", "account", "api", "auth", "encryption", "master", "private", "secret", "signing"];

/// Returns the meaning of a compound such as `password`, `pgpassword` or `clientsecret`.
fn meaning_of_compound(word: &str) -> Option<NameMeaning> {
    let ends = |with: &[&str]| {
        with.iter().filter_map(|end| word.strip_suffix(end)).any(|before| !OTHER_MEANING.contains(&before))
    };
    if ends(&["passphrase", "passwd", "password"]) {
        return Some(NameMeaning::Password);
    }
    ends(&["accesskey", "apikey", "privatekey", "secret", "secretkey", "token"])
        .then_some(NameMeaning::Secret)
}

/// Prefixes that change the meaning: `nopassword` is a switch, `htpasswd` a file.
const OTHER_MEANING: &[&str] = &[
    "allow", "ask", "change", "check", "empty", "forgot", "has", "hide", "ht", "is", "need", "no", "non",
    "require", "reset", "save", "set", "show", "skip", "use", "with", "without",
];

/// Returns the words of a name in lower case, without trailing digits; splits `dbPassword2`, `DB_PASSWORD`,
/// `db.password`.
pub(crate) fn words(key: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in key.chars().take(MAX_KEY) {
        let starts = c.is_ascii_uppercase() && before.is_ascii_lowercase();
        if (starts || !c.is_ascii_alphanumeric()) && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_ascii_alphanumeric()) {
            word.push(c.to_ascii_lowercase());
        }
        before = c;
    }
    for word in &mut words {
        word.truncate(word.trim_end_matches(|c: char| c.is_ascii_digit()).len());
    }
    words
}

/// The most characters of a name that are read.
const MAX_KEY: usize = 256;
