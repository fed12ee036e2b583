//! The part of a `CustomResourceDefinition` that the check needs: the content of a lock file.
//!
//! Annotations, status, managed fields and descriptions are removed, so that a lock file is small and changes only when
//! the check would.

use serde_json::{Map, Value as Json, json};

use sealwave_core::document::{Node, Origin, Sources};

/// Maximum size of a file of definitions; those of a large platform have some ten megabytes.
pub const MAX_DEFINITIONS: usize = 256 << 20;

/// Fields of `spec.names`.
const NAMES: [&str; 5] = ["kind", "listKind", "plural", "shortNames", "singular"];
/// Whether objects keep unknown fields, in a definition that was converted from `v1beta1`.
const PRESERVE: &str = "preserveUnknownFields";
/// Keywords that do not affect validation.
const PROSE: [&str; 5] = ["$schema", "description", "example", "externalDocs", "title"];

/// A definition reduced to what the check needs.
#[derive(Clone, Debug)]
pub struct LockedDefinition {
    /// Its name, `plural.group`.
    pub name: String,
    /// The group of its resources.
    pub group: String,
    /// The reduced definition.
    pub root: Node,
}

impl LockedDefinition {
    /// Reduces a definition of version `v1`. Returns `None` if the object is not one.
    ///
    /// Recurses as deeply as the JSON is nested, which its parser bounds.
    #[must_use]
    pub fn new(definition: &Json) -> Option<Self> {
        let name = definition.pointer("/metadata/name")?.as_str()?;
        let spec = definition.get("spec")?.as_object()?;
        let group = spec.get("group")?.as_str()?;
        let names = spec.get("names")?.as_object()?;
        names.get("kind")?.as_str()?;
        let versions: Option<Vec<Json>> = spec.get("versions")?.as_array()?.iter().map(version).collect();
        let mut stripped = json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": name},
            "spec": {
                "group": group,
                "names": pick_keys(names, &NAMES),
                "scope": spec.get("scope")?.as_str()?,
                "versions": versions?,
            },
        });
        if spec.get(PRESERVE) == Some(&Json::Bool(true)) {
            stripped["spec"][PRESERVE] = true.into();
        }
        let source = Sources::default().add(name);
        let root = Node::from_json(&stripped, Origin::whole(source));
        Some(Self { name: name.to_owned(), group: group.to_owned(), root })
    }
}

fn version(version: &Json) -> Option<Json> {
    let version = version.as_object()?;
    version.get("name")?.as_str()?;
    let mut kept = pick_keys(version, &["name", "served", "storage"]);
    if version.get("deprecated") == Some(&Json::Bool(true)) {
        kept.insert("deprecated".to_owned(), true.into());
    }
    if let Some(schema) = version.get("schema").and_then(|schema| schema.get("openAPIV3Schema")) {
        let mut schema = strip_prose(schema);
        schema.sort_all_objects();
        kept.insert("schema".to_owned(), json!({"openAPIV3Schema": schema}));
    }
    Some(Json::Object(kept))
}

fn pick_keys(from: &Map<String, Json>, keys: &[&str]) -> Map<String, Json> {
    keys.iter().filter_map(|key| Some(((*key).to_owned(), from.get(*key)?.clone()))).collect()
}

/// Returns a schema without descriptions. Fields named `description`, and values that contain one, stay.
fn strip_prose(schema: &Json) -> Json {
    let Some(keywords) = schema.as_object() else { return schema.clone() };
    let kept = keywords.iter().filter(|(keyword, _)| !PROSE.contains(&keyword.as_str()));
    let kept = kept.map(|(keyword, value)| {
        let value = match (keyword.as_str(), value) {
            ("definitions" | "dependencies" | "patternProperties" | "properties", Json::Object(schemas)) => {
                schemas.iter().map(|(name, schema)| (name.clone(), strip_prose(schema))).collect()
            }
            ("allOf" | "anyOf" | "items" | "oneOf", Json::Array(schemas)) => {
                schemas.iter().map(strip_prose).collect()
            }
            ("additionalItems" | "additionalProperties" | "items" | "not", schema) => strip_prose(schema),
            _ => value.clone(),
        };
        (keyword.clone(), value)
    });
    kept.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema_of(schema: &Json) -> Json {
        let definition = json!({
            "metadata": {"name": "ts.a.io", "annotations": {"a": "b"}, "managedFields": [{}]},
            "spec": {
                "conversion": {"strategy": "None"},
                "group": "a.io",
                "names": {"plural": "ts", "kind": "T", "categories": ["all"]},
                "scope": "Namespaced",
                "versions": [{"name": "v1", "served": true, "storage": true, "deprecated": false,
                    "additionalPrinterColumns": [], "subresources": {"status": {}},
                    "schema": {"openAPIV3Schema": schema}}],
            },
            "status": {"conditions": []},
        });
        let locked = LockedDefinition::new(&definition).expect("a definition");
        assert_eq!((locked.name.as_str(), locked.group.as_str()), ("ts.a.io", "a.io"));
        let mut json = locked.root.to_json();
        let schema = json.pointer_mut("/spec/versions/0/schema/openAPIV3Schema").expect("a schema").take();
        let rest = json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "ts.a.io"},
            "spec": {"group": "a.io", "names": {"kind": "T", "plural": "ts"}, "scope": "Namespaced",
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": null}}]},
        });
        assert_eq!(json, rest);
        schema
    }

    #[test]
    fn descriptions_are_removed_but_fields_of_that_name_stay() {
        let text = |rest: Json| {
            let mut schema = json!({"description": "prose", "title": "prose", "example": "prose"});
            schema.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            schema
        };
        let given = text(json!({
            "type": "object",
            "required": ["description"],
            "properties": {
                "description": text(json!({"type": "string", "enum": ["description"]})),
                "title": text(json!({"items": text(json!({"not": text(json!({}))}))})),
                "free": text(json!({"default": {"description": "a value", "title": 1},
                    "additionalProperties": text(json!({"anyOf": [text(json!({"type": "string"}))]}))})),
            },
            "x-kubernetes-validations": [{"rule": "has(self.description)"}],
        }));
        let kept = json!({
            "type": "object",
            "required": ["description"],
            "properties": {
                "description": {"type": "string", "enum": ["description"]},
                "title": {"items": {"not": {}}},
                "free": {"default": {"description": "a value", "title": 1},
                    "additionalProperties": {"anyOf": [{"type": "string"}]}},
            },
            "x-kubernetes-validations": [{"rule": "has(self.description)"}],
        });
        let schema = schema_of(&given);
        assert_eq!(schema, kept);
        let keys: Vec<&String> = schema.as_object().unwrap().keys().collect();
        assert!(keys.is_sorted(), "{keys:?}");
    }

    #[test]
    fn preserve_unknown_fields_is_kept_if_true() {
        for (given, kept) in [(json!(true), Some(&json!(true))), (json!(false), None), (json!("true"), None)]
        {
            let definition = json!({
                "metadata": {"name": "ts.a.io"},
                "spec": {"group": "a.io", "names": {"kind": "T"}, "scope": "Cluster", "preserveUnknownFields": given,
                    "versions": [{"name": "v1"}]},
            });
            let json = LockedDefinition::new(&definition).expect("a definition").root.to_json();
            assert_eq!(json["spec"].get("preserveUnknownFields"), kept, "{given}");
        }
    }

    #[test]
    fn objects_that_are_not_definitions_are_none() {
        let whole = json!({
            "metadata": {"name": "ts.a.io"},
            "spec": {"group": "a.io", "names": {"kind": "T"}, "scope": "Cluster", "versions": [{"name": "v1"}]},
        });
        assert!(LockedDefinition::new(&whole).is_some());
        for pointer in [
            "",
            "/metadata",
            "/metadata/name",
            "/spec",
            "/spec/group",
            "/spec/names",
            "/spec/names/kind",
            "/spec/scope",
            "/spec/versions",
            "/spec/versions/0",
            "/spec/versions/0/name",
        ] {
            for other in [json!(null), json!(1)] {
                let mut broken = whole.clone();
                *broken.pointer_mut(pointer).unwrap() = other;
                assert!(LockedDefinition::new(&broken).is_none(), "{pointer}");
            }
        }
    }
}
