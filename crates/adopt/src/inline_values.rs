//! The inline values of an Application: `valuesObject` or `values`, then `parameters` and `fileParameters` over them.
//!
//! Texts that look like credentials are left out. Only their keys are named.

use std::path::Path;

use serde_json::{Map, Value as Json};

use crate::gap::AdoptionGap;
use crate::set_syntax::{parse_path, parse_value, set};
use sealwave_core::diagnostic::Note;
use sealwave_core::document::{Node, Sources};
use sealwave_core::yaml;
use sealwave_validate::rules::may_be_credential;

/// The largest file whose content is copied.
const MAX_COPIED: usize = 16 << 10;

/// Reads the inline values of `helm`. `read` returns the text of a file of `fileParameters`.
pub(crate) fn read(
    helm: &Node,
    has_value_files: bool,
    read: &mut dyn FnMut(&Path) -> Option<String>,
    left: &mut dyn FnMut(&AdoptionGap) -> Note,
) -> (Map<String, Json>, Vec<Note>) {
    let mut notes = Vec::new();
    let mut values = whole_values(helm);
    for parameter in helm.items_at(&["parameters"]) {
        if let Err((name, reason)) = add_parameter(&mut values, parameter, has_value_files) {
            notes.push(left(&AdoptionGap::Parameter { name, reason }));
        }
    }
    for parameter in helm.items_at(&["fileParameters"]) {
        if let Err((name, reason)) = add_file(&mut values, parameter, has_value_files, read) {
            notes.push(left(&AdoptionGap::FileParameter { name, reason }));
        }
    }
    let mut found = Credentials::default();
    let mut path = Vec::new();
    values.retain(|key, value| found.keeps(key, value, &mut path));
    notes.extend(found.0.into_iter().map(|key| left(&AdoptionGap::Credential { key })));
    (values, notes)
}

/// Returns `valuesObject`, or else the mapping in the text `values`.
fn whole_values(helm: &Node) -> Map<String, Json> {
    let object = helm.get("valuesObject").filter(|object| !object.entries().is_empty()).map(Node::to_json);
    let text = || {
        let text = helm.get("values")?.as_str()?;
        let source = Sources::default().add("values");
        let documents = yaml::read(text.as_bytes(), source, &yaml::Limits::default()).ok()?;
        documents.first().map(Node::to_json)
    };
    match object.or_else(text) {
        Some(Json::Object(map)) => map,
        _ => Map::new(),
    }
}

type Unset = (String, &'static str);

fn text_of(node: &Node, key: &str) -> String {
    node.get(key).and_then(Node::as_str).unwrap_or_default().to_owned()
}

fn add_parameter(
    values: &mut Map<String, Json>,
    parameter: &Node,
    has_value_files: bool,
) -> Result<(), Unset> {
    let name = text_of(parameter, "name");
    let text = text_of(parameter, "value");
    if text.contains('$') {
        return Err((name, "Argo CD fills in a variable"));
    }
    let is_string = parameter.get("forceString").is_some_and(|flag| flag.to_json() == Json::Bool(true));
    set_named(values, name, parse_value(&text, is_string), has_value_files)
}

fn add_file(
    values: &mut Map<String, Json>,
    parameter: &Node,
    has_value_files: bool,
    read: &mut dyn FnMut(&Path) -> Option<String>,
) -> Result<(), Unset> {
    let name = text_of(parameter, "name");
    let text = read(Path::new(&text_of(parameter, "path")));
    match text {
        None => Err((name, "its file cannot be read in this repository")),
        Some(text) if text.len() > MAX_COPIED => Err((name, "its file is too large to be copied")),
        Some(text) => set_named(values, name, text.into(), has_value_files),
    }
}

fn set_named(
    values: &mut Map<String, Json>,
    name: String,
    value: Json,
    has_value_files: bool,
) -> Result<(), Unset> {
    let Some(path) = parse_path(&name) else {
        return Err((name, "its name is not one path"));
    };
    let mut changed = values.clone();
    set(&mut changed, &path, value, !has_value_files).map_err(|reason| (name, reason))?;
    *values = changed;
    Ok(())
}

/// The paths of texts that look like credentials.
#[derive(Default)]
struct Credentials(Vec<String>);

impl Credentials {
    /// Removes such texts below a value. Reports whether the value itself can stay.
    fn keeps(&mut self, key: &str, value: &mut Json, path: &mut Vec<String>) -> bool {
        path.push(key.to_owned());
        let is_kept = match value {
            Json::Object(map) => {
                map.retain(|key, value| self.keeps(key, value, path));
                true
            }
            Json::Array(items) => {
                // Without one of its items, a list would be another one.
                let before = self.0.len();
                for item in items.iter_mut() {
                    self.keeps_item(key, item, path);
                }
                before == self.0.len()
            }
            Json::String(text) => self.keeps_text(key, text, path),
            Json::Number(number) => self.keeps_text(key, &number.to_string(), path),
            Json::Bool(_) | Json::Null => true,
        };
        path.pop();
        is_kept
    }

    fn keeps_item(&mut self, key: &str, item: &mut Json, path: &mut Vec<String>) {
        match item {
            Json::Object(map) => {
                // `{name: DB_PASSWORD, value: …}`: the name says what the value is.
                let name = map.get("name").and_then(Json::as_str).unwrap_or(key).to_owned();
                for (field, value) in map.iter_mut() {
                    let key = if field == "value" { &name } else { field };
                    self.keeps(key, value, path);
                }
            }
            Json::Array(items) => items.iter_mut().for_each(|item| self.keeps_item(key, item, path)),
            Json::String(text) => {
                self.keeps_text(key, text, path);
            }
            Json::Number(_) | Json::Bool(_) | Json::Null => {}
        }
    }

    fn keeps_text(&mut self, key: &str, text: &str, path: &[String]) -> bool {
        let is_credential = may_be_credential(key, text);
        if is_credential {
            self.0.push(path.join("."));
        }
        !is_credential
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read_text(helm: &str, has_value_files: bool) -> (Json, Vec<String>) {
        let source = Sources::default().add("a");
        let helm = yaml::read(helm.as_bytes(), source, &yaml::Limits::default()).unwrap().remove(0);
        let mut file = |path: &Path| (path == Path::new("a.conf")).then(|| "on\n".to_owned());
        let (values, notes) = read(&helm, has_value_files, &mut file, &mut |left| left.anywhere());
        (values.into(), notes.into_iter().map(|note| note.problem.message).collect())
    }

    #[test]
    fn parameters_take_precedence_over_values() {
        let helm = "valuesObject: {a: {b: 1, c: 2}}\nvalues: 'a: 9'\nparameters: [{name: a.b, value: '3'}]\n\
                    fileParameters: [{name: f, path: a.conf}, {name: g, path: ../b}]\n";
        let (values, notes) = read_text(helm, false);
        assert_eq!(values, json!({"a": {"b": 3, "c": 2}, "f": "on\n"}));
        assert_eq!(notes.len(), 1, "{notes:?}");
        let (values, _) = read_text("values: |\n  a: {b: x}\n", false);
        assert_eq!(values, json!({"a": {"b": "x"}}));
    }

    #[test]
    fn parameters_that_cannot_be_taken_over_change_nothing() {
        let helm = "parameters: [{name: 'a[0]', value: x}, {name: b, value: $ARGOCD_APP_NAME}, {name: 'c,d', value: y}]\n";
        let (values, notes) = read_text(helm, true);
        assert_eq!(values, json!({}));
        assert_eq!(notes.len(), 3, "{notes:?}");
    }

    #[test]
    fn credentials_are_named_and_left_out() {
        let helm = "valuesObject: {db: {password: CANARY-hunter2-Zq9, existingSecret: db, user: shop, pin: {password: 4711}},\n\
                    env: [{name: API_TOKEN, value: CANARY-8f7a6b5c4d3e2f1a}], host: '$X',\n\
                    ok: {password: '<vault:shop/db#password>'}}\n";
        let (values, notes) = read_text(helm, false);
        assert_eq!(
            values,
            json!({"db": {"existingSecret": "db", "user": "shop", "pin": {}}, "host": "$X", "ok": {"password": "<vault:shop/db#password>"}})
        );
        let all = notes.join("\n");
        assert!(all.contains("`db.password`") && all.contains("`env.") && notes.len() == 3, "{all}");
        assert!(!all.contains("CANARY"), "{all}");
    }
}
