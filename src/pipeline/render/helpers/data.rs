//! Helpers for lists and objects, and for YAML and JSON.

#![expect(clippy::unnecessary_wraps, reason = "all helpers have one signature, whether they can fail or not")]

use serde_json::{Map, Value as Json};

use super::{Call, text};
use crate::model::Sources;
use crate::pipeline::render::errors::TemplateFault;
use crate::pipeline::render::written::{self, AsJson};
use crate::yaml;

type Answer = Result<Json, TemplateFault>;
type Pick<'a> = Result<&'a Json, TemplateFault>;

/// `dict key value …`
pub(super) fn dict(call: &Call<'_>) -> Answer {
    let mut fields = Map::new();
    for (index, pair) in call.values().chunks(2).enumerate() {
        let at = index.saturating_mul(2);
        let [_, value] = pair else {
            return Err(call.wrong(at, "it is a key without a value"));
        };
        fields.insert(call.text(at)?, (*value).clone());
    }
    Ok(Json::Object(fields))
}

/// `list a b …`
pub(super) fn list(call: &Call<'_>) -> Answer {
    Ok(call.values().iter().map(|value| (*value).clone()).collect::<Vec<_>>().into())
}

/// `get object key`: null where there is no such key.
pub(super) fn get<'a>(call: &Call<'a>) -> Pick<'a> {
    Ok(call.object(0)?.get(&call.text(1)?).unwrap_or(&Json::Null))
}

/// `hasKey object key`: also of an object that is undefined.
pub(super) fn has_key(call: &Call<'_>) -> Answer {
    if call.read(0).is_null() {
        return Ok(false.into());
    }
    Ok(call.object(0)?.contains_key(&call.text(1)?).into())
}

/// `keys object`, sorted.
pub(super) fn keys(call: &Call<'_>) -> Answer {
    let mut keys: Vec<&String> = call.object(0)?.keys().collect();
    keys.sort();
    Ok(keys.into_iter().cloned().collect::<Vec<_>>().into())
}

/// `first list`
pub(super) fn first<'a>(call: &Call<'a>) -> Pick<'a> {
    Ok(call.list(0)?.first().unwrap_or(&Json::Null))
}

/// `last list`
pub(super) fn last<'a>(call: &Call<'a>) -> Pick<'a> {
    Ok(call.list(0)?.last().unwrap_or(&Json::Null))
}

/// `len value`: items, keys or characters.
pub(super) fn len(call: &Call<'_>) -> Answer {
    match call.read(0) {
        Json::Array(items) => Ok(items.len().into()),
        Json::Null => Ok(0.into()),
        Json::Object(fields) => Ok(fields.len().into()),
        Json::String(text) => Ok(text.chars().count().into()),
        Json::Bool(_) | Json::Number(_) => Err(call.wrong(0, "it has no length")),
    }
}

/// `join separator list`
pub(super) fn join(call: &Call<'_>) -> Answer {
    let (separator, items) = (call.text(0)?, text::items(call, 1)?);
    let bytes: usize = items.iter().map(String::len).sum();
    call.room(separator.len().saturating_mul(items.len()).saturating_add(bytes))?;
    Ok(items.join(&separator).into())
}

/// `split separator text`: a list.
pub(super) fn split(call: &Call<'_>) -> Answer {
    let (separator, text) = (call.text(0)?, call.text(1)?);
    Ok(text.split(separator.as_str()).map(Json::from).collect::<Vec<_>>().into())
}

/// `sortAlpha list`
pub(super) fn sort_alpha(call: &Call<'_>) -> Answer {
    let mut items = text::items(call, 0)?;
    items.sort();
    Ok(items.into())
}

/// `toJson value`
pub(super) fn to_json(call: &Call<'_>) -> Answer {
    serde_json::to_string(&AsJson(call.value(0)))
        .map(Json::from)
        .map_err(|_| call.wrong(0, "it cannot be written"))
}

/// `toPrettyJson value`
pub(super) fn to_pretty_json(call: &Call<'_>) -> Answer {
    serde_json::to_string_pretty(&AsJson(call.value(0)))
        .map(Json::from)
        .map_err(|_| call.wrong(0, "it cannot be written"))
}

/// `toYaml value`, as Kubernetes reads it and without a line break at its end.
pub(super) fn to_yaml(call: &Call<'_>) -> Answer {
    let source = Sources::default().add("toYaml");
    let (node, texts) = written::to_node(call.value(0), source);
    let mut text = Vec::new();
    yaml::write_yaml_as_written(&node, &texts, &mut text);
    let text = String::from_utf8(text).map_err(|_| call.wrong(0, "it cannot be written"))?;
    // It goes into a document, so the mark that starts one must go.
    Ok(text.strip_prefix("---\n").unwrap_or(&text).trim_end_matches('\n').into())
}

/// `fromJson text`
pub(super) fn from_json(call: &Call<'_>) -> Answer {
    serde_json::from_str(&call.text(0)?).map_err(|_| call.wrong(0, "it is not JSON"))
}

/// `fromYaml text`: one document.
pub(super) fn from_yaml(call: &Call<'_>) -> Answer {
    let source = Sources::default().add("fromYaml");
    let (documents, texts) = yaml::read_written(call.text(0)?.as_bytes(), source, &yaml::Limits::default())
        .map_err(|_| call.wrong(0, "it is not YAML"))?;
    match documents.as_slice() {
        [] => Ok(Json::Null),
        [document] => Ok(written::of_node(document, &texts)),
        _ => Err(call.wrong(0, "it holds several documents")),
    }
}
