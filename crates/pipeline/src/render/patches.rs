//! The patches of an environment: JSON Patch, JSON Merge Patch, and strategic merge patch.
//!
//! Values from a patch point at the patch, and everything else keeps its position and its order. Messages name an
//! operation, a field or a directive, and must never quote a value.

mod bounds;
mod error;
mod merge;
mod merge_schema;
mod operations;
mod stop;
mod strategic;
mod target;
mod untyped;

use json_patch::PatchOperation;

use super::limits::MAX_PROBLEMS;
use crate::load::EnvironmentPatch;
use bounds::PatchBudget;
use error::Error;
use merge_schema::merge_schema_of;
use sealwave_core::diagnostic::{Failure, Problem};
use sealwave_core::document::{Manifest, Node, NodeValue, Origin};
use sealwave_core::yaml;
use sealwave_secrets::settings::PatchType;
use stop::PatchStop;
use strategic::PatchAction;

/// Applies the patches in order, each to all matching objects. Removes objects that a patch deletes.
pub(super) fn apply(patches: &[EnvironmentPatch], objects: &mut Vec<Manifest>) -> Result<(), Failure> {
    let mut problems = Vec::new();
    let mut bounds = PatchBudget::default();
    for patch in patches {
        if let Err(stopped) = apply_one(patch, objects, &mut bounds, &mut problems) {
            problems.push(stopped);
            break;
        }
        if problems.len() >= MAX_PROBLEMS {
            break;
        }
    }
    Failure::unless_empty(problems)
}

/// Applies one patch. An error stops all patches.
fn apply_one(
    patch: &EnvironmentPatch,
    objects: &mut Vec<Manifest>,
    bounds: &mut PatchBudget,
    problems: &mut Vec<Problem>,
) -> Result<(), Problem> {
    let change = match ParsedPatch::parse(patch) {
        Ok(change) => change,
        Err(problem) => {
            problems.push(problem);
            return Ok(());
        }
    };
    bounds.compare(objects.len()).map_err(|exceeded| Problem::at(patch.origin, &Error::from(exceeded)))?;
    let mut matched = false;
    let mut deleted = Vec::new();
    for (index, object) in objects.iter_mut().enumerate() {
        if !target::matches(&patch.target, object) {
            continue;
        }
        matched = true;
        match change.apply(object, bounds).and_then(|root| check_patched(root, patch, object)) {
            Ok(Some(patched)) => *object = patched,
            Ok(None) => deleted.push(index),
            Err(PatchStop::Here(problem)) if problems.len() < MAX_PROBLEMS => problems.push(problem),
            Err(PatchStop::Here(problem) | PatchStop::All(problem)) => return Err(problem),
        }
    }
    if !matched {
        let error = Error::NoTarget {
            target: target::describe(&patch.target),
            meant: target::suggest(&patch.target, objects),
        };
        problems.push(Problem::at(patch.origin, &error));
    }
    let mut deleted = deleted.into_iter().peekable();
    let mut index = 0..;
    objects.retain(|_| {
        let index = index.next();
        deleted.next_if(|deleted| Some(*deleted) == index).is_none()
    });
    Ok(())
}

/// Checks that a patched tree is still an object. Returns `None` if the patch deletes it.
fn check_patched(
    root: Option<Node>,
    patch: &EnvironmentPatch,
    before: &Manifest,
) -> Result<Option<Manifest>, PatchStop> {
    let Some(root) = root else { return Ok(None) };
    let at = patch.change.origin;
    if yaml::is_list(&root) {
        return Err(PatchStop::at(at, &Error::List(before.id().to_string())));
    }
    Manifest::new(root).map(Some).map_err(|(error, ..)| PatchStop::at(at, &Error::NotAManifest(error)))
}

/// A patch with its type.
enum ParsedPatch<'p> {
    Merge { patch: &'p Node, is_stated: bool },
    Operations(Vec<(PatchOperation, &'p Node)>),
    Strategic { patch: &'p Node, action: PatchAction },
}

impl<'p> ParsedPatch<'p> {
    fn parse(patch: &'p EnvironmentPatch) -> Result<Self, Problem> {
        let change = &patch.change;
        let wrong_type = |wanted| {
            Err(Problem::at(change.display_origin(), &Error::Type { found: change.type_name(), wanted }))
        };
        match (patch.stated, &change.value) {
            (None | Some(PatchType::Json), NodeValue::Sequence(_)) => {
                operations::parse(change).map(Self::Operations)
            }
            (None, NodeValue::Mapping(_)) => Ok(Self::Merge { patch: change, is_stated: false }),
            (Some(PatchType::Merge), NodeValue::Mapping(_)) => {
                untyped::check_merge(change).map_err(|(error, origin)| Problem::at(origin, &error))?;
                Ok(Self::Merge { patch: change, is_stated: true })
            }
            (Some(PatchType::Strategic), NodeValue::Mapping(changes)) => strategic::action_of(changes)
                .map(|action| Self::Strategic { patch: change, action })
                .map_err(|(error, origin)| Problem::at(origin, &error)),
            (None, _) => wrong_type("a list of operations or an object"),
            (Some(PatchType::Json), _) => wrong_type("a list of operations"),
            (Some(PatchType::Merge | PatchType::Strategic), _) => wrong_type("an object"),
        }
    }

    /// Applies the patch to a copy of an object. Returns `None` if the patch deletes the object.
    fn apply(&self, object: &Manifest, bounds: &mut PatchBudget) -> Result<Option<Node>, PatchStop> {
        match self {
            Self::Operations(operations) => operations::apply(operations, object, bounds).map(Some),
            Self::Merge { patch, is_stated } => {
                let mut root = copy_for_merge(object, patch, bounds)?;
                let schema = merge_schema_of(object);
                if !is_stated {
                    untyped::check_unstated(patch, schema).map_err(PatchStop::located)?;
                }
                merge::apply(&mut root, patch, schema);
                Ok(Some(root))
            }
            Self::Strategic { patch, action: PatchAction::Delete } => {
                bounds
                    .compare(1)
                    .map_err(|exceeded| PatchStop::at(patch.display_origin(), &exceeded.into()))?;
                check_identity(patch, object).map_err(PatchStop::located)?;
                Ok(None)
            }
            Self::Strategic { patch, .. } => {
                let mut root = copy_for_merge(object, patch, bounds)?;
                let schema = merge_schema_of(object)
                    .ok_or_else(|| Error::NoMergeKeys(object.kind().to_owned()))
                    .map_err(|error| PatchStop::at(patch.display_origin(), &error))?;
                strategic::apply(&mut root, patch, schema).map_err(PatchStop::located)?;
                Ok(Some(root))
            }
        }
    }
}

fn copy_for_merge(object: &Manifest, patch: &Node, bounds: &mut PatchBudget) -> Result<Node, PatchStop> {
    bounds::reserve_merge(object.root(), patch, bounds)
        .map_err(|exceeded| PatchStop::at(patch.display_origin(), &exceeded.into()))?;
    Ok(object.root().clone())
}

/// Checks that a deleted object is the one that the patch names, if it names one. A target may match more.
fn check_identity(patch: &Node, object: &Manifest) -> Result<(), (Error, Origin)> {
    for (field, path, have) in [
        ("apiVersion", &["apiVersion"][..], object.api_version()),
        ("kind", &["kind"], object.kind()),
        ("metadata.name", &["metadata", "name"], object.name()),
        ("metadata.namespace", &["metadata", "namespace"], object.namespace()),
    ] {
        let named = patch.at(path).filter(|node| !have.is_empty() && node.as_str() != Some(have));
        if let Some(named) = named {
            return Err((
                Error::OtherObject { field, object: object.id().to_string() },
                named.display_origin(),
            ));
        }
    }
    Ok(())
}
