//! Parameters of Helm (`--set`) as values: paths with dots, indices and escapes, and typed texts.

use serde_json::{Map, Value as Json};

/// The largest index of a list, as in Helm.
const MAX_INDEX: usize = 65_536;
/// The most parts of a path.
const MAX_PARTS: usize = 64;

/// A part of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PathPart {
    Key(String),
    Index(usize),
}

/// Parses the name of a parameter; `None` if Helm would not read it as one path.
pub(crate) fn parse_path(name: &str) -> Option<Vec<PathPart>> {
    let mut parts = Vec::new();
    let mut key = String::new();
    let mut has_key = false;
    let mut chars = name.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                key.push(chars.next()?);
                has_key = true;
            }
            '.' => finish(&mut key, &mut has_key, &mut parts)?,
            '[' => {
                if has_key {
                    finish(&mut key, &mut has_key, &mut parts)?;
                } else if !matches!(parts.last(), Some(PathPart::Index(_))) {
                    return None;
                }
                let index: String = chars.by_ref().take_while(|c| *c != ']').collect();
                parts.push(PathPart::Index(index.parse().ok().filter(|index| *index <= MAX_INDEX)?));
            }
            ',' | '=' => return None,
            _ => {
                key.push(c);
                has_key = true;
            }
        }
    }
    if has_key {
        finish(&mut key, &mut has_key, &mut parts)?;
    }
    (!parts.is_empty() && parts.len() <= MAX_PARTS && !name.ends_with('.')).then_some(parts)
}

/// Ends a key. A dot behind an index ends nothing.
fn finish(key: &mut String, has_key: &mut bool, parts: &mut Vec<PathPart>) -> Option<()> {
    if *has_key {
        parts.push(PathPart::Key(std::mem::take(key)));
        *has_key = false;
        return Some(());
    }
    matches!(parts.last(), Some(PathPart::Index(_))).then_some(())
}

/// Parses the text of a parameter as Helm does; Argo CD escapes its commas, except in `{…}`.
pub(crate) fn parse_value(text: &str, is_string: bool) -> Json {
    let list = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    match list {
        Some("") => Json::Array(Vec::new()),
        Some(list) => split_list(list).iter().map(|item| typed(&unescape(item), is_string)).collect(),
        None => typed(&unescape(text), is_string),
    }
}

fn split_list(list: &str) -> Vec<String> {
    let mut items = vec![String::new()];
    let mut is_escaped = false;
    for c in list.chars() {
        if c == ',' && !is_escaped {
            items.push(String::new());
        } else if let Some(item) = items.last_mut() {
            item.push(c);
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    items
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    out
}

fn typed(text: &str, is_string: bool) -> Json {
    match text {
        _ if is_string => text.into(),
        "true" => true.into(),
        "false" => false.into(),
        "null" => Json::Null,
        "0" => 0.into(),
        _ if text.starts_with('0') => text.into(),
        _ => text.parse::<i64>().map_or_else(|_| text.into(), Json::from),
    }
}

/// Sets a value. A list is changed only if `values` has it: otherwise its other items may be in a value file.
///
/// # Errors
/// The path needs a list that `values` does not have, or something else is in its place.
pub(crate) fn set(
    values: &mut Map<String, Json>,
    path: &[PathPart],
    value: Json,
    may_create_lists: bool,
) -> Result<(), &'static str> {
    const IN_LIST: &str = "it changes an item of a list that may be in a value file";
    let [PathPart::Key(first), rest @ ..] = path else { return Err("its path does not start with a name") };
    let mut at = values.entry(first.clone()).or_insert(Json::Null);
    for part in rest {
        match part {
            PathPart::Key(key) => {
                if !at.is_object() {
                    *at = Map::new().into();
                }
                let Some(map) = at.as_object_mut() else { return Err(IN_LIST) };
                at = map.entry(key.clone()).or_insert(Json::Null);
            }
            PathPart::Index(index) => {
                if !at.is_array() {
                    if !may_create_lists {
                        return Err(IN_LIST);
                    }
                    *at = Json::Array(Vec::new());
                }
                let Some(list) = at.as_array_mut() else { return Err(IN_LIST) };
                if list.len() <= *index {
                    list.resize(index.saturating_add(1), Json::Null);
                }
                let Some(item) = list.get_mut(*index) else { return Err(IN_LIST) };
                at = item;
            }
        }
    }
    *at = value;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn set_all(parameters: &[(&str, &str)]) -> Json {
        let mut values = Map::new();
        for (name, value) in parameters {
            set(&mut values, &parse_path(name).unwrap(), parse_value(value, false), true).unwrap();
        }
        values.into()
    }

    /// The results are those of `helm template --set`.
    #[test]
    fn parameters_mean_what_they_mean_to_helm() {
        for (name, value, values) in [
            ("a", "1", json!({"a": 1})),
            ("a", "01", json!({"a": "01"})),
            ("a", "0", json!({"a": 0})),
            ("a", "1.5", json!({"a": "1.5"})),
            ("a", "true", json!({"a": true})),
            ("a", "null", json!({"a": null})),
            ("a", "", json!({"a": ""})),
            ("a.b.c", "x", json!({"a": {"b": {"c": "x"}}})),
            (r"a\.b", "x", json!({"a.b": "x"})),
            (r"n.kubernetes\.io/arch", "amd64", json!({"n": {"kubernetes.io/arch": "amd64"}})),
            ("a", "{x,2}", json!({"a": ["x", 2]})),
            ("a", "{}", json!({"a": []})),
            ("a", r"x\,y", json!({"a": "x,y"})),
            ("a[1].b", "x", json!({"a": [null, {"b": "x"}]})),
            ("a[0][1]", "x", json!({"a": [[null, "x"]]})),
        ] {
            assert_eq!(set_all(&[(name, value)]), values, "{name}={value}");
        }
        assert_eq!(parse_value("1", true), json!("1"));
        assert_eq!(set_all(&[("a.b", "1"), ("a.c", "2")]), json!({"a": {"b": 1, "c": 2}}));
    }

    #[test]
    fn hostile_names_are_refused() {
        let long = "a.".repeat(100) + "a";
        for name in ["", ".", "a.", "[0]", "a[99999999]", "a[x]", "a,b", "a=b", "a..b", &long] {
            assert_eq!(parse_path(name), None, "{name}");
        }
    }

    #[test]
    fn items_of_lists_in_value_files_are_not_guessed() {
        let path = parse_path("a[0]").unwrap();
        assert!(set(&mut Map::new(), &path, json!(1), false).is_err());
    }
}
