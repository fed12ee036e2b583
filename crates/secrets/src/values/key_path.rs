//! The `#key` of a placeholder: one syntax for a place in a structured secret, for every provider.
//!
//! ```text
//! key  = a.b            the key `a.b`; where there is none, the key `b` of the object `a`
//!      | list.0.name    likewise; a number is an item of a list (from 0) or a key of an object
//!      | "a.b".c        names in quotes are keys as they stand; such a text is always a path
//! name = plain text without a dot | '"' { character | \" | \\ } '"'
//! ```
//!
//! A text without a quoted name always means the same as one key first, so that keys such as `tls.crt` need no quotes.
//! Nothing is ever unescaped, trimmed or folded besides this, and nothing here sees a value.

use std::fmt::Write as _;

/// Bytes of a key, quotes included.
const MAX_BYTES: usize = 1024;

/// Names of a path.
const MAX_STEPS: usize = 32;

/// A place in a structured secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPath {
    /// The whole text as one key, which takes precedence; `None` where a name is quoted.
    exact: Option<String>,
    /// The path; empty where the text can only be one key.
    steps: Vec<Step>,
}

/// One name of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    name: String,
    /// Only a key, even if it looks like a number.
    quoted: bool,
}

/// Why a text is not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyPathError {
    /// Text directly behind a closing quote.
    #[error("has text between a closing quote and the next dot")]
    AfterQuote,
    /// An empty name in a path with quotes.
    #[error("has an empty name")]
    EmptyName,
    /// A backslash in a quoted name before something else than a quote or a backslash.
    #[error("has an unknown escape in a quoted name")]
    Escape,
    /// A quoted name without its closing quote.
    #[error("has a quoted name that is not closed")]
    NotClosed,
    /// More names than a path may have.
    #[error("has more than 32 names")]
    TooDeep,
    /// More bytes than a key may have.
    #[error("is longer than 1024 bytes")]
    TooLong,
}

/// A value in a structured secret, as far as a path needs it.
pub trait KeyedValue: Copy {
    /// Why the structure cannot be read.
    type Error;

    /// Returns the value under a key of an object.
    fn member(self, name: &str) -> Result<Option<Self>, Self::Error>;

    /// Returns an item of a list.
    fn item(self, index: usize) -> Result<Option<Self>, Self::Error>;

    /// Returns what kind of value it is.
    fn shape(self) -> Shape;
}

/// The kinds of values that a path distinguishes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    List,
    #[default]
    Object,
    Scalar,
}

/// Why a path leads to no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WalkError<E> {
    /// Something on the way does not exist.
    Missing(MissingStep),
    /// The structure cannot be read.
    Structure(E),
}

/// The first step of a path that leads nowhere. It holds names of the path alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MissingStep {
    /// What does exist; empty where the first step is missing.
    parent: String,
    name: String,
    shape: Shape,
}

/// What to do about a key that is not found.
pub const KEY_HINT: &str = "`#a.b` is a key of an object, `#list.0` an item of a list, `#\"a.b\".c` quotes a name with a dot; \
     `| jsonPath {.a}` reads JSON within a value";

impl KeyPath {
    /// Parses the key of a reference.
    ///
    /// # Errors
    /// Malformed quotes, and more than the bounds allow.
    pub fn parse(text: &str) -> Result<Self, KeyPathError> {
        if text.len() > MAX_BYTES {
            return Err(KeyPathError::TooLong);
        }
        let steps = steps(text)?;
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

    /// Returns the one text of this path: equal paths have equal texts, which parse to themselves.
    pub(crate) fn into_canonical(mut self) -> String {
        if let Some(text) = self.exact {
            return text;
        }
        for step in &mut self.steps {
            step.quoted = step.needs_quotes();
        }
        if self.steps.len() > 1 && !self.steps.iter().any(|step| step.quoted) {
            // Without any quotes it would mean one key first.
            if let Some(first) = self.steps.iter_mut().find(|step| !step.is_index()) {
                first.quoted = true;
            }
        }
        shown(&self.steps)
    }

    /// Returns the whole text as one key, where it may be one.
    pub fn exact(&self) -> Option<&str> {
        self.exact.as_deref()
    }

    /// Returns the only name of the path, where it has one.
    pub fn single(&self) -> Option<&str> {
        match (&self.exact, &self.steps[..]) {
            (Some(text), _) => Some(text),
            (None, [step]) => Some(&step.name),
            (None, _) => None,
        }
    }

    /// Returns the names of the path, and for each whether it may be an index; none where the text is only one key.
    pub fn names(&self) -> impl ExactSizeIterator<Item = (&str, bool)> {
        self.steps.iter().map(|step| (step.name.as_str(), step.is_index()))
    }

    /// Finds the value that the path leads to: the exact key first, then step by step.
    pub fn walk<V: KeyedValue>(&self, root: V) -> Result<V, WalkError<V::Error>> {
        if let Some(key) = &self.exact
            && let Some(value) = root.member(key).map_err(WalkError::Structure)?
        {
            return Ok(value);
        }
        self.walk_from(0, root)
    }

    /// Follows the path from one of its steps on, where a value of the steps before it is known.
    pub(crate) fn walk_from<V: KeyedValue>(&self, first: usize, from: V) -> Result<V, WalkError<V::Error>> {
        let mut at = from;
        for (number, step) in self.steps.iter().enumerate().skip(first) {
            let found = step.walk(at).map_err(WalkError::Structure)?;
            at = found.ok_or_else(|| WalkError::Missing(self.missing(number, at.shape())))?;
        }
        if self.steps.is_empty() { Err(WalkError::Missing(self.missing(0, from.shape()))) } else { Ok(at) }
    }

    /// Describes the step that leads nowhere.
    pub fn missing(&self, number: usize, shape: Shape) -> MissingStep {
        let parent = shown(self.steps.get(..number).unwrap_or_default());
        let name = self.steps.get(number).map_or("", |step| step.name.as_str());
        MissingStep { parent, name: name.to_owned(), shape }
    }
}

impl MissingStep {
    /// Returns the message: what is missing in `subject`, which names the secret.
    pub fn message(&self, subject: &str) -> String {
        let Self { parent, name, shape } = self;
        if parent.is_empty() {
            return format!("{subject} has no such key");
        }
        match shape {
            Shape::List => format!("{subject} has no such key: the list `{parent}` has no item `{name}`"),
            Shape::Object => format!("{subject} has no such key: the object `{parent}` has no key `{name}`"),
            Shape::Scalar => format!("{subject} has no such key: `{parent}` is not an object or a list"),
        }
    }
}

impl Step {
    fn walk<V: KeyedValue>(&self, at: V) -> Result<Option<V>, V::Error> {
        match at.shape() {
            Shape::Object => at.member(&self.name),
            Shape::List => self.index().map_or(Ok(None), |index| at.item(index)),
            Shape::Scalar => Ok(None),
        }
    }

    fn index(&self) -> Option<usize> {
        // One way to write a number only, so that `01` and `+1` are not second names of an item.
        self.name.parse().ok().filter(|index: &usize| !self.quoted && index.to_string() == self.name)
    }

    /// Returns whether it is the index of an item where it leads into a list.
    fn is_index(&self) -> bool {
        self.index().is_some()
    }

    /// Returns whether its name means something else, or nothing, without quotes.
    fn needs_quotes(&self) -> bool {
        let plain = Self { name: self.name.clone(), quoted: false };
        self.name.contains('.')
            || self.name.starts_with(['"', ' ', '\t'])
            || self.name.ends_with([' ', '\t'])
            || (self.quoted && plain.is_index())
    }
}

/// Cuts a text into its names.
fn steps(text: &str) -> Result<Vec<Step>, KeyPathError> {
    let mut steps = Vec::new();
    let mut rest = text;
    loop {
        let (step, behind) = if let Some(inside) = rest.strip_prefix('"') {
            let (name, behind) = quoted(inside)?;
            (Step { name, quoted: true }, behind)
        } else {
            let end = rest.find('.').unwrap_or(rest.len());
            (Step { name: rest[..end].to_owned(), quoted: false }, &rest[end..])
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

fn shown(steps: &[Step]) -> String {
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
                // One quoted name becomes the key itself.
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
