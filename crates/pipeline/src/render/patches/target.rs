//! The target of a patch: the objects that it selects, or those that it probably means.

use std::collections::BTreeSet;

use sealwave_core::document::Manifest;
use sealwave_core::text::{closest_choice, quoted_list};
use sealwave_secrets::settings::PatchTarget;

/// The most objects that are compared with a target that selects none.
const MAX_COMPARED: usize = 5_000;
/// Characters of patterns in other tools' targets.
const PATTERN_CHARACTERS: [char; 6] = ['*', '?', '.', '|', '^', '$'];
/// The most names that a hint lists.
const MAX_LISTED: usize = 5;

/// A field of a target, with what it selects by.
struct TargetField<'a> {
    name: &'static str,
    wanted: Option<&'a str>,
    of: fn(&Manifest) -> &str,
}

fn fields(target: &PatchTarget) -> [TargetField<'_>; 4] {
    [
        TargetField { name: "group", wanted: target.group.as_deref(), of: Manifest::group },
        TargetField { name: "kind", wanted: target.kind.as_deref(), of: Manifest::kind },
        TargetField { name: "name", wanted: target.name.as_deref(), of: Manifest::name },
        TargetField { name: "namespace", wanted: target.namespace.as_deref(), of: Manifest::namespace },
    ]
}

impl TargetField<'_> {
    fn matches(&self, object: &Manifest) -> bool {
        self.wanted.is_none_or(|wanted| wanted == (self.of)(object))
    }
}

/// Reports whether a target selects an object.
pub(super) fn matches(target: &PatchTarget, object: &Manifest) -> bool {
    fields(target).iter().all(|field| field.matches(object))
}

/// Lists the given fields of a target.
pub(super) fn describe(target: &PatchTarget) -> String {
    let given =
        fields(target).into_iter().filter_map(|field| Some(format!("{} `{}`", field.name, field.wanted?)));
    given.collect::<Vec<_>>().join(", ")
}

/// Returns how to correct a target that selects no object: the only field that excludes some, and its values.
pub(super) fn suggest(target: &PatchTarget, objects: &[Manifest]) -> Option<String> {
    let fields = fields(target);
    let mut candidates = fields.iter().filter_map(|field| {
        let others =
            |object: &&Manifest| fields.iter().all(|other| other.name == field.name || other.matches(object));
        let values: BTreeSet<&str> =
            objects.iter().take(MAX_COMPARED).filter(others).map(|object| (field.of)(object)).collect();
        Some((field, field.wanted?, values)).filter(|(_, _, values)| !values.is_empty())
    });
    // A similar value is a better suggestion than the values of another field.
    let all: Vec<_> = candidates.by_ref().collect();
    let similar = all.iter().find_map(|(field, wanted, values)| {
        // The kind of an object may be misspelled, too.
        let values: Vec<&str> = values.iter().copied().filter(|_| field.name != "kind").collect();
        let meant = closest_choice(wanted.trim_matches(PATTERN_CHARACTERS), &values);
        let is_pattern = wanted.contains(PATTERN_CHARACTERS);
        let meant = meant.or_else(|| values.first().copied().filter(|_| is_pattern))?;
        Some(if is_pattern {
            format!("a target has no patterns: write {} `{meant}`, or omit it", field.name)
        } else {
            format!("did you mean {} `{meant}`?", field.name)
        })
    });
    similar.or_else(|| {
        let (field, _, values) = all.first()?;
        let values: Vec<&str> = values.iter().copied().take(MAX_LISTED).collect();
        let known = match values[..] {
            [""] => "empty".to_owned(),
            [_] => quoted_list(&values),
            _ => format!("one of {}", quoted_list(&values)),
        };
        Some(format!("only `{}` differs; in the objects it is {known}", field.name))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn suggestion(target: &serde_json::Value) -> Option<String> {
        let objects: Vec<Manifest> =
            [("v1", "Service", "web"), ("apps/v1", "Deployment", "web"), ("apps/v1", "Deployment", "worker")]
                .iter()
                .map(|(version, kind, name)| {
                    sealwave_testkit::manifest(
                        &json!({"apiVersion": version, "kind": kind, "metadata": {"name": name}}),
                    )
                })
                .collect();
        suggest(&serde_json::from_value(target.clone()).unwrap(), &objects)
    }

    #[test]
    fn the_only_wrong_field_is_named() {
        for (target, expected) in [
            (json!({"group": "apps", "kind": "Deployment", "name": "wbe"}), Some("did you mean name `web`?")),
            (
                json!({"group": "apps", "kind": "deployment", "name": "web"}),
                Some("only `kind` differs; in the objects it is `Deployment`"),
            ),
            (
                json!({"kind": "Deployment", "name": "web*"}),
                Some("a target has no patterns: write name `web`, or omit it"),
            ),
            (
                json!({"kind": "Deployment", "name": ".*"}),
                Some("a target has no patterns: write name `web`, or omit it"),
            ),
            (json!({"group": "app", "kind": "Deployment"}), Some("did you mean group `apps`?")),
            (
                json!({"group": "apps", "kind": "Deployment", "name": "proxy"}),
                Some("only `name` differs; in the objects it is one of `web`, `worker`"),
            ),
            (
                json!({"group": "apps", "kind": "Service"}),
                Some("only `group` differs; in the objects it is empty"),
            ),
            (json!({"kind": "Job", "name": "import"}), None),
        ] {
            assert_eq!(suggestion(&target).as_deref(), expected, "{target}");
        }
    }
}
