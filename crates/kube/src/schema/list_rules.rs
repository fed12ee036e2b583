//! The API server's rules for lists in the schema of a definition: list types, items and keys.

use super::path::ValuePath;
use super::structure::{StructureChecker, is_null, is_true};
use sealwave_core::document::Node;

impl StructureChecker<'_, '_> {
    pub(super) fn lists(&mut self, schema: &Node, at: &ValuePath<'_>) {
        let Some(list) = schema.get("x-kubernetes-list-type") else { return };
        let path = at.key("x-kubernetes-list-type");
        let type_name = |node: &Node| node.get("type").and_then(Node::as_str).map(str::to_owned);
        if type_name(schema).as_deref() != Some("array") {
            self.faults.add("`x-kubernetes-list-type` needs `type: array`", "", &path, list.origin);
            return;
        }
        let Some(items) = schema.get("items") else { return };
        let items_at = at.key("items");
        let keyed = match list.as_str() {
            Some("map") => true,
            Some("set") => false,
            _ => return,
        };
        if is_true(items, "nullable") {
            self.faults.add(
                "items of a map or set are nullable",
                "remove `nullable`",
                &items_at,
                items.display_origin(),
            );
        }
        if keyed {
            self.keys(schema, items, at);
            return;
        }
        let has_value = |keyword: &str, value: &str| items.get(keyword).and_then(Node::as_str) == Some(value);
        let list_type = items.get("x-kubernetes-list-type");
        if has_value("type", "array") && list_type.is_some() && !has_value("x-kubernetes-list-type", "atomic")
        {
            let hint = "write `x-kubernetes-list-type: atomic` into the items";
            self.faults.add(
                "items of a set are lists that are not atomic",
                hint,
                &items_at,
                items.display_origin(),
            );
        }
        if has_value("type", "object") && !has_value("x-kubernetes-map-type", "atomic") {
            let hint = "write `x-kubernetes-map-type: atomic` into the items";
            self.faults.add(
                "items of a set are objects that are not atomic",
                hint,
                &items_at,
                items.display_origin(),
            );
        }
    }

    fn keys(&mut self, schema: &Node, items: &Node, at: &ValuePath<'_>) {
        if items.get("type").and_then(Node::as_str) != Some("object") {
            let hint = "write `type: object` into the items";
            self.faults.add("items of a map are not objects", hint, &at.key("items"), items.display_origin());
            return;
        }
        let path = at.key("x-kubernetes-list-map-keys");
        let all = schema.get("x-kubernetes-list-map-keys").map(Node::items).unwrap_or_default();
        let required: Vec<&str> = items
            .get("required")
            .map(Node::items)
            .unwrap_or_default()
            .iter()
            .filter_map(Node::as_str)
            .collect();
        for (index, node) in all.iter().enumerate() {
            let Some(key) = node.as_str() else { continue };
            let path = path.index(index);
            self.left = self.left.saturating_sub(index);
            if self.left == 0 {
                return;
            }
            if all.iter().take(index).any(|other| other.as_str() == Some(key)) {
                self.faults.add("key of a list is listed twice", "remove one", &path, node.origin);
            }
            let Some(field) = items.at(&["properties", key]) else {
                self.faults.add(
                    "key of a list is not a field of its items",
                    "add it to `properties`",
                    &path,
                    node.origin,
                );
                continue;
            };
            if matches!(field.get("type").and_then(Node::as_str), Some("array" | "object")) {
                self.faults.add("key of a list is not a scalar", "", &path, node.origin);
            }
            if !required.contains(&key) && field.get("default").is_none_or(is_null) {
                let hint = "add it to `required` of the items, or give it a `default`";
                self.faults.add(
                    "key of a list is neither required nor has a default",
                    hint,
                    &path,
                    node.origin,
                );
            }
            if is_true(field, "nullable") {
                self.faults.add("key of a list is nullable", "remove `nullable`", &path, node.origin);
            }
        }
    }
}
