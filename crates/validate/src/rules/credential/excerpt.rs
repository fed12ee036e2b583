//! Whether a line of a source is better not shown.
//!
//! Not a rule: nobody reads what this finds. So it is much stricter than rules are: a line with any word that goes with
//! credentials is hidden, and so is one under such a name; only what refers to a secret and holds none is let through.
//! Rather one excerpt too few.

use std::sync::LazyLock;

use regex::Regex;

use super::{lines, name, sample, tokens, uri};

/// Whether the line `at` may hold a credential, by itself or by what stands around it.
pub fn looks_like_credential(lines: &[String], at: usize) -> bool {
    let Some(line) = lines.get(at) else { return true };
    let Some(patterns) = PATTERNS.as_ref() else { return true };
    if is_certain(line) {
        return true;
    }
    let rest = patterns.without_references(line);
    !patterns.is_bare.is_match(&rest) && (patterns.is_hot(&rest) || is_under_a_hot_name(lines, at, patterns))
}

/// What the rules find too, whatever stands around it.
fn is_certain(line: &str) -> bool {
    line.contains("PRIVATE KEY")
        || tokens::find(line).is_some()
        || uri::find(line).is_some()
        || lines::may_be_in(line)
        || sample::has_long_code(line)
}

static PATTERNS: LazyLock<Option<Patterns>> = LazyLock::new(|| Patterns::new().ok());

struct Patterns {
    /// Parts that hold no secret: references to one, booleans, stand-ins.
    harmless: Regex,
    /// A key without a value, a name alone, and marks alone.
    is_bare: Regex,
    /// Words that go with credentials, be they parts of others.
    word: Regex,
    /// Credentials in command lines and addresses.
    shape: Regex,
    /// Fields of a reference.
    in_reference: Regex,
    /// What holds references.
    reference: Regex,
}

impl Patterns {
    fn new() -> Result<Self, regex::Error> {
        // Of a template, an expression may have been all of it.
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

    /// The line without what refers to a secret and holds none.
    fn without_references(&self, line: &str) -> String {
        let mut rest = line.to_owned();
        // What is left empty goes in the next round; a line is short, and each round makes it shorter.
        loop {
            let next = self.harmless.replace_all(&rest, "").into_owned();
            if next.len() == rest.len() {
                return rest;
            }
            rest = next;
        }
    }

    fn is_hot(&self, text: &str) -> bool {
        self.is_hot_name(text) || self.shape.is_match(text) || has_chance(text)
    }

    fn is_hot_name(&self, text: &str) -> bool {
        self.word.is_match(text)
            || text
                .split([' ', ',', ':', '=', '"'])
                .flat_map(name::words)
                .any(|word| WORDS.contains(&word.as_str()) || ENDS.iter().any(|end| word.ends_with(end)))
    }
}

/// Words that go with credentials where they stand alone.
const WORDS: &[&str] = &["basic", "cred", "otp", "pat", "pin", "psk", "pw", "salt", "sas", "seed", "totp"];

/// Ends of words that go with credentials: `PGPASS`, `APIKEY`.
const ENDS: &[&str] = &["key", "keys", "pass", "pswd"];

/// Whether a part of a line looks as if chance had made it.
fn has_chance(line: &str) -> bool {
    let inside =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '=' | '_' | '!' | '$' | '#' | '%' | '-');
    line.split(|c: char| !inside(c)).any(|run| {
        // Names have dashes, and no capital letters.
        let has_case = run.bytes().any(|byte| byte.is_ascii_uppercase());
        (has_case && sample::is_random(run)) || run.split('-').any(sample::is_random)
    })
}

/// Whether what stands above or below names the value of this line: `- name: PIN`, `password:`, `- --password`.
fn is_under_a_hot_name(lines: &[String], at: usize, patterns: &Patterns) -> bool {
    let Some(line) = lines.get(at).map(|line| Shape::of(line)) else { return true };
    let above = lines.get(..at).unwrap_or_default().iter().rev();
    let below = lines.get(at + 1..).unwrap_or_default().iter();
    let in_reference = patterns.in_reference.is_match(line.text);
    hot_above(&line, above.map(|line| Shape::of(line)), in_reference, patterns)
        || (!line.names() && hot_below(&line, below.map(|line| Shape::of(line)), patterns))
}

fn hot_above<'a>(
    line: &Shape<'_>,
    above: impl Iterator<Item = Shape<'a>>,
    in_reference: bool,
    patterns: &Patterns,
) -> bool {
    let mut level = line.column;
    // Whether what is looked at still belongs to the mapping, or the list, of the line.
    let mut beside = true;
    for other in above.filter(|other| !other.is_empty()) {
        if other.indent >= level && !(beside && other.column == level) {
            continue;
        }
        let hot = patterns.is_hot_name(other.text);
        if other.column == level && beside {
            let names = if line.is_item() { other.is_item() && !other.has_key() } else { other.names() };
            if hot && names && !line.names() {
                return true;
            }
            beside = !other.is_item() && !line.is_item();
            level = level.min(other.indent.max(1));
            continue;
        }
        if hot && !(in_reference && patterns.reference.is_match(other.text)) {
            return other.opens() || !other.has_key() || !line.has_key();
        }
        beside = false;
        level = other.indent;
        if level == 0 && !other.is_item() {
            return false;
        }
    }
    false
}

fn hot_below<'a>(line: &Shape<'_>, below: impl Iterator<Item = Shape<'a>>, patterns: &Patterns) -> bool {
    below
        .filter(|other| !other.is_empty())
        .take_while(|other| other.indent >= line.column)
        .any(|other| other.column == line.column && other.names() && patterns.is_hot_name(other.text))
}

/// A line by its indentation.
struct Shape<'a> {
    text: &'a str,
    /// Where it starts.
    indent: usize,
    /// Where it goes on after the dashes of lists.
    column: usize,
}

impl<'a> Shape<'a> {
    fn of(text: &'a str) -> Self {
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

    /// Whether it says what the value beside it is.
    fn names(&self) -> bool {
        self.key()
            .is_some_and(|key| matches!(key, "field" | "header" | "id" | "key" | "name" | "option" | "path"))
    }

    /// Whether its value starts on the next line, or goes on there.
    fn opens(&self) -> bool {
        let text = self.text.trim_end();
        text.ends_with([':', '|', '>', '-', '+', '[', '{', ',']) || text.matches('"').count() % 2 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hides(text: &str) -> bool {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let at = lines.iter().position(|line| line.contains('§')).unwrap_or_default();
        let lines: Vec<String> = lines.iter().map(|line| line.replace('§', "")).collect();
        looks_like_credential(&lines, at)
    }

    #[test]
    fn command_lines_headers_and_texts_are_hidden() {
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
            assert!(hides(line), "{line}");
        }
    }

    #[test]
    fn a_value_is_hidden_by_the_name_beside_it() {
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
            assert!(hides(text), "{text}");
        }
    }

    #[test]
    fn what_refers_to_a_secret_is_shown() {
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
            assert!(!hides(text), "{text}");
        }
    }
}
