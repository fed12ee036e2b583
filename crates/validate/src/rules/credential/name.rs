//! What the name of a key says of its value.
//!
//! `DB_PASSWORD` calls it a credential, `TOKEN_TTL`, `secretName`, `passwordFile` and `tokenSecretRef` do not: the last word
//! of a name says what it is. Behind it may stand whose it is or where it is for: `DB_PASSWORD_PROD`.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

/// How much a name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// The value is a credential, or says how to log in.
    Auth,
    /// The value is a password, if the name means what it seems to.
    Likely,
    /// The value is a password, whatever it looks like.
    Password,
    /// The value is a secret or says where there is one.
    Secret,
}

/// What a name says of its value, by its last words.
pub(super) fn claim(key: &str) -> Option<Claim> {
    if !STEMS.as_ref()?.is_match(key) {
        return None;
    }
    let words = words(key);
    // `SECRET_KEY_BASE`, `PASSWORD_2`
    let rest = without_last(&words, |word| matches!(word, "" | "b" | "base" | "value"));
    of_words(rest).or_else(|| {
        match of_words(without_last(rest, |word| word.is_empty() || QUALIFIERS.contains(&word)))? {
            Claim::Auth => None,
            Claim::Likely | Claim::Password => Some(Claim::Likely),
            Claim::Secret => Some(Claim::Secret),
        }
    })
}

/// One of these is in every name that says anything, so that most need not be taken apart.
static STEMS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let stems = ["auth", "credential", "key", "pass", "pwd", "secret", "token"];
    AhoCorasick::builder().ascii_case_insensitive(true).build(stems).ok()
});

/// Words of configuration files in front of a password, with nothing but a space between.
pub(super) const DIRECTIVES: &[&str] = &["masterauth", "requirepass"];

/// Environments and roles: whose password it is.
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

fn of_words(words: &[String]) -> Option<Claim> {
    let (last, before) = words.split_last()?;
    match last.as_str() {
        "auth" => Some(Claim::Auth),
        "credential" | "credentials" => Some(Claim::Secret),
        "key" => before.last().filter(|of| KEYS.contains(&of.as_str())).map(|_| Claim::Secret),
        "pass" => Some(Claim::Likely),
        "pwd" => Some(Claim::Password),
        word if DIRECTIVES.contains(&word) => Some(Claim::Password),
        word => of_compound(word),
    }
}

/// What a key is of that is a secret.
const KEYS: &[&str] =
    &["access", "account", "api", "auth", "encryption", "master", "private", "secret", "signing"];

/// `password`, and what is written as one word with it: `pgpassword`, `clientsecret`.
fn of_compound(word: &str) -> Option<Claim> {
    let ends = |with: &[&str]| {
        with.iter().filter_map(|end| word.strip_suffix(end)).any(|before| !OTHERWISE.contains(&before))
    };
    if ends(&["passphrase", "passwd", "password"]) {
        return Some(Claim::Password);
    }
    ends(&["accesskey", "apikey", "privatekey", "secret", "secretkey", "token"]).then_some(Claim::Secret)
}

/// What makes something else of the word behind it: a switch of `nopassword`, a file of `htpasswd`.
const OTHERWISE: &[&str] = &[
    "allow", "ask", "change", "check", "empty", "forgot", "has", "hide", "ht", "is", "need", "no", "non",
    "require", "reset", "save", "set", "show", "skip", "use", "with", "without",
];

/// The words of a name in lower case, without digits at their ends: of `dbPassword2`, `DB_PASSWORD`, `db.password`.
pub(super) fn words(key: &str) -> Vec<String> {
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

/// A longer name is none.
const MAX_KEY: usize = 256;
