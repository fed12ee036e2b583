//! Decides whether a source line may hold a credential and must be hidden.
//!
//! This is not a rule, as it reports nothing. So it is much stricter than the rules: a line with any word that is
//! typical of credentials is hidden, and so is a line below such a name; only references to a secret are shown. In
//! doubt, a line is hidden.

use std::sync::LazyLock;

use regex::Regex;

use super::{lines, name, sample, tokens, uri};

/// Reports whether the line `at` may hold a credential, judging by the line and its surroundings.
pub(crate) fn looks_like_credential(lines: &[String], at: usize) -> bool {
    let Some(line) = lines.get(at) else { return true };
    let Some(patterns) = PATTERNS.as_ref() else { return true };
    if is_certain(line) {
        return true;
    }
    let rest = patterns.without_references(line);
    !patterns.is_bare.is_match(&rest)
        && (patterns.is_sensitive(&rest) || has_sensitive_context(lines, at, patterns))
}

/// Reports whether the line holds a credential that the rules find too, whatever its surroundings.
fn is_certain(line: &str) -> bool {
    line.contains("PRIVATE KEY")
        || tokens::find(line).is_some()
        || uri::find(line).is_some()
        || lines::may_assign_credential(line)
        || sample::has_long_encoded_run(line)
}

static PATTERNS: LazyLock<Option<ExcerptPatterns>> = LazyLock::new(|| ExcerptPatterns::new().ok());

struct ExcerptPatterns {
    /// Parts without secrets: references, booleans, placeholders.
    harmless: Regex,
    /// A line with only a key, a name or punctuation.
    is_bare: Regex,
    /// Words typical of credentials, also within other words.
    word: Regex,
    /// Credentials in command lines and URLs.
    shape: Regex,
    /// Fields of a reference.
    in_reference: Regex,
    /// Fields that hold references.
    reference: Regex,
}

impl ExcerptPatterns {
    fn new() -> Result<Self, regex::Error> {
        // A name may be empty after a template expression was removed.
        let name = r#"["']?[A-Za-z0-9._/-]*["']?"#;
        let keys = "name|namespace|key|optional|property|kind|group|apiVersion|version";
        Ok(Self {
            harmless: Regex::new(&[
                // `secretKeyRef: {name: a, key: b}`
                &format!(r"\b\w*[Rr]ef:\s*\{{\s*(?:(?:{keys}):\s*{name}\s*,?\s*)+\}}"),
                &format!(r"\bimagePullSecrets:\s*\[\s*(?:\{{\s*name:\s*{name}\s*\}}\s*,?\s*)+\]"),
                &format!(r"\b(?:secretName|serviceAccountName|topologyKey|kind|apiVersion|sessionAffinity):\s*{name}"),
                r"\b(?:defaultMode|mode):\s*0?[0-9]+",
                r#"["']?[A-Za-z]+["']?:\s*(?:true|false)\b"#,
                r#"["']?[\w.-]+["']?:\s*[\[{][\s,]*[\]}]"#,
                r"\$\{[A-Za-z_]\w*\}",
                r"\$\([A-Za-z_]\w*\)",
                r#"\{\{[^"'`{}]*\}\}"#,
                r"<[a-z][a-z0-9-]*:[^<>|\s]+>",
                r"\b(?:rbac\.)?auth(?:orization|entication)\.k8s\.io\b",
                r"@sha256:[0-9a-f]*",
            ].join("|"))?,
            is_bare: Regex::new(&format!(
                r#"^[\s\-\[\]{{}},]*(?:["']?[\w./-]+["']?\s*:\s*(?:[|>][-+0-9]*|["'])?|["']?name["']?:\s*{name}(?:\s*,\s*(?:valueFrom:)?)?)?[\s\[\]{{}},"']*$"#
            ))?,
            word: Regex::new(
                "(?i)passw|passphrase|passcode|pwd|secret|token|bearer|credential|creds|auth|jwt|licen[cs]e|private|cookie|\
                 session|signature|signing|mnemonic|webhook|dsn|connection_?string|encrypt",
            )?,
            shape: Regex::new(
                r#"(?i)(?:^|[^\w-])-[akpuw](?:[^a-z0-9-]|\S{3,}|$)|[^\s/:@"'=]+:[^\s@/]+@|[^\s/:@"'=]+:\S*[^\s@/]+@\S"#,
            )?,
            in_reference: Regex::new(&format!(
                r#"^[\s-]*["']?(?:{keys}|secretName|items|path|mode|defaultMode|audience|expirationSeconds)["']?:"#
            ))?,
            reference: Regex::new(
                r#"^[\s-]*["']?(?:\w*[Rr]efs?|secret|\w*[sS]ecrets|serviceAccountToken|projected|sources)["']?:\s*[\[{]*\s*$"#,
            )?,
        })
    }

    /// Returns the line without its harmless parts.
    fn without_references(&self, line: &str) -> String {
        let mut rest = line.to_owned();
        // Parts that become empty are removed in the next round; each round makes the line shorter.
        loop {
            let next = self.harmless.replace_all(&rest, "").into_owned();
            if next.len() == rest.len() {
                return rest;
            }
            rest = next;
        }
    }

    fn is_sensitive(&self, text: &str) -> bool {
        self.is_sensitive_name(text) || self.shape.is_match(text) || has_random_part(text)
    }

    fn is_sensitive_name(&self, text: &str) -> bool {
        self.word.is_match(text)
            || text
                .split([' ', ',', ':', '=', '"'])
                .flat_map(name::words)
                .any(|word| WORDS.contains(&word.as_str()) || ENDS.iter().any(|end| word.ends_with(end)))
    }
}

/// Words typical of credentials if they stand alone.
const WORDS: &[&str] = &["basic", "cred", "otp", "pat", "pin", "psk", "pw", "salt", "sas", "seed", "totp"];

/// Endings of words typical of credentials: `PGPASS`, `APIKEY`.
const ENDS: &[&str] = &["key", "keys", "pass", "pswd"];

/// Reports whether a part of a line looks random.
fn has_random_part(line: &str) -> bool {
    let is_part_character =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '=' | '_' | '!' | '$' | '#' | '%' | '-');
    line.split(|c: char| !is_part_character(c)).any(|run| {
        // Names have dashes, and no capital letters.
        let has_case = run.bytes().any(|byte| byte.is_ascii_uppercase());
        (has_case && sample::is_random(run)) || run.split('-').any(sample::is_random)
    })
}

/// Reports whether a line above or below gives this line's value a sensitive name: `- name: PIN`, `password:`,
/// `- --password`.
fn has_sensitive_context(lines: &[String], at: usize, patterns: &ExcerptPatterns) -> bool {
    let Some(line) = lines.get(at).map(|line| LineLayout::new(line)) else { return true };
    let above = lines.get(..at).unwrap_or_default().iter().rev();
    let below = lines.get(at + 1..).unwrap_or_default().iter();
    let in_reference = patterns.in_reference.is_match(line.text);
    is_sensitive_above(&line, above.map(|line| LineLayout::new(line)), in_reference, patterns)
        || (!line.names_sibling()
            && is_sensitive_below(&line, below.map(|line| LineLayout::new(line)), patterns))
}

fn is_sensitive_above<'a>(
    line: &LineLayout<'_>,
    above: impl Iterator<Item = LineLayout<'a>>,
    in_reference: bool,
    patterns: &ExcerptPatterns,
) -> bool {
    let mut level = line.column;
    // Whether the lines above still belong to the mapping or list of this line.
    let mut is_sibling = true;
    for other in above.filter(|other| !other.is_empty()) {
        if other.indent >= level && !(is_sibling && other.column == level) {
            continue;
        }
        let is_sensitive_key = patterns.is_sensitive_name(other.text);
        if other.column == level && is_sibling {
            let names_value =
                if line.is_item() { other.is_item() && !other.has_key() } else { other.names_sibling() };
            if is_sensitive_key && names_value && !line.names_sibling() {
                return true;
            }
            is_sibling = !other.is_item() && !line.is_item();
            level = level.min(other.indent.max(1));
            continue;
        }
        if is_sensitive_key && !(in_reference && patterns.reference.is_match(other.text)) {
            return other.continues_below() || !other.has_key() || !line.has_key();
        }
        is_sibling = false;
        level = other.indent;
        if level == 0 && !other.is_item() {
            return false;
        }
    }
    false
}

fn is_sensitive_below<'a>(
    line: &LineLayout<'_>,
    below: impl Iterator<Item = LineLayout<'a>>,
    patterns: &ExcerptPatterns,
) -> bool {
    below.filter(|other| !other.is_empty()).take_while(|other| other.indent >= line.column).any(|other| {
        other.column == line.column && other.names_sibling() && patterns.is_sensitive_name(other.text)
    })
}

/// The layout of a line.
struct LineLayout<'a> {
    text: &'a str,
    /// The column of its first character.
    indent: usize,
    /// The column after list dashes and opening brackets.
    column: usize,
}

impl<'a> LineLayout<'a> {
    fn new(text: &'a str) -> Self {
        let indent = text.len() - text.trim_start().len();
        let column = text.len() - text.trim_start_matches([' ', '\t', '-', '{', '[']).len();
        let is_item = text.trim_start().starts_with("- ");
        Self {
            text,
            indent,
            column: if is_item || text.trim_start().starts_with(['{', '[']) { column } else { indent },
        }
    }

    fn is_empty(&self) -> bool {
        let text = self.text.trim();
        text.is_empty() || text.starts_with('#')
    }

    fn is_item(&self) -> bool {
        self.column > self.indent
    }

    fn key(&self) -> Option<&'a str> {
        let rest = self.text.get(self.column..)?.trim_start_matches(['"', '\'']);
        let (key, after) = rest.split_once(':')?;
        let is_key = |c: char| c.is_ascii_alphanumeric() || "._/-".contains(c);
        let key = key.trim_end_matches(['"', '\'']);
        (key.chars().all(is_key) && (after.is_empty() || after.starts_with(' '))).then_some(key)
    }

    fn has_key(&self) -> bool {
        self.key().is_some()
    }

    /// Reports whether the line names the value of a sibling field.
    fn names_sibling(&self) -> bool {
        self.key()
            .is_some_and(|key| matches!(key, "field" | "header" | "id" | "key" | "name" | "option" | "path"))
    }

    /// Reports whether the value starts or continues on the next line.
    fn continues_below(&self) -> bool {
        let text = self.text.trim_end();
        text.ends_with([':', '|', '>', '-', '+', '[', '{', ',']) || text.matches('"').count() % 2 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_hidden(text: &str) -> bool {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let at = lines.iter().position(|line| line.contains('§')).unwrap_or_default();
        let lines: Vec<String> = lines.iter().map(|line| line.replace('§', "")).collect();
        looks_like_credential(&lines, at)
    }

    #[test]
    fn lines_with_credentials_are_hidden() {
        for line in [
            "command: [sh, -c, \"PGPASSWORD=V psql\", 5]",
            "- \"curl -u u:V h\"",
            "command: [curl, -u, 5]",
            "- mysql -uroot -pV",
            "- \"redis-cli -a V\"",
            "- 'Authorization: Bearer V'",
            "value: \"user:V@tcp(h)/d\"",
            "value: \"{\\\"password\\\": \\\"V\\\"}\"",
            "value: \"password: V\"",
            "annotations: {x: \"password: V\", y: 5}",
            "- {name: JWT_KEY, value: V, vale: 5}",
            "- {name: PIN, value: 1234}",
            "{name: AUTH, value: \"Basic V\"}",
            "API_TOKEN: abc",
            "- --api-key=abc",
            "foo: Xk29dLq8VzPq3Rt5",
            "secretName: \"my password\"",
            "secretKeyRef: {name: a, key: b, value: 5}",
            "password: {{ default \"V\" x }}",
            "password: {{ x }}V",
            "a: 5 # the password is V",
        ] {
            assert!(is_hidden(line), "{line}");
        }
    }

    #[test]
    fn values_with_sensitive_names_are_hidden() {
        for text in [
            "- name: LICENSE_KEY\n  value: V§",
            "- name: PGPASS\n  value: 5§",
            "- name: APIKEY\n  value: 5§",
            "- name: PIN\n\n  # why\n  value: 5§",
            "- value: 5§\n  name: PIN",
            "{\n  \"name\": \"PIN\",\n  \"value\": 5§\n}",
            "password:\n  V§",
            "password: >-\n  a\n  V§",
            "spec:\n  password:\n    value: 5§",
            "args:\n- --password\n- 5§",
            "- op: replace\n  path: /spec/password\n  value: 5§",
            "x: \"password is\n  5§\"",
        ] {
            assert!(is_hidden(text), "{text}");
        }
    }

    #[test]
    fn references_to_secrets_are_shown() {
        for text in [
            "replicas: 3",
            "image: registry.k8s.io/pause:3.9",
            "image: nginx:1.20@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "  secretName: shop-tls",
            "- secret: {secretName: shop-tls}",
            "valueFrom: {secretKeyRef: {name: shop-db, key: password}}",
            "- {name: DB_PASSWORD, valueFrom: {secretKeyRef: {name: shop-db, key: password}}}",
            "secretKeyRef: {name: \"{{ database.secret }}\", key: password}",
            "secretKeyRef: {name: {{ database.secret }}-db, key: password}",
            "secretName: {{ tls.secret }}",
            "  - secretName: '{{ tls.secret }}-tls'",
            "envFrom: [{secretRef: {name: shop-db}}]",
            "- name: DB_PASSWORD\n  valueFrom:\n    secretKeyRef:\n      name: shop-db§",
            "- name: DB_PASSWORD\n  valueFrom:\n    secretKeyRef:§\n      name: shop-db",
            "envFrom:\n- secretRef:\n    name: shop-db§",
            "volumes:\n- name: tls\n  secret:\n    secretName: tls§",
            "imagePullSecrets:\n- name: registry§",
            "imagePullSecrets: [{name: registry}]",
            "automountServiceAccountToken: true",
            "apiVersion: rbac.authorization.k8s.io/v1",
            "kind: ExternalSecret",
            "- name: LOG_LEVEL\n  value: debug§",
            "- {name: LOG_LEVEL, value: debug}",
            "- name: DB_PASSWORD",
            "value: ${PASSWORD}",
            "password: <vault:a#b>",
            "  replicas: {{ web.replicas }}",
            "spec:\n  replicas: 3§\n  password: x",
            "data: {theme: 7}",
            "  topologyKey: kubernetes.io/hostname",
        ] {
            assert!(!is_hidden(text), "{text}");
        }
    }
}
