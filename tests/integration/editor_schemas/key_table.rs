//! The table of all keys that a schema describes, for the page of all keys.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// Returns the table of the keys of a file.
pub(super) fn key_table(schema: &Value) -> String {
    let mut table = KeyTable { root: schema, rows: String::new(), expanded: Vec::new() };
    table.rows.push_str("| key | value | |\n|---|---|---|\n");
    table.fields(schema, "");
    table.rows.trim_end().to_owned()
}

struct KeyTable<'s> {
    root: &'s Value,
    rows: String,
    /// The definitions whose keys are listed, with their paths.
    expanded: Vec<(String, String)>,
}

impl<'s> KeyTable<'s> {
    /// Returns the definition that a schema refers to, with its name.
    fn definition(&self, schema: &'s Value) -> (Option<&'s str>, &'s Value) {
        let alternatives = ["allOf", "anyOf"].iter().find_map(|key| schema[*key].as_array());
        let schema = alternatives.map_or(schema, |alternatives| &alternatives[0]);
        match schema["$ref"].as_str() {
            Some(reference) => {
                let name = reference.strip_prefix("#/definitions/").unwrap();
                (Some(name), &self.root["definitions"][name])
            }
            None => (None, schema),
        }
    }

    /// Adds the rows of the keys of a mapping.
    fn fields(&mut self, schema: &'s Value, prefix: &str) {
        let properties = schema["properties"].as_object();
        for (name, field) in properties.into_iter().flatten() {
            let is_required =
                schema["required"].as_array().is_some_and(|all| all.iter().any(|key| key == name));
            self.key(&format!("{prefix}{name}"), field, is_required);
        }
    }

    fn key(&mut self, path: &str, field: &'s Value, is_required: bool) {
        let (_, definition) = self.definition(field);
        let mut text = field["description"]
            .as_str()
            .or(definition["description"].as_str())
            .unwrap_or_default()
            .to_owned();
        if is_required {
            text.push_str(if text.is_empty() { "Required." } else { " Required." });
        }
        if let Some(default) =
            field.get("default").or(definition.get("default")).filter(|value| !value.is_boolean())
        {
            write!(text, " Default: `{default}`.").unwrap();
        }
        let text = text.replace('|', "\\|");
        writeln!(self.rows, "| `{path}` | {} | {text} |", self.value(field)).unwrap();
        self.below(path, field);
    }

    /// Adds the rows below a value: those of its fields, of its items, or of the values of its names.
    fn below(&mut self, path: &str, field: &'s Value) {
        let (name, definition) = self.definition(field);
        if let Some(name) = name {
            if let Some((_, first)) = self.expanded.iter().find(|(known, _)| known == name) {
                if definition.get("properties").is_some() {
                    writeln!(self.rows, "| `{path}.…` | | As in `{first}`. |").unwrap();
                }
                return;
            }
            self.expanded.push((name.to_owned(), path.to_owned()));
        }
        if definition["type"] == "array" {
            return self.below(&format!("{path}[]"), &definition["items"]);
        }
        if definition["additionalProperties"].is_object() {
            return self.below(&format!("{path}.NAME"), &definition["additionalProperties"]);
        }
        for alternative in definition["oneOf"].as_array().into_iter().flatten() {
            self.alternative(path, alternative);
        }
        for alternative in definition["anyOf"].as_array().into_iter().flatten() {
            let (_, alternative) = self.definition(alternative);
            self.fields(alternative, &format!("{path}."));
        }
        self.fields(definition, &format!("{path}."));
    }

    /// Adds the rows of one form of a mapping: under a heading if `kind` selects it.
    fn alternative(&mut self, path: &str, alternative: &'s Value) {
        let kind = alternative["properties"]["kind"]["const"].as_str();
        let description = alternative["description"].as_str().unwrap_or_default();
        let Some(kind) = kind else { return self.fields(alternative, &format!("{path}.")) };
        writeln!(self.rows, "| `{path}.kind` | `{kind}` | **{}** Required. |", description.trim_end())
            .unwrap();
        let required = alternative["required"].as_array().unwrap();
        for (name, field) in
            alternative["properties"].as_object().into_iter().flatten().filter(|(name, _)| *name != "kind")
        {
            let is_required = required.iter().any(|key| key == name);
            self.key(&format!("{path}.{name}"), field, is_required);
        }
    }

    /// Describes the values of a schema in a few words.
    fn value(&self, field: &'s Value) -> String {
        let (_, schema) = self.definition(field);
        if let Some(text) = schema["const"].as_str() {
            return format!("`{text}`");
        }
        if let Some(choices) = schema["enum"].as_array() {
            let choices: Vec<String> =
                choices.iter().map(|choice| format!("`{}`", choice.to_string().trim_matches('"'))).collect();
            return choices.join(", ");
        }
        if let Some(alternatives) = schema["anyOf"].as_array() {
            let alternatives: Vec<String> =
                alternatives.iter().map(|alternative| self.value(alternative)).collect();
            return alternatives.join(", or ");
        }
        match single_type(schema.as_object()) {
            "array" => format!("list of {}", plural(&self.value(&schema["items"]))),
            "boolean" => "`true`, `false`".to_owned(),
            "integer" => number(schema),
            "string" => "text".to_owned(),
            "object" => "mapping".to_owned(),
            _ if schema.get("oneOf").is_some() => "mapping".to_owned(),
            _ => "anything".to_owned(),
        }
    }
}

/// Returns the type of a schema, or the one besides null.
fn single_type(schema: Option<&Map<String, Value>>) -> &str {
    let kind = schema.and_then(|schema| schema.get("type"));
    let kinds = kind.and_then(Value::as_array).into_iter().flatten();
    let mut kinds = kinds.chain(kind).filter_map(Value::as_str);
    kinds.find(|kind| *kind != "null").unwrap_or_default()
}

fn number(schema: &Value) -> String {
    match (schema["minimum"].as_i64(), schema["maximum"].as_i64()) {
        (Some(minimum), Some(maximum)) if minimum >= 0 => format!("number, {minimum} to {maximum}"),
        _ => "number".to_owned(),
    }
}

fn plural(value: &str) -> String {
    match value {
        "text" | "mapping" => format!("{value}s"),
        other => other.to_owned(),
    }
}
