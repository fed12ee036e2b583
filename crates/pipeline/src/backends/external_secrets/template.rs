//! Go templates, as the operator's engine `v2` reads them. Only actions of our own making ever get into one.

use std::fmt::Write as _;

use sealwave_secrets::placeholder::Encoder;

/// Writes text that stands for itself. `before_action` says that an action follows directly.
///
/// Braces that could open an action go into an action of their own: two in a row, and one right before an action, which
/// would be read as the first of three.
pub(super) fn literal(out: &mut String, text: &str, before_action: bool) {
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        let (before, braces) = rest.split_at(start);
        let count = braces.len() - braces.trim_start_matches('{').len();
        let (braces, behind) = braces.split_at(count);
        out.push_str(before);
        if count > 1 || (before_action && behind.is_empty()) {
            // Writing to a string cannot fail.
            let _ = write!(out, "{{{{ \"{braces}\" }}}}");
        } else {
            out.push_str(braces);
        }
        rest = behind;
    }
    out.push_str(rest);
}

/// Writes the action that puts a value in.
pub(super) fn action(out: &mut String, number: usize, filters: &[&'static str]) {
    let _ = write!(out, "{{{{ .r{number}");
    for filter in filters {
        let _ = write!(out, " | {filter}");
    }
    out.push_str(" }}");
}

/// Returns what does in a template what an encoder does here; `None` where nothing does exactly that.
///
/// Of sprig's functions: `b64dec` is not used anywhere since it answers bad input with an error text, which would become
/// the secret; `toRawJson` is, since `toJson` writes `<`, `>` and `&` as escapes; `trimAll` with ASCII's white space,
/// since `trim` takes all of Unicode's.
pub(super) const fn filter(encoder: &Encoder) -> Option<&'static str> {
    Some(match encoder {
        Encoder::Base64 => "b64enc",
        Encoder::Json => "toRawJson",
        Encoder::Sha256 => "sha256sum",
        Encoder::UrlEncode => r#"urlquery | replace "+" "%20""#,
        Encoder::Indent(_) | Encoder::JsonTemplate(_) => return None,
    })
}

/// What does the same as [`sealwave_secrets::placeholder::Decoder::Trim`].
pub(super) const TRIM: &str = r#"trimAll " \t\n\v\f\r""#;
