//! Placeholders outside a Secret's data, where they are not allowed.
//!
//! Other languages' `<x:y>` are common there: `<env:Body>` in SOAP, `<file:line>` in a usage text, `<path:rest>` in a
//! route. So only the form of a real reference counts:
//!
//! * the provider is known to the caller, and a `>` closes the placeholder on its line;
//! * after the provider comes a `#key`, or a path with a dot or a slash and without blanks. For `path`, which
//!   argocd-vault-plugin never uses without a key, only the `#key` counts. References of `env` never have either, so a
//!   name in upper case counts: `<env:DB_PASSWORD>`;
//! * a path that starts with `//` belongs to a URL, a slash at its end to an empty XML element, and quotes and `=` to
//!   an element's attributes, except for the quotes of a valid key (`#"a.b".c`).
//!
//! Within Secrets, the whole grammar of [`super::PlaceholderText`] applies instead.

use std::ops::Range;

use memchr::memchr_iter;

use super::DEFAULT_PROVIDER;
use super::parser::{count_brackets, is_generic_placeholder, provider_name};
use crate::values::KeyPath;

/// Yields the byte ranges of the brackets before each text that has the form of a placeholder of a known provider; an
/// even number of brackets means that it is escaped.
///
/// With `generic`, argocd-vault-plugin's `<key>` counts as well.
pub fn suspected_placeholders<'a>(
    source: &'a str,
    generic: bool,
    known: impl Fn(&str) -> bool + 'a,
) -> impl Iterator<Item = Range<usize>> + 'a {
    let mut behind = 0;
    memchr_iter(b'<', source.as_bytes()).filter_map(move |start| {
        if start < behind {
            return None;
        }
        let end = start + count_brackets(&source[start..]);
        behind = end;
        let rest = &source[end..];
        let suspect = generic && is_generic_placeholder(rest) || is_reference(rest, &known);
        suspect.then_some(start..end)
    })
}

/// Reports whether the text after a `<` has the form of a reference of a known provider.
fn is_reference(rest: &str, known: &impl Fn(&str) -> bool) -> bool {
    let Some(name) = provider_name(rest) else { return false };
    let body = &rest[name.len() + 1..];
    let Some(stop) = body.find(['<', '>', '\n', '\r']) else { return false };
    let closed = body[stop..].starts_with('>');
    let reference = body[..stop].split('|').next().unwrap_or_default();
    closed && has_reference_shape(name, reference) && known(name)
}

fn has_reference_shape(provider: &str, reference: &str) -> bool {
    let (path, key) = match reference.split_once('#') {
        Some((path, key)) => (path.trim(), key.trim_matches(['#', ' ', '\t'])),
        None => (reference.trim(), ""),
    };
    let is_variable = provider == "env" && is_upper_case_name(path);
    let is_path = path.trim_end_matches('/').contains(['.', '/']) || is_variable;
    let has_blank = path.contains([' ', '\t']);
    if path.is_empty() || path.starts_with("//") || is_attribute(path) || !is_key(key) && is_attribute(key) {
        false
    } else if key.is_empty() {
        is_path && !has_blank && provider != DEFAULT_PROVIDER
    } else {
        is_path || !has_blank
    }
}

/// Reports whether a text contains characters of XML attributes.
fn is_attribute(text: &str) -> bool {
    text.contains(['"', '\'', '='])
}

/// Reports whether a text is a valid key with quoted names.
fn is_key(key: &str) -> bool {
    let key = key.split('#').next().unwrap_or_default().trim_end();
    KeyPath::parse(key).is_ok_and(|path| path.exact().is_none())
}

/// Reports whether a text has the form of an environment variable's name.
fn is_upper_case_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}
