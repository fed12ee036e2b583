//! The `#key` of a placeholder: one syntax for a location in a structured secret, for every provider.
//!
//! ```text
//! key  = a.b            the key `a.b`; if it does not exist, the key `b` of the object `a`
//!      | list.0.name    likewise; a number is a list index (from 0) or a key of an object
//!      | "a.b".c        quoted names are keys; such a text is always a path
//! name = plain text without a dot | '"' { character | \" | \\ } '"'
//! ```
//!
//! A text without a quoted name is always tried as one key first, so that keys such as `tls.crt` need no quotes.
//! Nothing else is unescaped, trimmed or folded, and this module never sees a value.

use std::fmt::Write as _;

/// Maximum length of a key, quotes included.
const MAX_BYTES: usize = 1024;

/// Maximum number of names in a path.
const MAX_STEPS: usize = 32;

/// A location in a structured secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPath {
    /// The whole text as one key, which takes precedence; `None` if a name is quoted.
    exact: Option<String>,
    /// The path; empty if the text can only be one key.
    steps: Vec<KeyPathStep>,
}

/// One name of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
struct KeyPathStep {
    name: String,
    /// The name is only a key, even if it looks like a number.
    quoted: bool,
}

/// A reason why a text is not a valid key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyPathError {
    /// Text follows a closing quote directly.
    #[error("has text between a closing quote and the next dot")]
    AfterQuote,
    /// A path with quotes contains an empty name.
    #[error("has an empty name")]
    EmptyName,
    /// A backslash in a quoted name is followed by another character than a quote or a backslash.
    #[error("has an unknown escape in a quoted name")]
    Escape,
    /// A quoted name has no closing quote.
    #[error("has a quoted name that is not closed")]
    NotClosed,
    /// The path has too many names.
    #[error("has more than 32 names")]
    TooDeep,
    /// The key is too long.
    #[error("is longer than 1024 bytes")]
    TooLong,
}

/// A value in a structured secret, with the operations that a path needs.
pub trait KeyedValue: Copy {
    /// The error if the structure cannot be read.
    type Error;

    /// Returns the value under a key of an object.
    ///
    /// # Errors
    /// The document is malformed, or the lookup is ambiguous.
    fn member(self, name: &str) -> Result<Option<Self>, Self::Error>;

    /// Returns an item of a list.
    ///
    /// # Errors
    /// The document is malformed, or the lookup is ambiguous.
    fn item(self, index: usize) -> Result<Option<Self>, Self::Error>;

    /// Returns the kind of value.
    fn shape(self) -> ValueShape;
}

/// The kinds of values that a path distinguishes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ValueShape {
    /// A list.
    List,
    #[default]
    /// An object.
    Object,
    /// A scalar.
    Scalar,
}

/// A reason why a path leads to no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WalkError<E> {
    /// A step of the path does not exist.
    Missing(MissingStep),
    /// The structure cannot be read.
    Structure(E),
}

/// The first step of a path that does not exist. It contains only names of the path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MissingStep {
    /// The existing part of the path; empty if the first step is missing.
    parent: String,
    name: String,
    shape: ValueShape,
}

/// The hint for a key that is not found.
pub const KEY_HINT: &str = "`#a.b` is a key of an object, `#list.0` an item of a list, `#\"a.b\".c` quotes a name with a dot; \
     `| jsonPath {.a}` reads JSON within a value";

impl KeyPath {
    /// Parses the key of a reference.
    ///
    /// # Errors
    /// Fails on malformed quotes and exceeded limits.
    pub fn parse(text: &str) -> Result<Self, KeyPathError> {
        if text.len() > MAX_BYTES {
            return Err(KeyPathError::TooLong);
        }
        let steps = split_steps(text)?;
        if steps.iter().any(|step| step.quoted) {
            return match steps.len() {
                _ if steps.iter().any(|step| step.name.is_empty()) => Err(KeyPathError::EmptyName),
                0..=MAX_STEPS => Ok(Self { exact: None, steps }),
                _ => Err(KeyPathError::TooDeep),
            };
        }
        let is_path = steps.len() <= MAX_STEPS && steps.iter().all(|step| !step.name.is_empty());
        Ok(Self { exact: Some(text.to_owned()), steps: if is_path { steps } else { Vec::new() } })
    }

    /// Returns the canonical text of this path: equal paths have equal texts, which parse to themselves.
    pub(crate) fn into_canonical(mut self) -> String {
        if let Some(text) = self.exact {
            return text;
        }
        for step in &mut self.steps {
            step.quoted = step.needs_quotes();
        }
        if self.steps.len() > 1 && !self.steps.iter().any(|step| step.quoted) {
            // Without any quotes, the text would be one key first.
            if let Some(first) = self.steps.iter_mut().find(|step| !step.is_index()) {
                first.quoted = true;
            }
        }
        format_steps(&self.steps)
    }

    /// Returns the whole text as one key, if it may be one.
    #[must_use]
    pub fn exact(&self) -> Option<&str> {
        self.exact.as_deref()
    }

    /// Returns the only name of the path, if it has just one.
    #[must_use]
    pub fn single(&self) -> Option<&str> {
        match (&self.exact, &self.steps[..]) {
            (Some(text), _) => Some(text),
            (None, [step]) => Some(&step.name),
            (None, _) => None,
        }
    }

    /// Returns the names of the path, each with a flag for a possible index; empty if the text can only be one key.
    #[must_use]
    pub fn names(&self) -> impl ExactSizeIterator<Item = (&str, bool)> {
        self.steps.iter().map(|step| (step.name.as_str(), step.is_index()))
    }

    /// Returns the value that the path leads to: the exact key first, then step by step.
    ///
    /// # Errors
    /// A step of the path does not exist, or the document is malformed.
    pub fn walk<V: KeyedValue>(&self, root: V) -> Result<V, WalkError<V::Error>> {
        if let Some(key) = &self.exact
            && let Some(value) = root.member(key).map_err(WalkError::Structure)?
        {
            return Ok(value);
        }
        self.walk_from(0, root)
    }

    /// Follows the path from one of its steps, starting at the value of the previous steps.
    pub(crate) fn walk_from<V: KeyedValue>(&self, first: usize, from: V) -> Result<V, WalkError<V::Error>> {
        let mut at = from;
        for (number, step) in self.steps.iter().enumerate().skip(first) {
            let found = step.walk(at).map_err(WalkError::Structure)?;
            at = found.ok_or_else(|| WalkError::Missing(self.missing(number, at.shape())))?;
        }
        if self.steps.is_empty() { Err(WalkError::Missing(self.missing(0, from.shape()))) } else { Ok(at) }
    }

    /// Describes the missing step.
    #[must_use]
    pub fn missing(&self, number: usize, shape: ValueShape) -> MissingStep {
        let parent = format_steps(self.steps.get(..number).unwrap_or_default());
        let name = self.steps.get(number).map_or("", |step| step.name.as_str());
        MissingStep { parent, name: name.to_owned(), shape }
    }
}

impl MissingStep {
    /// Returns the message about the missing key; `subject` names the secret.
    #[must_use]
    pub fn message(&self, subject: &str) -> String {
        let Self { parent, name, shape } = self;
        if parent.is_empty() {
            let reason = match shape {
                ValueShape::Scalar => ": it is not an object or a list",
                ValueShape::List | ValueShape::Object => "",
            };
            return format!("{subject} has no such key{reason}");
        }
        match shape {
            ValueShape::List => {
                format!("{subject} has no such key: the list `{parent}` has no item `{name}`")
            }
            ValueShape::Object => {
                format!("{subject} has no such key: the object `{parent}` has no key `{name}`")
            }
            ValueShape::Scalar => format!("{subject} has no such key: `{parent}` is not an object or a list"),
        }
    }
}

impl KeyPathStep {
    fn walk<V: KeyedValue>(&self, at: V) -> Result<Option<V>, V::Error> {
        match at.shape() {
            ValueShape::Object => at.member(&self.name),
            ValueShape::List => self.index().map_or(Ok(None), |index| at.item(index)),
            ValueShape::Scalar => Ok(None),
        }
    }

    fn index(&self) -> Option<usize> {
        // Only one spelling of a number is accepted, so that `01` and `+1` are not other names of an item.
        self.name.parse().ok().filter(|index: &usize| !self.quoted && index.to_string() == self.name)
    }

    /// Reports whether this may be an index into a list.
    fn is_index(&self) -> bool {
        self.index().is_some()
    }

    /// Reports whether the name changes or loses its meaning without quotes.
    fn needs_quotes(&self) -> bool {
        let plain = Self { name: self.name.clone(), quoted: false };
        self.name.contains('.')
            || self.name.starts_with(['"', ' ', '\t'])
            || self.name.ends_with([' ', '\t'])
            || (self.quoted && plain.is_index())
    }
}

/// Splits a text into names.
fn split_steps(text: &str) -> Result<Vec<KeyPathStep>, KeyPathError> {
    let mut steps = Vec::new();
    let mut rest = text;
    loop {
        let (step, behind) = if let Some(inside) = rest.strip_prefix('"') {
            let (name, behind) = quoted(inside)?;
            (KeyPathStep { name, quoted: true }, behind)
        } else {
            let end = rest.find('.').unwrap_or(rest.len());
            (KeyPathStep { name: rest[..end].to_owned(), quoted: false }, &rest[end..])
        };
        steps.push(step);
        match behind.strip_prefix('.') {
            Some(next) => rest = next,
            None if behind.is_empty() => return Ok(steps),
            None => return Err(KeyPathError::AfterQuote),
        }
    }
}

/// Reads up to the closing quote.
fn quoted(text: &str) -> Result<(String, &str), KeyPathError> {
    let mut name = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((name, &text[at + 1..])),
            '\\' => match chars.next() {
                Some((_, escaped @ ('"' | '\\'))) => name.push(escaped),
                Some(_) => return Err(KeyPathError::Escape),
                None => return Err(KeyPathError::NotClosed),
            },
            other => name.push(other),
        }
    }
    Err(KeyPathError::NotClosed)
}

fn format_steps(steps: &[KeyPathStep]) -> String {
    let mut text = String::new();
    for (number, step) in steps.iter().enumerate() {
        text.push_str(if number == 0 { "" } else { "." });
        if step.quoted {
            let escaped = step.name.replace('\\', "\\\\").replace('"', "\\\"");
            // Writing to a string cannot fail.
            let _ = write!(text, "\"{escaped}\"");
        } else {
            text.push_str(&step.name);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> Result<String, KeyPathError> {
        KeyPath::parse(text).map(KeyPath::into_canonical)
    }

    #[test]
    fn r18_texts_without_quotes_stay_as_they_are() {
        for text in [
            "a",
            "a.b",
            "arr.0",
            "tls.crt",
            ".dockerconfigjson",
            "a.",
            "a..b",
            ".",
            "..",
            "0",
            "a\"b",
            "a b",
            "\u{e4}.\u{1f600}",
            "a.99999999999999999999",
            "a/b",
            "a[0]",
            "a\\.b",
            "'a.b'",
        ] {
            assert_eq!(canonical(text).as_deref(), Ok(text), "{text}");
            assert_eq!(KeyPath::parse(text).expect("valid").exact(), Some(text));
        }
    }

    #[test]
    fn r18_quoted_names_have_one_text() {
        for (text, expected) in [
            (r#""a""#, "a"),
            (r#""a.b""#, r#""a.b""#),
            (r#""a.b".c.0"#, r#""a.b".c.0"#),
            (r#""a"."b""#, r#""a".b"#),
            (r#"a."b""#, r#""a".b"#),
            (r#""a".b"#, r#""a".b"#),
            (r#"a."b.c""#, r#"a."b.c""#),
            (r#""0""#, r#""0""#),
            (r#"0."a""#, r#"0."a""#),
            (r#"a."0""#, r#"a."0""#),
            (r#"" a""#, r#"" a""#),
            (r#""a\"b\\c""#, r#"a"b\c"#),
            (r#""\"a""#, r#""\"a""#),
            (r#"".""#, r#"".""#),
            ("\"\u{e4}\".b", "\"\u{e4}\".b"),
        ] {
            assert_eq!(canonical(text).as_deref(), Ok(expected), "{text}");
            assert_eq!(canonical(expected).as_deref(), Ok(expected), "{expected}");
        }
    }

    #[test]
    fn r18_malformed_and_huge_keys_are_refused() {
        for (text, error) in [
            ("\"", KeyPathError::NotClosed),
            ("\"\"", KeyPathError::EmptyName),
            ("\"a", KeyPathError::NotClosed),
            ("a.\"b", KeyPathError::NotClosed),
            ("\"a\"b", KeyPathError::AfterQuote),
            ("\"a\"\"b\"", KeyPathError::AfterQuote),
            ("\"a\".", KeyPathError::EmptyName),
            ("\"a\"..b", KeyPathError::EmptyName),
            (".\"a\"", KeyPathError::EmptyName),
            (r#""\u0061""#, KeyPathError::Escape),
            (r#""a\"#, KeyPathError::NotClosed),
            (r#""a\.b""#, KeyPathError::Escape),
        ] {
            assert_eq!(canonical(text), Err(error), "{text}");
        }
        assert_eq!(canonical(&"a".repeat(10 << 10)), Err(KeyPathError::TooLong));
        assert_eq!(canonical(&format!("\"a\"{}", ".b".repeat(32))), Err(KeyPathError::TooDeep));
        // A deep text without quotes can still be one key.
        let deep = KeyPath::parse(&"a.".repeat(200)).expect("one key");
        assert_eq!((deep.exact().map(str::len), deep.names().len()), (Some(400), 0));
    }

    proptest::proptest! {
        #[test]
        fn canonical_texts_parse_to_themselves(text in "(a|b|0|12|\\.|\"|\\\\| |\u{e4}){0,12}") {
            if let Ok(path) = KeyPath::parse(&text) {
                let exact = path.exact().is_some();
                let names: Vec<_> = path.names().map(|(name, index)| (name.to_owned(), index)).collect();
                let canonical = path.into_canonical();
                let again = KeyPath::parse(&canonical).expect("well formed");
                let names_again: Vec<_> = again.names().map(|(name, index)| (name.to_owned(), index)).collect();
                // A single quoted name becomes the key itself.
                if exact || names.len() > 1 {
                    proptest::prop_assert_eq!(names, names_again);
                } else {
                    proptest::prop_assert_eq!(again.single(), names.first().map(|(name, _)| name.as_str()));
                }
                proptest::prop_assert_eq!(again.into_canonical(), canonical);
            }
        }
    }
}
