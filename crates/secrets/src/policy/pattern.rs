//! Patterns for references: `provider:path` or `provider:path#key`.
//!
//! * `*` and `?` match within one path segment, `**` as a whole segment crosses `/`, `[…]` is a class, `\` escapes the
//!   next character.
//! * `{project}`, `{namespace}`, `{app}` and `{env}` stand for the app's literal values. Only values with the form of
//!   Kubernetes names are used, which contain no glob characters (see [`is_name`]).
//! * `{a,b}` is a choice. The comma distinguishes the two: braces without one must be a variable. Variables may be used
//!   inside a choice, `{{project},shared}`, but not inside a class.
//!
//! A pattern with a variable that has no value allows nothing and denies everything. A pattern with a key allows
//! exactly that key, in the canonical text that references have. It denies everything that would reveal it: the key
//! with or without quotes, its containers, its content, and the whole value.

use std::borrow::Cow;
use std::collections::BTreeSet;

use globset::{GlobBuilder, GlobMatcher};
use percent_encoding::percent_decode_str;

use super::{PolicyError, PolicySubject};
use crate::placeholder::{DEFAULT_PROVIDER, SecretReference};
use crate::values::KeyPath;

/// Maximum length of a name: longer than any Kubernetes name, and than two of them joined by `_`.
const MAX_NAME: usize = 512;

/// A validated pattern of an operator file.
pub(crate) struct ReferencePattern {
    provider: PatternTemplate,
    path: PatternTemplate,
    key: Option<PatternTemplate>,
}

/// A pattern for one app.
#[expect(clippy::large_enum_variant, reason = "a run has only a handful of them")]
pub(super) enum BoundPattern {
    /// A variable has no value; only for `deny`.
    Everything,
    /// Globs for each part.
    Parts { provider: GlobMatcher, path: GlobMatcher, key: Option<Vec<GlobMatcher>> },
}

impl ReferencePattern {
    pub(super) fn new(rule: &str, whole: &str) -> Result<Self, PolicyError> {
        let no_provider = || PolicyError::NoProvider { rule: rule.to_owned(), pattern: whole.to_owned() };
        let (provider, rest) = whole.split_once(':').ok_or_else(no_provider)?;
        let (path, key) = rest.split_once('#').map_or((rest, None), |(path, key)| (path, Some(key)));
        if provider.is_empty() || provider == DEFAULT_PROVIDER {
            return Err(no_provider());
        }
        if let Some(key) = key {
            check_key(rule, whole, key)?;
        }
        let template = |part| PatternTemplate::new(rule, whole, part);
        Ok(Self { provider: template(provider)?, path: template(path)?, key: key.map(template).transpose()? })
    }

    /// Returns the pattern for `allow`, which matches exactly; `None` if a variable has no value.
    pub(super) fn to_allow(&self, subject: &PolicySubject) -> Option<BoundPattern> {
        let part = |template: &PatternTemplate| build_glob(&template.fill(subject)?, false).ok();
        Some(BoundPattern::Parts {
            provider: part(&self.provider)?,
            path: part(&self.path)?,
            key: match &self.key {
                None => None,
                Some(key) => Some(vec![part(key)?]),
            },
        })
    }

    /// Returns the pattern for `deny`, which matches broadly.
    pub(super) fn to_deny(&self, subject: &PolicySubject) -> BoundPattern {
        let part = |template: &PatternTemplate| build_glob(&template.fill(subject)?, true).ok();
        let parts = || {
            Some(BoundPattern::Parts {
                provider: part(&self.provider)?,
                path: part(&self.path)?,
                key: match &self.key {
                    None => None,
                    Some(key) => Some(with_ancestors(&without_quotes(&key.fill(subject)?))?),
                },
            })
        };
        parts().unwrap_or(BoundPattern::Everything)
    }
}

impl BoundPattern {
    /// Reports whether it matches exactly.
    pub(super) fn allows(&self, reference: &SecretReference) -> bool {
        let Self::Parts { provider, path, key } = self else { return false };
        provider.is_match(reference.provider.as_str())
            && path.is_match(&reference.path)
            && key.as_ref().is_none_or(|globs| {
                reference.key.as_ref().is_some_and(|key| globs.iter().any(|glob| glob.is_match(key)))
            })
    }

    /// Reports whether it matches any spelling.
    pub(super) fn denies(&self, reference: &SecretReference) -> bool {
        let Self::Parts { provider, path, key } = self else { return true };
        provider.is_match(reference.provider.as_str())
            && spellings(&reference.path).iter().any(|spelling| path.is_match(spelling))
            && key.as_ref().is_none_or(|globs| {
                let Some((own, ancestors)) = globs.split_first() else { return true };
                reference.key.as_ref().is_none_or(|key| {
                    // Both as written and as the names that it consists of.
                    [without_quotes(key), key_names(key)].iter().any(|key| {
                        ancestors.iter().any(|glob| glob.is_match(key))
                            || self_and_ancestors(key).any(|key| own.is_match(key))
                    })
                })
            })
    }
}

/// A glob with variables.
pub(super) struct PatternTemplate {
    pieces: Vec<PatternPiece>,
}

enum PatternPiece {
    Glob(String),
    Variable(PatternVariable),
}

#[derive(Clone, Copy)]
enum PatternVariable {
    App,
    Environment,
    Namespace,
    Project,
}

impl PatternVariable {
    const ALL: [(&'static str, Self); 4] = [
        ("{app}", Self::App),
        ("{env}", Self::Environment),
        ("{namespace}", Self::Namespace),
        ("{project}", Self::Project),
    ];

    fn value(self, subject: &PolicySubject) -> &str {
        match self {
            Self::App => &subject.app,
            Self::Environment => &subject.environment,
            Self::Namespace => &subject.namespace,
            Self::Project => &subject.project,
        }
    }
}

impl PatternTemplate {
    pub(super) fn new(rule: &str, whole: &str, part: &str) -> Result<Self, PolicyError> {
        let bad = |found: &str, why| PolicyError::BadVariable {
            rule: rule.to_owned(),
            pattern: whole.to_owned(),
            found: found.to_owned(),
            why,
        };
        let mut pieces = Vec::new();
        let (mut at, mut copied) = (0, 0);
        while let Some(rest) = part.get(at..).filter(|rest| !rest.is_empty()) {
            let class = class_length(rest);
            if let Some(class) = class {
                if let Some((word, _)) =
                    PatternVariable::ALL.iter().find(|(word, _)| rest[..class].contains(word))
                {
                    return Err(bad(word, "is not allowed in a class `[…]`"));
                }
                at += class;
            } else if let Some((word, variable)) =
                PatternVariable::ALL.iter().find(|(word, _)| rest.starts_with(word))
            {
                pieces.push(PatternPiece::Glob(part[copied..at].to_owned()));
                pieces.push(PatternPiece::Variable(*variable));
                at += word.len();
                copied = at;
            } else if let Some(word) = braces_without_comma(rest) {
                return Err(bad(word, "is not a known variable"));
            } else {
                let escaped = usize::from(rest.starts_with('\\'));
                at += rest.chars().take(1 + escaped).map(char::len_utf8).sum::<usize>();
            }
        }
        pieces.push(PatternPiece::Glob(part[copied..].to_owned()));
        let template = Self { pieces };
        // Any name works: all names are alike to a glob.
        compile_glob(rule, whole, &template.join(|_| "x"), false)?;
        Ok(template)
    }

    /// Returns the glob for one app; `None` if a variable has no value.
    pub(super) fn fill(&self, subject: &PolicySubject) -> Option<String> {
        let fits = |piece: &PatternPiece| match piece {
            PatternPiece::Glob(_) => true,
            PatternPiece::Variable(variable) => is_name(variable.value(subject)),
        };
        self.pieces.iter().all(fits).then(|| self.join(|variable| variable.value(subject)))
    }

    fn join<'a>(&'a self, value: impl Fn(PatternVariable) -> &'a str) -> String {
        let text = |piece: &'a PatternPiece| match piece {
            PatternPiece::Glob(glob) => glob.as_str(),
            PatternPiece::Variable(variable) => value(*variable),
        };
        self.pieces.iter().map(text).collect()
    }
}

/// Reports whether a text can be the value of a variable: ASCII letters and digits, and `-`, `_`, `.` between them, as
/// in names of Argo CD and Kubernetes. None of these is special in a glob outside a class, or moves up or down a path.
fn is_name(text: &str) -> bool {
    text.len() <= MAX_NAME
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        && !text.contains("..")
}

/// Returns the length of the class that a glob starts with; an unclosed one is left to the glob library.
fn class_length(glob: &str) -> Option<usize> {
    let inside = glob.strip_prefix('[')?;
    let inside = inside.strip_prefix(['!', '^']).unwrap_or(inside);
    // A `]` at the start is literal.
    let first = inside.chars().next()?.len_utf8();
    let end = inside.get(first..)?.find(']')?;
    Some(glob.len() - inside.len() + first + end + 1)
}

/// Returns the braces that a glob starts with, unless they contain a comma at their top level.
fn braces_without_comma(glob: &str) -> Option<&str> {
    if !glob.starts_with('{') {
        return None;
    }
    let mut depth = 0_usize;
    for (at, c) in glob.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return glob.get(..=at),
            '}' => depth -= 1,
            ',' if depth == 1 => return None,
            _ if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// Compiles a glob without variables.
pub(super) fn compile_plain_glob(rule: &str, pattern: &str) -> Result<GlobMatcher, PolicyError> {
    check_no_variables(rule, pattern)?;
    compile_glob(rule, pattern, pattern, false)
}

/// Refuses variables where they are not supported.
pub(super) fn check_no_variables(rule: &str, pattern: &str) -> Result<(), PolicyError> {
    let template = PatternTemplate::new(rule, pattern, pattern)?;
    match template.pieces.as_slice() {
        [PatternPiece::Glob(_)] => Ok(()),
        _ => Err(PolicyError::BadVariable {
            rule: rule.to_owned(),
            pattern: pattern.to_owned(),
            found: "{…}".to_owned(),
            why: "is supported only in `allow`, `deny` and `secretNamespaces`",
        }),
    }
}

pub(super) fn compile_glob(
    rule: &str,
    whole: &str,
    text: &str,
    any_case: bool,
) -> Result<GlobMatcher, PolicyError> {
    build_glob(text, any_case).map_err(|error| PolicyError::BadGlob {
        rule: rule.to_owned(),
        pattern: whole.to_owned(),
        why: error.kind().to_string(),
    })
}

pub(super) fn build_glob(text: &str, any_case: bool) -> Result<GlobMatcher, globset::Error> {
    let mut builder = GlobBuilder::new(text);
    builder.literal_separator(true).backslash_escape(true).case_insensitive(any_case);
    builder.build().map(|glob| glob.compile_matcher())
}

/// Refuses a key whose quotes no reference can have: it would match nothing.
fn check_key(rule: &str, whole: &str, key: &str) -> Result<(), PolicyError> {
    let bad = |why: String| PolicyError::BadKey { rule: rule.to_owned(), pattern: whole.to_owned(), why };
    let path = KeyPath::parse(key).map_err(|error| bad(error.to_string()))?;
    if path.exact().is_some() {
        return Ok(());
    }
    match path.into_canonical() {
        canonical if canonical == key => Ok(()),
        canonical => Err(bad(format!("is written `{canonical}` in references"))),
    }
}

fn without_quotes(key: &str) -> String {
    key.replace('"', "")
}

/// Returns the names of a key, joined by dots, without quotes and escapes.
fn key_names(key: &str) -> String {
    let names =
        KeyPath::parse(key).map(|path| path.names().map(|(name, _)| name).collect::<Vec<_>>().join("."));
    names
        .ok()
        .filter(|names| !names.is_empty())
        .map_or_else(|| without_quotes(key), |names| without_quotes(&names))
}

/// Returns globs for a key, first, and for its ancestors: `a.b` and `a`. `None` if a glob cannot be split like this.
fn with_ancestors(key: &str) -> Option<Vec<GlobMatcher>> {
    self_and_ancestors(key).map(|key| build_glob(key, true).ok()).collect()
}

/// Returns a key and its ancestors: `a.b.c`, `a.b`, `a`.
fn self_and_ancestors(key: &str) -> impl Iterator<Item = &str> {
    let ancestors = key.match_indices(['.', '/', '[']).filter_map(|(at, _)| key.get(..at));
    std::iter::once(key).chain(ancestors.filter(|ancestor| !ancestor.is_empty()))
}

/// Returns the spellings of a path that a source could treat as equal, including the path itself.
fn spellings(path: &str) -> BTreeSet<String> {
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    let mut all = BTreeSet::from([path.to_owned()]);
    for spelling in [Cow::Borrowed(path), decoded] {
        for name in arn_names(&spelling).into_iter().chain([spelling.as_ref()]) {
            let segments = name.split(['/', '\\']).map(str::trim);
            let plain: Vec<&str> =
                segments.filter(|segment| !segment.is_empty() && *segment != ".").collect();
            let plain = plain.join("/");
            all.insert(format!("/{plain}"));
            all.insert(plain);
        }
    }
    all
}

/// Returns the names of an AWS secret or parameter in its ARN: with and without the six random characters that Secrets
/// Manager appends.
fn arn_names(path: &str) -> Vec<&str> {
    let fields: Vec<&str> = path.splitn(6, ':').collect();
    let ["arn", _, service, _, _, resource] = fields[..] else { return Vec::new() };
    let Some(name) = (match service {
        "secretsmanager" => resource.strip_prefix("secret:"),
        "ssm" => resource.strip_prefix("parameter"),
        _ => None,
    }) else {
        return Vec::new();
    };
    let without_suffix = name.rsplit_once('-').filter(|(_, suffix)| suffix.len() == 6);
    std::iter::once(name).chain(without_suffix.map(|(name, _)| name)).collect()
}
