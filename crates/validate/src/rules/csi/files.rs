//! The files that a SecretProviderClass mounts, as each provider derives them from `parameters`.

use std::collections::BTreeMap;

use crate::facts::embedded::{self, EmbeddedError};
use crate::facts::fields::{items, start_origin, value};
use crate::facts::later_stage::may_change;
use sealwave_core::document::{Node, Origin, SourceTexts};
use sealwave_core::names::is_item_key;

/// Maximum number of objects checked per class.
const MOST: usize = 1_000;

/// Files that a class mounts.
#[derive(Default)]
pub(super) struct MountedFiles {
    /// Positions of the file names; `None` if the names are unknown.
    pub(super) names: Option<BTreeMap<String, Origin>>,
    /// Prefixes of the names of further files.
    pub(super) prefixes: Vec<String>,
    pub(super) faults: Vec<ObjectFault>,
    /// Name of the parameter that lists the objects.
    pub(super) field: &'static str,
}

/// An error for which a provider rejects an object.
pub(super) struct ObjectFault {
    pub(super) at: Origin,
    pub(super) message: String,
    pub(super) hint: &'static str,
    /// First use of a name that is used twice.
    pub(super) first: Option<Origin>,
}

/// Returns the provider of a class, in lower case.
pub(super) fn provider_name(spec: &Node) -> String {
    spec.get("provider").and_then(Node::as_str).unwrap_or_default().to_ascii_lowercase()
}

impl MountedFiles {
    /// Reads the objects of a class.
    pub(super) fn read(spec: &Node, texts: &SourceTexts) -> Self {
        let mut files = Self::default();
        let provider = provider_name(spec);
        let field = match provider.as_str() {
            "aws" | "azure" | "vault" | "openbao" => "objects",
            "gcp" => "secrets",
            _ => return files,
        };
        files.field = field;
        let Some(parameters) = value(spec, "parameters").filter(|node| node.as_mapping().is_some()) else {
            return files;
        };
        let Some(objects) = value(parameters, field) else {
            let message = format!("`parameters` has no `{field}`");
            files.report(start_origin(parameters), message, "list the objects to mount, as YAML in a string");
            return files;
        };
        match (objects.as_str(), objects.as_sequence()) {
            (Some(text), _) if is_template(text) => {}
            (Some(_), _) => match embedded::parse_embedded(texts, objects) {
                Ok(documents) => match documents.first() {
                    Some(document) => files.read_document(&provider, document, parameters, texts),
                    None => files.report(
                        objects.origin,
                        format!("`{field}` is empty"),
                        "list the objects to mount",
                    ),
                },
                Err(EmbeddedError::Malformed(at)) => {
                    files.report(
                        at,
                        format!("`{field}` is not YAML"),
                        "write a list of objects, as in the provider's documentation",
                    );
                }
                Err(EmbeddedError::TooLong) => {}
            },
            // Its schema reports that it is not a string.
            (None, Some(_)) => files.read_document(&provider, objects, parameters, texts),
            (None, None) => {}
        }
        files
    }

    fn report(&mut self, at: Origin, message: String, hint: &'static str) {
        self.faults.push(ObjectFault { at, message, hint, first: None });
    }

    fn read_document(&mut self, provider: &str, document: &Node, parameters: &Node, texts: &SourceTexts) {
        self.names = Some(BTreeMap::new());
        match provider {
            "azure" => self.read_azure(document, texts),
            "gcp" => self.for_each(document, Self::read_gcp),
            "aws" => {
                let translation = match parameters.get("pathTranslation").and_then(Node::as_str) {
                    Some("False") => None,
                    Some(text) if text.chars().count() == 1 => Some(text),
                    _ => Some("_"),
                };
                self.for_each(document, |files, object| files.read_aws(object, translation));
            }
            _ => self.for_each(document, |files, object| {
                files.add_object(object, object.get("objectName"), None);
            }),
        }
    }

    fn for_each(&mut self, list: &Node, mut take: impl FnMut(&mut Self, &Node)) {
        if list.as_sequence().is_none() {
            self.names = None;
            self.report(
                start_origin(list),
                "object list is not a sequence".to_owned(),
                "start each object with `- `",
            );
            return;
        }
        for object in list.items().iter().take(MOST) {
            if object.as_mapping().is_some() {
                take(self, object);
            } else {
                self.names = None;
                self.report(
                    object.origin,
                    "object is not a mapping".to_owned(),
                    "write `objectName: …` for each object",
                );
            }
        }
    }

    fn read_aws(&mut self, object: &Node, translation: Option<&str>) {
        let name = object.get("objectName");
        let is_arn = name.and_then(Node::as_str).is_some_and(|name| name.starts_with("arn:"));
        let kind = value(object, "objectType");
        match kind.map(|kind| (kind, kind.as_str())) {
            None if !is_arn && !may_change(name.and_then(Node::as_str).unwrap_or_default()) => {
                self.report(
                    start_origin(object),
                    "object has no `objectType`".to_owned(),
                    "write `objectType: secretsmanager` or `ssmparameter`",
                );
            }
            Some((_, Some("secretsmanager" | "ssmparameter"))) | None => {}
            Some((kind, other)) => {
                if !other.is_some_and(may_change) {
                    self.report(
                        kind.origin,
                        "`objectType` is neither `secretsmanager` nor `ssmparameter`".to_owned(),
                        "correct it; case matters",
                    );
                }
            }
        }
        let alias = value(object, "objectAlias");
        self.add_object(object, alias.or(name), translation);
        for path in items(object, "jmesPath").iter().take(MOST) {
            for field in ["path", "objectAlias"] {
                if value(path, field).is_none_or(|node| node.as_str() == Some("")) {
                    self.report(
                        start_origin(path),
                        format!("entry of `jmesPath` has no `{field}`"),
                        "each entry has `path` and `objectAlias`",
                    );
                }
            }
            if let Some(alias) = value(path, "objectAlias") {
                self.add(alias, translation);
            }
        }
    }

    /// Reads a mapping whose `array` holds YAML strings, or a list of such strings or of objects.
    fn read_azure(&mut self, document: &Node, texts: &SourceTexts) {
        let list = document.get("array").unwrap_or(document);
        if list.as_sequence().is_none() {
            self.names = None;
            self.report(
                start_origin(document),
                "`objects` has no `array`".to_owned(),
                "write `array:` and a string for each object: `- |`",
            );
            return;
        }
        for item in list.items().iter().take(MOST) {
            let read = match item.as_str() {
                Some(text) if is_template(text) => {
                    self.names = None;
                    return;
                }
                Some(_) => embedded::parse_embedded(texts, item),
                None => Ok(vec![item.clone()]),
            };
            match read {
                Ok(objects) => objects.iter().for_each(|object| self.read_azure_object(object)),
                Err(EmbeddedError::Malformed(at)) => {
                    self.report(
                        at,
                        "object is not YAML".to_owned(),
                        "write `objectName` and `objectType`, each on a line",
                    );
                }
                Err(EmbeddedError::TooLong) => self.names = None,
            }
        }
    }

    fn read_azure_object(&mut self, object: &Node) {
        if object.as_mapping().is_none() {
            self.names = None;
            self.report(object.origin, "object is not a mapping".to_owned(), "write `objectName: …`");
            return;
        }
        let name = value(object, "objectAlias").or_else(|| value(object, "objectName"));
        if let (Some(_), Some(name)) = (value(object, "objectVersionHistory"), name.and_then(Node::as_str)) {
            self.prefixes.push(format!("{name}/"));
        }
        match value(object, "objectType").map(|kind| (kind.origin, kind.as_str())) {
            Some((_, Some("secret" | "key" | "cert"))) => {}
            Some((_, Some(other))) if may_change(other) => {}
            Some((at, _)) => self.report(
                at,
                "`objectType` is not `secret`, `key` or `cert`".to_owned(),
                "correct it; case matters",
            ),
            None => self.report(
                start_origin(object),
                "object has no `objectType`".to_owned(),
                "write `objectType: secret`, `key` or `cert`",
            ),
        }
        self.add_object(object, name, None);
    }

    fn read_gcp(&mut self, object: &Node) {
        if value(object, "resourceName").is_none() {
            self.report(
                start_origin(object),
                "object has no `resourceName`".to_owned(),
                "write `projects/…/secrets/…/versions/…`",
            );
        }
        let name = value(object, "path").or_else(|| value(object, "fileName"));
        if name.is_none() {
            self.report(
                start_origin(object),
                "object has no `path`".to_owned(),
                "name the file that holds the secret: `path: …`",
            );
            return;
        }
        self.add_object(object, name, None);
    }

    /// Adds the file of an object, or reports that the object has no name.
    fn add_object(&mut self, object: &Node, name: Option<&Node>, translation: Option<&str>) {
        match name.filter(|name| name.as_str().is_some_and(|name| !name.is_empty())) {
            Some(name) => self.add(name, translation),
            None => self.report(
                start_origin(object),
                "object has no `objectName`".to_owned(),
                "name the object in the store",
            ),
        }
    }

    fn add(&mut self, node: &Node, translation: Option<&str>) {
        let Some(name) = node.as_str() else { return };
        if may_change(name) {
            self.names = None;
            return;
        }
        let Some(names) = &mut self.names else { return };
        let name = translation.map_or_else(|| name.to_owned(), |by| name.replace('/', by));
        if let Some(first) = names.get(&name).copied() {
            let shown =
                if is_item_key(&name) { format!("file name `{name}`") } else { "a file name".to_owned() };
            self.faults.push(ObjectFault {
                at: node.origin,
                message: format!("{shown} is used for two objects"),
                hint: "give each object, and each entry of `jmesPath`, an `objectAlias` of its own",
                first: Some(first),
            });
        } else {
            names.insert(name, node.origin);
        }
    }
}

/// Returns whether another tool fills in part of a string.
fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("${")
}
