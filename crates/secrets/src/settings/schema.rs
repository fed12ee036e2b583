//! JSON Schemas of sealwave's own files, for editors. They come from the types that read the files: names, types and
//! descriptions are written there only.
//!
//! The dialect is draft-07, which the language servers of editors support best.

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

/// Returns the JSON Schema of a file that is read into a type.
#[must_use]
pub fn settings_schema<T: JsonSchema>(title: &str) -> Value {
    let settings = SchemaSettings::draft07().with_transform(RecursiveTransform(EditorStyle));
    let schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    let mut described = Map::from_iter([
        ("$schema".to_owned(), Value::Null),
        ("title".to_owned(), title.into()),
        ("description".to_owned(), Value::Null),
    ]);
    if let Value::Object(fields) = schema {
        described.extend(fields.into_iter().filter(|(key, _)| key != "title"));
    }
    described.into()
}

/// Returns the schema of the names of environments.
pub(super) fn environment_names() -> Value {
    json!({"pattern": "^[a-z0-9]([-a-z0-9._]*[a-z0-9])?$", "maxLength": 63})
}

/// Rewrites what editors show: descriptions without links of the source code, and choices as one list.
#[derive(Clone)]
struct EditorStyle;

impl Transform for EditorStyle {
    fn transform(&mut self, schema: &mut Schema) {
        let Some(object) = schema.as_object_mut() else { return };
        if let Some(Value::String(text)) = object.get_mut("description") {
            *text = plain_text(text);
        }
        if object.get("default").is_some_and(is_empty) {
            object.shift_remove("default");
        }
        list_choices(object);
        bound_numbers(object);
    }
}

/// Reports whether a default says no more than that the field is optional.
fn is_empty(default: &Value) -> bool {
    match default {
        Value::Array(items) => items.is_empty(),
        Value::Null => true,
        Value::Object(fields) => fields.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Returns a comment of the source as one line without links.
fn plain_text(comment: &str) -> String {
    comment.split_whitespace().collect::<Vec<_>>().join(" ").replace("[`", "`").replace("`]", "`")
}

/// Replaces alternatives of one text each by a list of texts, for which editors have better completions and messages.
fn list_choices(schema: &mut Map<String, Value>) {
    let Some(Value::Array(alternatives)) = schema.get("oneOf") else { return };
    let choice = |alternative: &Value| {
        let text = alternative.get("const").filter(|text| text.is_string())?;
        let description = alternative.get("description").and_then(Value::as_str).unwrap_or_default();
        Some((text.clone(), Value::from(plain_text(description))))
    };
    let Some(choices) = alternatives.iter().map(choice).collect::<Option<Vec<_>>>() else { return };
    let (texts, descriptions): (Vec<_>, Vec<_>) = choices.into_iter().unzip();
    schema.shift_remove("oneOf");
    schema.insert("type".to_owned(), "string".into());
    schema.insert("enum".to_owned(), texts.into());
    schema.insert("enumDescriptions".to_owned(), descriptions.into());
}

/// Replaces formats of numbers, which JSON Schema does not define, by bounds.
fn bound_numbers(schema: &mut Map<String, Value>) {
    match schema.get("format").and_then(Value::as_str) {
        Some("int32") => {
            schema.insert("minimum".to_owned(), i32::MIN.into());
            schema.insert("maximum".to_owned(), i32::MAX.into());
        }
        Some("uint8" | "uint64") => {}
        _ => return,
    }
    schema.shift_remove("format");
}
