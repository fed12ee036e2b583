//! Recognizes texts in place of a credential: samples, placeholders and references.

/// Substrings that real tokens do not contain.
const SAMPLE_WORDS: &[&str] = &[
    "00000000",
    "1234567890",
    "abcdefgh",
    "changeme",
    "dummy",
    "example",
    "placeholder",
    "redacted",
    "xxxx",
    "your",
];

/// Substrings of public keys: of the storage emulator, and the token of jwt.io.
const PUBLIC: &[&str] = &["Eby8vdM02xNOcqFl", ".SflKxwRJSMeKKF2QT4"];

/// Reports whether a token is a sample: it has few distinct characters or contains a sample word.
pub(crate) fn is_sample_token(token: &str) -> bool {
    let lower = token.to_ascii_lowercase();
    // A long text, such as a private key, may contain such parts by chance.
    (lower.len() < 200 && SAMPLE_WORDS.iter().any(|word| lower.contains(word)))
        || PUBLIC.iter().any(|known| token.contains(known))
        || distinct(token) < 10
}

/// Returns the number of distinct bytes, modulo 128.
fn distinct(text: &str) -> u32 {
    let seen = text.bytes().fold(0_u128, |seen, byte| seen | (1 << (byte & 127)));
    seen.count_ones()
}

/// Passwords that programs and tutorials come with, and that attackers try first. Texts that ask to be replaced, such as
/// `changeme`, are [placeholders](is_placeholder) instead.
const COMMON_PASSWORDS: &[&str] = &[
    "admin123",
    "administrator",
    "hunter2",
    "letmein",
    "my-secret-pw",
    "mypassword",
    "mysecretpassword",
    "p@ssw0rd",
    "passw0rd",
    "postgres",
    "qwerty",
    "root123",
    "rootpassword",
    "secret123",
    "secretpassword",
    "supersecret",
    "supersecretpassword",
];

/// Reports whether a value is a password that many installations have.
pub(crate) fn is_common_password(value: &str) -> bool {
    COMMON_PASSWORDS.iter().any(|common| common.eq_ignore_ascii_case(value))
}

/// Whole values that are not credentials.
const EMPTY_WORDS: &[&str] = &[
    "bearer",
    "change_me",
    "change-me",
    "changeit",
    "changeme",
    "credentials",
    "default",
    "disabled",
    "enabled",
    "foobar",
    "hidden",
    "optional",
    "password",
    "password123",
    "required",
    "secret",
    "sensitive",
    "undefined",
    "unlimited",
    "username",
];

/// Substrings of values that are not credentials.
const EMPTY_PARTS: &[&str] = &[
    "change-me",
    "change_me",
    "changeme",
    "dummy",
    "example",
    "fake",
    "fixme",
    "insert",
    "not-a-secret",
    "notasecret",
    "placeholder",
    "redacted",
    "replace",
    "sample",
    "todo",
    "xxxx",
    "your-",
    "your_",
    "yourpass",
    "yoursecret",
    "yourtoken",
    "****",
    "....",
];

/// Reports whether a value is a placeholder to be replaced later.
pub(crate) fn is_placeholder(value: &str) -> bool {
    let trimmed = value.trim();
    if trimmed.is_empty() || trimmed.starts_with(['$', '<', '%', '[', '{']) {
        return true;
    }
    if ["$(", "${", "{{", "}}", "#{", "%(", "<<", "[["].iter().any(|part| trimmed.contains(part))
        || has_brackets(trimmed)
    {
        return true;
    }
    let lower = trimmed.to_ascii_lowercase();
    EMPTY_WORDS.contains(&lower.as_str())
        || EMPTY_PARTS.iter().any(|part| lower.contains(part))
        || distinct(trimmed) < 3
}

/// Reports whether a text contains `<…>`.
fn has_brackets(text: &str) -> bool {
    text.split_once('<').is_some_and(|(_, rest)| rest.contains('>'))
}

/// Reports whether a value is a reference to a credential or another kind of value: a path, a URL, a number.
pub(crate) fn is_reference(value: &str) -> bool {
    let value = value.trim();
    value.contains("://")
        || value.starts_with(['/', '.', '~', '-'])
        || REFERENCES
            .iter()
            .any(|prefix| value.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix)))
        || value.contains('/') && (value.contains("secrets/") || value.ends_with("/key"))
        || is_number_like(value)
        || is_uuid(value)
        || is_file(value)
}

const REFERENCES: &[&str] = &[
    "arn:",
    "aws:",
    "awssm:",
    "azurekeyvault",
    "env.",
    "env:",
    "file:",
    "gcp:",
    "gcpsm:",
    "k8s:",
    "os.environ",
    "process.env",
    "projects/",
    "ref+",
    "secretkeyref:",
    "sm:",
    "ssm:",
    "urn:",
    "vault:",
    "enc[",
    "enc(",
];

/// Reports whether a value is a boolean, number, size or duration.
fn is_number_like(value: &str) -> bool {
    let rest = value.trim_start_matches(['-', '+']);
    let digits = rest.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '_' | ':'));
    let unit = digits.len() < rest.len()
        && digits.len() <= 3
        && digits.bytes().all(|byte| byte.is_ascii_alphabetic());
    unit || matches!(value.to_ascii_lowercase().as_str(), "true" | "false")
}

fn is_uuid(value: &str) -> bool {
    value.len() == 36
        && value.bytes().enumerate().all(|(at, byte)| {
            if matches!(at, 8 | 13 | 18 | 23) { byte == b'-' } else { byte.is_ascii_hexdigit() }
        })
}

fn is_file(value: &str) -> bool {
    let Some((stem, extension)) = value.rsplit_once('.') else { return false };
    !stem.is_empty()
        && matches!(
            extension,
            "cert"
                | "cfg"
                | "conf"
                | "crt"
                | "env"
                | "ini"
                | "jks"
                | "json"
                | "key"
                | "p12"
                | "pem"
                | "pfx"
                | "properties"
                | "pub"
                | "py"
                | "sh"
                | "toml"
                | "txt"
                | "xml"
                | "yaml"
                | "yml"
                | "html"
                | "js"
                | "com"
                | "io"
                | "local"
                | "org"
                | "net"
        )
}

/// Reports whether a value looks like a name: words of letters joined by `-`, `_` or `.`, with numbers only as separate
/// words or at the end of a word.
pub(crate) fn is_name(value: &str) -> bool {
    value.split(['-', '_', '.', '/', ':', '@', ',']).all(|word| {
        let letters = word.trim_end_matches(|c: char| c.is_ascii_digit());
        word.len() - letters.len() <= 4 && letters.bytes().all(|byte| byte.is_ascii_alphabetic())
    }) && !is_mixed(value)
}

/// Reports whether letters of both cases are mixed in a way that is not camel case.
fn is_mixed(value: &str) -> bool {
    let bytes = value.as_bytes();
    let humps = bytes
        .windows(2)
        .filter(|pair| matches!(pair, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase()))
        .count();
    humps * 4 > bytes.len()
}

/// Reports whether a value looks random.
pub(crate) fn is_random(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let letters = value.bytes().filter(u8::is_ascii_alphabetic).count();
    value.len() >= 12
        && !value.contains(char::is_whitespace)
        && digits >= 2
        && letters >= 2
        && entropy(value) >= 3.0
        && !is_name(value)
}

/// Reports whether a value mixes letters and digits and is not a name.
pub(crate) fn is_mixed_value(value: &str) -> bool {
    value.len() >= 6
        && value.bytes().any(|byte| byte.is_ascii_digit())
        && value.bytes().any(|byte| byte.is_ascii_alphabetic())
        && !is_name(value)
}

/// Reports whether an upper-case letter follows a lower-case letter.
pub(crate) fn has_camel_case(value: &str) -> bool {
    let is_hump = |pair: &[u8]| matches!(pair, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase());
    value.as_bytes().windows(2).any(is_hump)
}

/// Returns the Shannon entropy in bits per character.
#[expect(clippy::cast_precision_loss, reason = "texts are short, and this is an estimate")]
fn entropy(text: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in text.bytes() {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
        }
    }
    let length = text.len() as f64;
    let used = counts.iter().filter(|count| **count > 0);
    used.map(|count| f64::from(*count) / length).map(|share| -share * share.log2()).sum()
}

/// Reports whether a line has a long encoded run that is not a hexadecimal digest.
pub(crate) fn has_long_encoded_run(line: &str) -> bool {
    line.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '_' | '-')))
        .filter(|run| run.len() >= 32 && !run.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .any(|run| {
            let has = |is: fn(&u8) -> bool| run.as_bytes().iter().any(is);
            has(u8::is_ascii_digit) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase)
        })
}
