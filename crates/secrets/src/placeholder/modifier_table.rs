//! The table of modifiers: names, arguments and documentation of each.
//!
//! A modifier is a row of [`MODIFIERS`], with a variant of [`Decoder`] or [`Encoder`] and the line that spells it. The
//! function of a modifier and its translations by backends are rows of the table in the pipeline, which matches on the
//! same variants and does not compile without the new one. Parsers, hints and the tables in the documentation come
//! from the rows.

use super::json_path::{self, JsonPath, JsonSelection, JsonTemplate};
use sealwave_core::text::quoted_list;

use super::GrammarErrorKind;

/// The `jsonPath` that selects the whole document.
const WHOLE_DOCUMENT: &str = "{@}";

/// Maximum number of spaces that `indent` may add to a line.
const MAX_INDENT: usize = 100;

/// A modifier that removes something from a value and adds nothing.
#[derive(Clone, PartialEq, Eq)]
pub enum Decoder {
    /// Decodes standard base64.
    Base64Decode,
    /// Selects a part of a JSON document, or all of it.
    JsonPath(JsonPath),
    /// Removes ASCII whitespace at both ends.
    Trim,
    /// Converts a YAML document to JSON, or to its text if it is one scalar.
    YamlParse,
}

/// A modifier that formats a value for its destination.
#[derive(Clone, PartialEq, Eq)]
pub enum Encoder {
    /// Standard base64 with padding.
    Base64,
    /// Adds this many spaces after every newline except one that ends the value: to all lines but the first.
    Indent(usize),
    /// A JSON string literal with its quotes.
    Json,
    /// Several parts of a JSON document, or parts with text around them.
    JsonTemplate(JsonTemplate),
    /// SHA-256 in lower-case hex.
    Sha256,
    /// Percent-encoding of everything but RFC 3986's unreserved characters; a space is `%20`.
    UrlEncode,
}

/// One modifier as parsed.
pub(super) enum Modifier {
    Decoder(Decoder),
    Default(String),
    Encoder(Encoder),
}

/// A row of the table of modifiers. `jsonPath` has two: its argument decides its role.
pub struct ModifierRow {
    /// Its name in placeholders.
    pub name: &'static str,
    /// Its name in argocd-vault-plugin, if that differs.
    pub alias: Option<&'static str>,
    /// Its role.
    pub role: ModifierRole,
    /// The condition on its argument for this role, for texts.
    pub condition: Option<&'static str>,
    /// An example, for the documentation.
    pub example: &'static str,
    /// The result of the example, for the documentation.
    pub result: &'static str,
    argument: ArgumentGrammar,
}

/// The position of a modifier in the fixed form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModifierRole {
    /// First: extracts the value.
    Decoder,
    /// Between the others: replaces a missing value.
    Default,
    /// Last: formats the value.
    Encoder,
}

/// The arguments that a modifier takes.
#[derive(Clone, Copy)]
enum ArgumentGrammar {
    /// No argument.
    Nothing(fn() -> ModifierResult),
    /// One argument.
    Word(fn(String) -> ModifierResult),
    /// One argument, which contains spaces if it is bare.
    Words(fn(String) -> ModifierResult),
}

type ModifierResult = Result<Modifier, GrammarErrorKind>;

impl ModifierRow {
    const fn new(role: ModifierRole, name: &'static str, argument: ArgumentGrammar) -> Self {
        Self { name, alias: None, role, condition: None, example: name, result: "", argument }
    }
}

/// All modifiers, in the order of the documentation: decoders, `default`, encoders.
pub static MODIFIERS: [ModifierRow; 12] = {
    use ArgumentGrammar::{Nothing, Word, Words};
    use ModifierRole::{Decoder as DECODER, Default as DEFAULT, Encoder as ENCODER};

    [
        ModifierRow {
            result: "decoded",
            ..ModifierRow::new(DECODER, "base64decode", Nothing(|| decoder(Decoder::Base64Decode)))
        },
        ModifierRow {
            result: "all of a JSON document, with a string unquoted",
            // Parsed JSON as text: strings unquoted, everything else as JSON. So it is the path to the whole document.
            ..ModifierRow::new(DECODER, "jsonParse", Nothing(|| json_path(WHOLE_DOCUMENT)))
        },
        ModifierRow {
            condition: Some("with a single path"),
            example: "jsonPath {.a.b[0]}",
            result: "a part of a JSON document",
            ..ModifierRow::new(DECODER, "jsonPath", Words(|argument| json_path(&argument)))
        },
        ModifierRow {
            result: "without white space at both ends",
            ..ModifierRow::new(DECODER, "trim", Nothing(|| decoder(Decoder::Trim)))
        },
        ModifierRow {
            result: "a YAML document as JSON",
            ..ModifierRow::new(DECODER, "yamlParse", Nothing(|| decoder(Decoder::YamlParse)))
        },
        ModifierRow {
            example: "default \"x\"",
            result: "`x` if the value does not exist",
            ..ModifierRow::new(DEFAULT, "default", Word(|argument| Ok(Modifier::Default(argument))))
        },
        ModifierRow {
            alias: Some("base64encode"),
            result: "encoded",
            ..ModifierRow::new(ENCODER, "base64", Nothing(|| encoder(Encoder::Base64)))
        },
        ModifierRow {
            example: "indent 2",
            result: "two spaces before each line except the first",
            ..ModifierRow::new(ENCODER, "indent", Word(|argument| indent(&argument)))
        },
        ModifierRow {
            result: "a quoted JSON string",
            ..ModifierRow::new(ENCODER, "json", Nothing(|| encoder(Encoder::Json)))
        },
        ModifierRow {
            alias: Some("sha256sum"),
            result: "the digest in hexadecimal",
            ..ModifierRow::new(ENCODER, "sha256", Nothing(|| encoder(Encoder::Sha256)))
        },
        ModifierRow {
            result: "percent-encoded, everything but `A–Z a–z 0–9 - . _ ~`",
            ..ModifierRow::new(ENCODER, "urlencode", Nothing(|| encoder(Encoder::UrlEncode)))
        },
        ModifierRow {
            condition: Some("with text or several paths"),
            example: "jsonPath {.user}{':'}{.password}",
            result: "several parts of a JSON document with text between them",
            ..ModifierRow::new(ENCODER, "jsonPath", Words(|argument| json_path(&argument)))
        },
    ]
};

impl Decoder {
    fn spelling(&self) -> Spelling<'_> {
        match self {
            Self::Base64Decode => Spelling::bare("base64decode"),
            Self::JsonPath(path) => Spelling::with("jsonPath", Argument::Text(path.source())),
            Self::Trim => Spelling::bare("trim"),
            Self::YamlParse => Spelling::bare("yamlParse"),
        }
    }

    /// Returns its name, which identifies its kind: a path to the whole document is `jsonParse`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::JsonPath(path) if path.steps().is_empty() => "jsonParse",
            _ => self.spelling().name,
        }
    }

    /// Writes it in parsable form. The unresolved text is part of the derivation, so `jsonParse` keeps being written as
    /// the path that it is.
    pub(super) fn write(&self, out: &mut String) {
        self.spelling().write(out);
    }
}

impl Encoder {
    fn spelling(&self) -> Spelling<'_> {
        match self {
            Self::Base64 => Spelling::bare("base64"),
            Self::Indent(spaces) => Spelling::with("indent", Argument::Number(*spaces)),
            Self::Json => Spelling::bare("json"),
            Self::JsonTemplate(template) => Spelling::with("jsonPath", Argument::Text(template.source())),
            Self::Sha256 => Spelling::bare("sha256"),
            Self::UrlEncode => Spelling::bare("urlencode"),
        }
    }

    /// Returns its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.spelling().name
    }

    /// Writes it in parsable form.
    pub(super) fn write(&self, out: &mut String) {
        self.spelling().write(out);
    }
}

impl Modifier {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Decoder(decoder) => decoder.name(),
            Self::Default(_) => "default",
            Self::Encoder(encoder) => encoder.name(),
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "rows of the table have this type")]
const fn decoder(decoder: Decoder) -> ModifierResult {
    Ok(Modifier::Decoder(decoder))
}

#[expect(clippy::unnecessary_wraps, reason = "rows of the table have this type")]
const fn encoder(encoder: Encoder) -> ModifierResult {
    Ok(Modifier::Encoder(encoder))
}

fn indent(argument: &str) -> ModifierResult {
    let digits = !argument.is_empty() && argument.bytes().all(|byte| byte.is_ascii_digit());
    match argument.parse::<usize>() {
        Ok(spaces) if digits && spaces <= MAX_INDENT => encoder(Encoder::Indent(spaces)),
        _ => Err(GrammarErrorKind::BadArgument {
            modifier: "indent",
            wanted: format!("a number of spaces from 0 to {MAX_INDENT}"),
        }),
    }
}

/// Parses a template. A single path only removes, so it is a decoder; all other templates add text, so they are
/// encoders.
fn json_path(argument: &str) -> ModifierResult {
    match json_path::parse(argument) {
        Ok(JsonSelection::Path(path)) => decoder(Decoder::JsonPath(path)),
        Ok(JsonSelection::Template(template)) => encoder(Encoder::JsonTemplate(template)),
        Err(error) => Err(GrammarErrorKind::BadArgument {
            modifier: "jsonPath",
            wanted: format!("a template such as `{{.a.b}}` ({error})"),
        }),
    }
}

impl ModifierRow {
    /// Returns the row of a modifier by its name or by its argocd-vault-plugin name.
    pub(super) fn find(name: &str) -> Option<&'static Self> {
        MODIFIERS.iter().find(|row| row.name == name || row.alias == Some(name))
    }

    /// Reports whether a bare argument contains spaces.
    pub(super) const fn has_words(&self) -> bool {
        matches!(self.argument, ArgumentGrammar::Words(_))
    }

    /// Creates the modifier from its arguments.
    ///
    /// # Errors
    /// Fails if the number of arguments is wrong, or one of them.
    pub(super) fn parse(&self, mut arguments: Vec<String>) -> ModifierResult {
        let got = arguments.len();
        let wrong_count = |wanted| GrammarErrorKind::WrongArgumentCount { modifier: self.name, wanted, got };
        match (self.argument, arguments.pop()) {
            (ArgumentGrammar::Nothing(create), None) => create(),
            (ArgumentGrammar::Nothing(_), Some(_)) => Err(wrong_count("no argument")),
            (ArgumentGrammar::Word(create) | ArgumentGrammar::Words(create), Some(argument)) if got == 1 => {
                create(argument)
            }
            (ArgumentGrammar::Word(_) | ArgumentGrammar::Words(_), _) => Err(wrong_count("one argument")),
        }
    }

    /// Returns its name in backticks, with the condition on its argument.
    fn label(&self) -> String {
        let condition = self.condition.map(|condition| format!(" {condition}")).unwrap_or_default();
        format!("`{}`{condition}", self.name)
    }
}

/// Returns the names of all modifiers in backticks, in alphabetical order.
pub(super) fn names_list() -> String {
    let mut names: Vec<&str> = MODIFIERS.iter().map(|row| row.name).collect();
    names.sort_unstable();
    names.dedup();
    quoted_list(&names)
}

/// Returns the form of a pipeline, for hints.
pub(super) fn pipeline_form() -> String {
    let decoders = labels(ModifierRole::Decoder).join(", ");
    let mut encoders = labels(ModifierRole::Encoder);
    if let Some(last) = encoders.last_mut() {
        last.insert_str(0, "or ");
    }
    let encoders = encoders.join(", ");
    format!(
        "the order is: decoders ({decoders}; each at most once), then `default`, then one encoder ({encoders}), last"
    )
}

fn labels(role: ModifierRole) -> Vec<String> {
    MODIFIERS.iter().filter(|row| row.role == role).map(ModifierRow::label).collect()
}

/// The text of a modifier.
struct Spelling<'a> {
    name: &'static str,
    argument: Option<Argument<'a>>,
}

/// An argument of a modifier.
enum Argument<'a> {
    Number(usize),
    Text(&'a str),
}

impl<'a> Spelling<'a> {
    const fn bare(name: &'static str) -> Self {
        Self { name, argument: None }
    }

    const fn with(name: &'static str, argument: Argument<'a>) -> Self {
        Self { name, argument: Some(argument) }
    }

    fn write(&self, out: &mut String) {
        write_name(out, self.name);
        match self.argument {
            None => {}
            Some(Argument::Number(number)) => {
                out.push(' ');
                out.push_str(&number.to_string());
            }
            Some(Argument::Text(text)) => write_quoted(out, text),
        }
    }
}

/// Writes `default` in parsable form.
pub(super) fn write_default(out: &mut String, text: &str) {
    write_name(out, "default");
    write_quoted(out, text);
}

fn write_name(out: &mut String, name: &str) {
    out.push_str(" | ");
    out.push_str(name);
}

fn write_quoted(out: &mut String, text: &str) {
    out.push_str(" \"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::placeholder::{Modifiers, PlaceholderText};
    use sealwave_testkit::{check_page_line, check_page_section, page_section};

    fn parsed(modifier: &str) -> Modifiers {
        let text = PlaceholderText::parse(&format!("<file:x | {modifier}>")).expect("well formed");
        text.placeholders().next().expect("one placeholder").modifiers.clone()
    }

    #[test]
    fn each_row_parses_to_a_modifier_of_its_name_and_role() {
        for row in &MODIFIERS {
            let modifiers = parsed(row.example);
            assert_eq!(modifiers.names().collect::<Vec<_>>(), [row.name], "{}", row.example);
            let role = match (&modifiers.default, &modifiers.encoder) {
                (Some(_), _) => ModifierRole::Default,
                (None, Some(_)) => ModifierRole::Encoder,
                (None, None) => ModifierRole::Decoder,
            };
            assert_eq!(role, row.role, "{}", row.example);
            if let Some(alias) = row.alias {
                assert!(parsed(&row.example.replacen(row.name, alias, 1)) == modifiers, "{alias}");
            }
        }
    }

    #[test]
    fn rows_are_in_the_order_of_the_form_and_distinct() {
        let roles: Vec<ModifierRole> = MODIFIERS.iter().map(|row| row.role).collect();
        assert!(roles.is_sorted_by_key(|role| *role as usize));
        let mut labels: Vec<String> = MODIFIERS.iter().map(ModifierRow::label).collect();
        labels.sort();
        labels.dedup();
        assert_eq!(labels.len(), MODIFIERS.len());
    }

    #[test]
    fn documentation_lists_the_rows() {
        let rows = MODIFIERS.iter().map(|row| format!("| `{}` | {} |\n", row.example, row.result));
        let head = "| modifier | result |\n|---|---|\n".to_owned();
        check_page_section(
            "docs/writing/placeholders.md",
            "modifiers",
            &rows.fold(head, |table, row| table + &row),
        );
        let order = format!(
            "| | modifiers | |\n|---|---|---|\n\
             | decoders | {} | first, in any order, each at most once |\n\
             | `default` | `default \"x\"` | next; applies if the reference does not exist, or a decoder found nothing |\n\
             | encoder | {} | last, at most one |\n",
            labels(ModifierRole::Decoder).join(", "),
            labels(ModifierRole::Encoder).join(", "),
        );
        check_page_section("docs/writing/placeholders.md", "modifier order", &order);
    }

    #[test]
    fn documentation_compares_the_names_with_those_of_argocd_vault_plugin() {
        let theirs =
            ["base64encode", "base64decode", "jsonPath", "jsonParse", "yamlParse", "indent", "sha256sum"];
        let shared: Vec<&str> =
            theirs.iter().map(|name| ModifierRow::find(name).expect("accepted").name).collect();
        let mut own: Vec<&str> =
            MODIFIERS.iter().map(|row| row.name).filter(|name| !shared.contains(name)).collect();
        own.sort_unstable();
        let (theirs, own) = (quoted_list(&theirs), quoted_list(&own));
        check_page_line(
            "docs/moving/argocd-vault-plugin.md",
            "| `base64encode`,",
            &format!("| {theirs} | the same names; in addition {own} |"),
        );
    }

    #[test]
    fn documentation_tells_what_each_modifier_reveals() {
        let section = page_section("docs/operating/policy.md", "lengths");
        for row in &MODIFIERS {
            assert!(section.contains(&format!("`{}`", row.name)), "docs/operating/policy.md: `{}`", row.name);
        }
    }
}
