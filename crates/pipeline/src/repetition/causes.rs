//! The cause of a difference in the template of its field, and the hint that follows from it.
//!
//! The search reads templates as text: the lines of the field's key, the variables on them, and the named templates that
//! they include. If it finds no cause, the hint is a general one.

use std::collections::BTreeSet;

use sealwave_core::diagnostic::printable;

use super::chart_texts::ChartTexts;
use super::differences::{Change, Difference};

/// The deepest nesting of named templates that are searched.
const MAX_DEPTH: usize = 4;
/// The most lines that are searched for one field.
const MAX_LINES: usize = 400;
/// The longest path of a value that a hint names.
const MAX_PATH: usize = 120;

/// The kind of a value that differs each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Generator {
    Certificate,
    Hash,
    Random,
    Time,
}

/// The functions of templates whose results differ each time.
const FUNCTIONS: &[(&str, Generator)] = &[
    ("bcrypt", Generator::Hash),
    ("encryptAES", Generator::Hash),
    ("genCA", Generator::Certificate),
    ("genCAWithKey", Generator::Certificate),
    ("genPrivateKey", Generator::Certificate),
    ("genSelfSignedCert", Generator::Certificate),
    ("genSelfSignedCertWithKey", Generator::Certificate),
    ("genSignedCert", Generator::Certificate),
    ("genSignedCertWithKey", Generator::Certificate),
    ("htpasswd", Generator::Hash),
    ("now", Generator::Time),
    ("randAlpha", Generator::Random),
    ("randAlphaNum", Generator::Random),
    ("randAscii", Generator::Random),
    ("randBytes", Generator::Random),
    ("randInt", Generator::Random),
    ("randNumeric", Generator::Random),
    ("shuffle", Generator::Random),
    ("uuidv4", Generator::Random),
];

/// The cause of a difference, as far as the templates show it.
#[derive(Debug)]
pub(super) struct FieldCause {
    /// The function that generates the value.
    function: Option<(&'static str, Generator)>,
    /// The value that replaces it.
    value: Option<String>,
    /// The value that names an existing Secret.
    existing_secret: Option<String>,
    /// Whether the field is an item of a Secret, where a placeholder is possible.
    is_secret_item: bool,
    /// Whether the field is computed from other fields.
    is_checksum: bool,
    /// The placeholder to suggest.
    placeholder: String,
}

impl FieldCause {
    /// Finds the cause of a difference in the template with this name.
    pub(super) fn find(difference: &Difference<'_>, template: &str, texts: &ChartTexts, app: &str) -> Self {
        let text = texts.text(template);
        let near = SearchedText::around(difference.key, text, texts);
        let function = near.function().or_else(|| function_in(text));
        let key = difference.key.to_ascii_lowercase();
        let pointer = difference.pointer.as_str();
        let is_item = pointer.starts_with("/data/") || pointer.starts_with("/stringData/");
        Self {
            function,
            value: near.value(&key),
            existing_secret: existing_secret(text, &near),
            is_secret_item: difference.object.is_secret() && is_item && difference.change == Change::Value,
            is_checksum: key.contains("checksum") || key.contains("sha256"),
            placeholder: placeholder(app, difference.key),
        }
    }

    /// Returns what to set instead.
    pub(super) fn hint(&self) -> String {
        if self.is_checksum {
            return "correct what the checksum is computed from; until then, each sync restarts the pods"
                .to_owned();
        }
        let called = self.function.map(|(name, _)| format!(", which replaces `{name}`")).unwrap_or_default();
        let own = self.existing_secret.as_ref().map(|path| format!("name a Secret of your own in `{path}`"));
        let first = match self.function.map(|(_, generator)| generator) {
            Some(Generator::Certificate) => {
                "let cert-manager issue the certificate, or give the chart one that you store".to_owned()
            }
            Some(Generator::Hash) => "store the hash itself, because a new one has another salt".to_owned(),
            Some(Generator::Time) => match &self.value {
                Some(path) => format!("set `{path}` in the values to a fixed text{called}"),
                None => "remove the time from the template, or replace the field by a patch".to_owned(),
            },
            Some(Generator::Random) | None => match &self.value {
                Some(path) if self.is_secret_item => {
                    format!(
                        "set `{path}` in the values to a placeholder such as `{}`{called}",
                        self.placeholder
                    )
                }
                Some(path) => format!("set `{path}` in the values to a fixed text{called}"),
                None if own.is_some() => return own.unwrap_or_default(),
                None if self.is_secret_item => format!(
                    "set the value behind the field to a placeholder such as `{}`, or replace the field by a patch",
                    self.placeholder
                ),
                None => "set the value behind the field to a fixed text, or replace the field by a patch"
                    .to_owned(),
            },
        };
        match own {
            Some(own) => format!("{first}; or {own}"),
            None => first,
        }
    }
}

/// Returns a placeholder for a derived password; the key may hold any text.
fn placeholder(app: &str, key: &str) -> String {
    let plain = |text: &str| -> String {
        text.chars()
            .map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' })
            .take(40)
            .collect()
    };
    format!("<derive:{}/{}#alnum:32>", plain(app), plain(key))
}

/// The lines that have to do with a field.
struct SearchedText<'a> {
    lines: Vec<&'a str>,
    /// Variables and named templates that were searched for.
    known: BTreeSet<&'a str>,
}

impl<'a> SearchedText<'a> {
    /// Finds the lines of a key, and those that they depend on.
    fn around(key: &str, text: &'a str, texts: &'a ChartTexts) -> Self {
        let mut found = Self { lines: Vec::new(), known: BTreeSet::new() };
        if key.is_empty() {
            return found;
        }
        let is_key = |line: &&str| {
            let line = line.trim_start().trim_start_matches("- ").trim_start_matches(['"', '\'']);
            line.strip_prefix(key).is_some_and(|rest| rest.trim_start_matches(['"', '\'']).starts_with(':'))
        };
        let lines: Vec<&str> = text.lines().filter(is_key).collect();
        found.add(&lines, text, texts, 0);
        found
    }

    fn add(&mut self, lines: &[&'a str], text: &'a str, texts: &'a ChartTexts, depth: usize) {
        for line in lines.iter().copied() {
            if self.lines.len() >= MAX_LINES {
                return;
            }
            self.lines.push(line);
            if depth >= MAX_DEPTH || !line.contains("{{") && !line.contains("}}") {
                continue;
            }
            for name in included(line) {
                let body = if self.known.insert(name) { texts.definition(name) } else { None };
                if let Some(body) = body {
                    let inner: Vec<&str> = body.lines().collect();
                    self.add(&inner, body, texts, depth + 1);
                }
            }
            for name in variables(line) {
                if self.known.insert(name) {
                    let sets = |other: &&str| {
                        other.split_once(name).is_some_and(|(_, rest)| {
                            let rest = rest.trim_start();
                            rest.starts_with(":=") || rest.starts_with('=')
                        })
                    };
                    let inner: Vec<&str> = text.lines().filter(sets).collect();
                    self.add(&inner, text, texts, depth + 1);
                }
            }
        }
    }

    fn function(&self) -> Option<(&'static str, Generator)> {
        self.lines.iter().find_map(|line| function_in(line))
    }

    /// Returns the value that most likely replaces what is generated: one with the key in its path, else the first.
    fn value(&self, key: &str) -> Option<String> {
        let paths = || self.lines.iter().flat_map(|line| value_paths(line));
        let fits = |path: &&str| {
            let last = path.rsplit('.').next().unwrap_or(path).to_ascii_lowercase();
            let plain = |text: &str| text.replace(['-', '_', '.'], "");
            plain(key).contains(&plain(&last)) || plain(&last).contains(&plain(key))
        };
        let is_name = |path: &&str| is_existing_secret(path);
        let chosen = paths().filter(|path| !is_name(path)).find(fits);
        chosen.or_else(|| paths().find(|path| !is_name(path))).map(printable)
    }
}

/// Returns the value of a chart that names an existing Secret.
fn existing_secret(text: &str, near: &SearchedText<'_>) -> Option<String> {
    let all = near.lines.iter().copied().chain(text.lines());
    all.flat_map(value_paths).find(|path| is_existing_secret(path)).map(printable)
}

fn is_existing_secret(path: &str) -> bool {
    path.to_ascii_lowercase().contains("existingsecret")
}

/// Returns the first function in a text whose result differs each time.
fn function_in(text: &str) -> Option<(&'static str, Generator)> {
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.' && c != '$');
    words.find_map(|word| FUNCTIONS.iter().copied().find(|(name, _)| is_call(word, name)))
}

/// Reports whether a word calls a function, also with a field of its result, as in `now.Year`.
fn is_call(word: &str, name: &str) -> bool {
    word.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Returns the paths of values on a line, without `.Values.`.
fn value_paths(line: &str) -> impl Iterator<Item = &str> {
    line.split(".Values.").skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '_' | '-'));
        let path = rest.get(..end.unwrap_or(rest.len()))?.trim_end_matches(['.', '-']);
        (!path.is_empty() && path.len() <= MAX_PATH).then_some(path)
    })
}

/// Returns the named templates that a line includes.
fn included(line: &str) -> impl Iterator<Item = &str> {
    let after = |word: &'static str| line.split(word).skip(1);
    after("include \"").chain(after("template \"")).filter_map(|rest| rest.split('"').next())
}

/// Returns the variables on a line, with `$`.
fn variables(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices('$').filter_map(|(at, _)| {
        let rest = line.get(at + 1..)?;
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        line.get(at..at + 1 + end).filter(|name| name.len() > 1)
    })
}

#[cfg(test)]
mod tests {
    use sealwave_core::document::Manifest;
    use sealwave_kube::schema::JsonPointer;
    use sealwave_testkit::manifest;
    use serde_json::json;

    use super::*;

    /// Returns the hint for a field of an object from a template, with helpers.
    fn hint(kind: &str, keys: &[&'static str], template: &str, helpers: &str) -> String {
        let object: Manifest =
            manifest(&json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": "a"}, "data": {}}));
        let mut pointer = JsonPointer::default();
        for key in keys {
            pointer.push_key(key);
        }
        let key = keys.last().copied().unwrap();
        let difference =
            Difference { at: object.origin(), object: &object, pointer, key, change: Change::Value };
        let texts = ChartTexts::for_tests(&[("a.yaml", template), ("_helpers.tpl", helpers)]);
        FieldCause::find(&difference, "a.yaml", &texts, "shop").hint()
    }

    #[test]
    fn the_value_is_found_where_charts_name_it() {
        let placeholder = "set `auth.password` in the values to a placeholder such as \
                           `<derive:shop/password#alnum:32>`, which replaces `randAlphaNum`";
        let password = ["data", "password"];
        for (template, helpers) in [
            ("  password: {{ .Values.auth.password | default (randAlphaNum 16) | b64enc }}", ""),
            (
                "{{- if .Values.auth.password }}\n  password: {{ .Values.auth.password | b64enc }}\n{{- else }}\n  \
                 password: {{ randAlphaNum 10 | b64enc | quote }}\n{{- end }}",
                "",
            ),
            (
                "{{- $pw := .Values.auth.password | default (randAlphaNum 8) -}}\ndata:\n  \"password\": {{ $pw }}",
                "",
            ),
            (
                "  password: {{ include \"x.password\" . }}",
                "{{- define \"x.name\" -}}a{{- end -}}\n{{- define \"x.password\" -}}\n{{ .Values.auth.password | \
                 default (randAlphaNum 8) }}\n{{- end -}}\n{{- define \"x.other\" }}{{ .Values.other }}{{ end }}",
            ),
        ] {
            assert_eq!(hint("Secret", &password, template, helpers), placeholder, "{template}");
        }
    }

    #[test]
    fn a_secret_of_ones_own_is_offered() {
        let template = "{{- if not .Values.auth.existingSecret }}\nkind: Secret\ndata:\n  \
                        password: {{ randAlphaNum 8 }}\n{{- end }}";
        let own = "name a Secret of your own in `auth.existingSecret`";
        assert_eq!(hint("Secret", &["data", "password"], template, ""), own);
        let template = format!("{template}\n  password: {{{{ .Values.auth.password }}}}");
        let both = hint("Secret", &["data", "password"], &template, "");
        assert!(both.starts_with("set `auth.password`") && both.ends_with(&format!("; or {own}")), "{both}");
    }

    #[test]
    fn each_kind_of_generator_has_its_own_hint() {
        for (key, template, part) in [
            ("ca.crt", "{{ $ca := genCA \"x\" 365 }}\n  ca.crt: {{ $ca.Cert | b64enc }}", "cert-manager"),
            ("auth", "  auth: {{ htpasswd .Values.user .Values.pass }}", "store the hash"),
            ("at", "  at: {{ now | date \"2006\" }}", "remove the time"),
            ("at", "  at: {{ .Values.at | default now.Year }}", "set `at` in the values to a fixed text"),
            (
                "id",
                "  id: {{ .Values.id | default uuidv4 }}",
                "placeholder such as `<derive:shop/id#alnum:32>`",
            ),
            ("checksum/secret", "", "each sync restarts the pods"),
            ("x", "", "set the value behind the field to a placeholder"),
        ] {
            let hint = hint("Secret", &["data", key], template, "");
            assert!(hint.contains(part), "{template}: {hint}");
        }
        // A placeholder is for Secrets only.
        let hint = hint("ConfigMap", &["data", "id"], "  id: {{ .Values.id | default uuidv4 }}", "");
        assert_eq!(hint, "set `id` in the values to a fixed text, which replaces `uuidv4`");
    }

    #[test]
    fn words_that_only_contain_a_function_are_none() {
        assert_eq!(function_in("known: unknown nowhere .now genCAx"), None);
        assert_eq!(function_in("{{now}}").map(|(name, _)| name), Some("now"));
        assert_eq!(function_in("{{ (now).Unix }}").map(|(name, _)| name), Some("now"));
    }

    #[test]
    fn hostile_templates_end() {
        let endless = "{{ define \"a\" }}password: {{ include \"a\" . }} {{ include \"b\" . }}{{ end }}";
        let wide = "{{ $a := $b }}{{ $b := $a }} password: {{ $a }}{{ include \"".repeat(2_000);
        assert!(
            !hint("Secret", &["data", "password"], "password: {{ include \"a\" . }}", endless).is_empty()
        );
        assert!(!hint("Secret", &["data", "password"], &wide, &wide).is_empty());
        assert!(!hint("Secret", &["data", "\u{1b}[31m\n"], "{{ .Values.\u{1b} }}", "").contains('\u{1b}'));
    }
}
