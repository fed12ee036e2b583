//! Helpers that transform text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

use super::call::HelperCall;
use crate::render::fault::RenderFault;
use crate::render::spelling;

type HelperResult = Result<Json, RenderFault>;

/// Implements `b64enc text`.
pub(super) fn b64enc(call: &HelperCall<'_>) -> HelperResult {
    Ok(STANDARD.encode(call.text(0)?).into())
}

/// Implements `b64dec text`; the result must be UTF-8.
pub(super) fn b64dec(call: &HelperCall<'_>) -> HelperResult {
    let bytes = STANDARD
        .decode(call.text(0)?.trim())
        .map_err(|_| call.argument_fault(0, "text is not valid base64"))?;
    String::from_utf8(bytes)
        .map(Json::from)
        .map_err(|_| call.argument_fault(0, "text does not decode to UTF-8"))
}

/// Implements `cat a b …`: joins the texts with spaces.
pub(super) fn cat(call: &HelperCall<'_>) -> HelperResult {
    let texts = texts(call, 0)?;
    call.check_size(texts.iter().map(|text| text.len().saturating_add(1)).sum())?;
    Ok(texts.join(" ").into())
}

/// Implements `contains part text`.
pub(super) fn contains(call: &HelperCall<'_>) -> HelperResult {
    Ok(call.text(1)?.contains(&call.text(0)?).into())
}

/// Implements `hasPrefix prefix text`.
pub(super) fn has_prefix(call: &HelperCall<'_>) -> HelperResult {
    Ok(call.text(1)?.starts_with(&call.text(0)?).into())
}

/// Implements `hasSuffix suffix text`.
pub(super) fn has_suffix(call: &HelperCall<'_>) -> HelperResult {
    Ok(call.text(1)?.ends_with(&call.text(0)?).into())
}

/// Implements `indent width text`: indents each line with spaces.
pub(super) fn indent(call: &HelperCall<'_>) -> HelperResult {
    let (width, text) = (call.count(0)?, call.text(1)?);
    let lines = text.split('\n').count();
    let bytes = width.saturating_mul(lines).saturating_add(text.len());
    call.check_size(bytes)?;
    let mut indented = String::with_capacity(bytes);
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            indented.push('\n');
        }
        indented.extend(std::iter::repeat_n(' ', width));
        indented.push_str(line);
    }
    Ok(indented.into())
}

/// Implements `nindent width text`: a line break followed by the result of `indent`.
pub(super) fn nindent(call: &HelperCall<'_>) -> HelperResult {
    let indented = indent(call)?;
    Ok(format!("\n{}", indented.as_str().unwrap_or_default()).into())
}

/// Implements `lower text`.
pub(super) fn lower(call: &HelperCall<'_>) -> HelperResult {
    Ok(call.text(0)?.to_lowercase().into())
}

/// Implements `upper text`.
pub(super) fn upper(call: &HelperCall<'_>) -> HelperResult {
    Ok(call.text(0)?.to_uppercase().into())
}

/// Implements `printf format a …` with `%s`, `%d`, `%v`, `%q` and `%%`.
pub(super) fn printf(call: &HelperCall<'_>) -> HelperResult {
    let format = call.text(0)?;
    let mut arguments = (1..call.values().len()).peekable();
    let mut text = String::new();
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            text.push(character);
            continue;
        }
        let verb = characters.next();
        if verb == Some('%') {
            text.push('%');
            continue;
        }
        let index = arguments.next().ok_or_else(|| call.argument_fault(0, "format needs more arguments"))?;
        match verb {
            Some('d') => text.push_str(&call.integer(index)?.to_string()),
            Some('q') => {
                let value = call.text(index)?;
                call.check_size(text.len().saturating_add(quoted_length(&value)))?;
                text.push_str(&quoted(&value));
            }
            Some('s' | 'v') => text.push_str(&call.text(index)?),
            _ => return Err(call.argument_fault(0, "format supports only `%s`, `%d`, `%v`, `%q` and `%%`")),
        }
        call.check_size(text.len())?;
    }
    if arguments.peek().is_some() {
        return Err(call.argument_fault(0, "format needs fewer arguments"));
    }
    Ok(text.into())
}

/// Implements `quote a …`: double quotes, valid in YAML and JSON.
pub(super) fn quote(call: &HelperCall<'_>) -> HelperResult {
    for text in texts(call, 0)? {
        call.check_size(quoted_length(&text))?;
    }
    Ok(texts(call, 0)?.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(" ").into())
}

/// Implements `squote a …`: single quotes, valid in YAML.
pub(super) fn squote(call: &HelperCall<'_>) -> HelperResult {
    let texts = texts(call, 0)?;
    if let Some(index) = texts.iter().position(|text| text.contains(['\n', '\r'])) {
        return Err(call.argument_fault(index, "single-quoted text cannot contain a line break; use `quote`"));
    }
    let quotes: usize = texts.iter().map(|text| text.matches('\'').count()).sum();
    call.check_size(texts.iter().map(String::len).sum::<usize>().saturating_add(quotes))?;
    Ok(texts
        .iter()
        .map(|text| format!("'{}'", text.replace('\'', "''")))
        .collect::<Vec<_>>()
        .join(" ")
        .into())
}

/// Implements `repeat count text`.
pub(super) fn repeat(call: &HelperCall<'_>) -> HelperResult {
    let (count, text) = (call.count(0)?, call.text(1)?);
    call.check_size(count.saturating_mul(text.len()))?;
    Ok(text.repeat(count).into())
}

/// Implements `replace old new text`.
pub(super) fn replace(call: &HelperCall<'_>) -> HelperResult {
    let (old, new, text) = (call.text(0)?, call.text(1)?, call.text(2)?);
    let found = text.matches(&old).count();
    call.check_size(found.saturating_mul(new.len()).saturating_add(text.len()))?;
    Ok(text.replace(&old, &new).into())
}

/// Implements `toString value`.
pub(super) fn to_string(call: &HelperCall<'_>) -> HelperResult {
    Ok(call.text(0)?.into())
}

/// Implements `trim text`.
pub(super) fn trim(call: &HelperCall<'_>) -> HelperResult {
    Ok(call.text(0)?.trim().into())
}

/// Implements `trimPrefix prefix text`.
pub(super) fn trim_prefix(call: &HelperCall<'_>) -> HelperResult {
    let (prefix, text) = (call.text(0)?, call.text(1)?);
    Ok(text.strip_prefix(&prefix).unwrap_or(&text).into())
}

/// Implements `trimSuffix suffix text`.
pub(super) fn trim_suffix(call: &HelperCall<'_>) -> HelperResult {
    let (suffix, text) = (call.text(0)?, call.text(1)?);
    Ok(text.strip_suffix(&suffix).unwrap_or(&text).into())
}

/// Implements `trunc length text`: keeps the first characters, or the last ones if the length is negative.
pub(super) fn trunc(call: &HelperCall<'_>) -> HelperResult {
    let (length, text) = (call.integer(0)?, call.text(1)?);
    let wanted = usize::try_from(length.unsigned_abs()).unwrap_or(usize::MAX);
    let skipped = if length < 0 { text.chars().count().saturating_sub(wanted) } else { 0 };
    Ok(text.chars().skip(skipped).take(wanted).collect::<String>().into())
}

fn texts(call: &HelperCall<'_>, from: usize) -> Result<Vec<String>, RenderFault> {
    (from..call.values().len()).map(|index| call.text(index)).collect()
}

fn quoted(text: &str) -> String {
    Json::from(text).to_string()
}

/// Returns the maximum size of a quoted text in bytes; an escape takes up to six.
fn quoted_length(text: &str) -> usize {
    let escaped = text.bytes().filter(|byte| byte.is_ascii_control() || matches!(byte, b'"' | b'\\')).count();
    text.len().saturating_add(escaped.saturating_mul(5)).saturating_add(2)
}

/// Returns the texts of a list's items.
pub(super) fn items(call: &HelperCall<'_>, index: usize) -> Result<Vec<String>, RenderFault> {
    call.list(index)?
        .iter()
        .map(|item| {
            let text = spelling::text(item).map(std::borrow::Cow::into_owned);
            text.ok_or_else(|| call.argument_fault(index, "list item is not a scalar"))
        })
        .collect()
}
