//! `csi/objects`.

use std::collections::HashMap;

use super::files::{MountedFiles, ObjectFault, provider_name};
use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{items, key_origin, start_origin, text, value};
use crate::facts::later_stage::may_change;
use crate::facts::rule_context::RuleContext;
use crate::located::ObjectPath;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Node, Origin};
use sealwave_core::names::is_item_key;
use sealwave_core::text::closest_name;
use sealwave_kube::catalog::STORE_CSI_GROUP;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "csi/objects",
        severity: Severity::Error,
        summary: "the objects of a SecretProviderClass do not match its Secrets",
        text: include_str!("objects.md"),
    },
    RuleCheck::Object(check),
);

/// Maximum number of entries checked per class.
const MOST: usize = 1_000;

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    if !object.is(STORE_CSI_GROUP, "SecretProviderClass") {
        return;
    }
    let Some(spec) = object.manifest.root().get("spec").filter(|spec| spec.as_mapping().is_some()) else {
        return;
    };
    let files = MountedFiles::read(spec, context.texts);
    for fault in &files.faults {
        reporter.report(fault_draft(fault, spec, files.field));
    }
    let mut seen: HashMap<&str, Origin> = HashMap::new();
    for secret in items(spec, "secretObjects").iter().take(MOST).filter(|item| item.as_mapping().is_some()) {
        check_secret(secret, reporter);
        let Some(name) = secret.get("secretName") else { continue };
        let Some(named) = name.as_str().filter(|named| !named.is_empty() && !may_change(named)) else {
            continue;
        };
        if let Some(first) = seen.get(named) {
            let draft = FindingDraft::new(&RULE, name.origin, format!("Secret `{named}` is created twice"));
            reporter.report(
                draft.related(*first, "it is first created here").hint("put all items into one entry"),
            );
        } else {
            seen.insert(named, name.origin);
        }
    }
    let data = items(spec, "secretObjects").iter().flat_map(|secret| items(secret, "data"));
    for item in data.take(MOST) {
        if let Some(draft) = check_item(item, &files, spec) {
            reporter.report(draft);
        }
    }
}

fn fault_draft(fault: &ObjectFault, spec: &Node, field: &str) -> FindingDraft {
    let draft = FindingDraft::new(&RULE, fault.at, fault.message.clone()).hint(fault.hint);
    let draft = match fault.first {
        Some(first) => draft.related(first, "it is first used here"),
        None => draft,
    };
    // Text within a string has no path of its own in the object.
    let listed = spec.at(&["parameters", field]).is_some_and(|objects| objects.as_str().is_some());
    if listed { draft.path(ObjectPath::from_keys(["spec", "parameters", field])) } else { draft }
}

/// Checks an entry of `secretObjects`.
fn check_secret(secret: &Node, reporter: &mut Reporter) {
    let field_origin = |field: &str| {
        if secret.get(field).is_some() { key_origin(secret, field) } else { start_origin(secret) }
    };
    for (field, hint) in [
        ("secretName", "name the Secret to create"),
        ("type", "write `type: Opaque`, or another Secret type"),
    ] {
        let is_missing = value(secret, field).is_none_or(|node| node.as_str() == Some(""));
        if is_missing {
            let message = format!("Secret of `secretObjects` has no `{field}`");
            reporter.report(FindingDraft::new(&RULE, field_origin(field), message).hint(hint));
        }
    }
    let data = items(secret, "data");
    if value(secret, "data").is_none_or(|node| node.as_sequence().is_some_and(<[Node]>::is_empty)) {
        let draft = FindingDraft::new(&RULE, field_origin("data"), "Secret of `secretObjects` has no `data`");
        reporter.report(draft.hint("add an item with `key` and `objectName`"));
    }
    let mut seen: HashMap<&str, Origin> = HashMap::new();
    for item in data.iter().take(MOST).filter(|item| item.as_mapping().is_some()) {
        for field in ["key", "objectName"] {
            if value(item, field).is_none_or(|node| node.as_str() == Some("")) {
                let at = if item.get(field).is_some() { key_origin(item, field) } else { start_origin(item) };
                let draft = FindingDraft::new(&RULE, at, format!("item of `secretObjects` has no `{field}`"));
                reporter.report(
                    draft.hint("each item has the `key` of the Secret and the `objectName` of a file"),
                );
            }
        }
        let (Some(key), Some(node)) = (text(item, "key"), item.get("key")) else { continue };
        if let Some(first) = seen.insert(key, node.origin) {
            let shown = if is_item_key(key) { format!("key `{key}`") } else { "a key".to_owned() };
            let draft =
                FindingDraft::new(&RULE, node.origin, format!("{shown} of the Secret is defined twice"));
            reporter.report(
                draft
                    .related(first, "it is first defined here")
                    .hint("the last one counts: remove the other"),
            );
        }
    }
}

/// Reports an item whose file does not exist.
fn check_item(item: &Node, files: &MountedFiles, spec: &Node) -> Option<FindingDraft> {
    let node = item.get("objectName")?;
    let name = node.as_str().map(str::trim).filter(|name| !name.is_empty() && !may_change(name))?;
    let known = files.names.as_ref()?;
    if known.contains_key(name) || files.prefixes.iter().any(|prefix| name.starts_with(prefix.as_str())) {
        return None;
    }
    let shown = if is_item_key(name) { format!("`{name}`") } else { "this name".to_owned() };
    let message = format!("no object has {shown} as its `objectAlias` or name");
    let draft = FindingDraft::new(&RULE, node.origin, message);
    let translated = name.replace('/', "_");
    let hint = if provider_name(spec) == "aws" && known.contains_key(&translated) {
        format!("write `{translated}`: the provider replaces `/` in file names")
    } else {
        match closest_name(name, known.keys().map(String::as_str)).filter(|meant| is_item_key(meant)) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "use the alias of an object, or add one to `parameters.objects`".to_owned(),
        }
    };
    Some(draft.hint(hint))
}
