//! Reads a `CustomResourceDefinition`: the kind it defines, its versions, and whether objects keep unknown fields.

use super::compile::{CompiledVersion, SchemaCompiler, UncheckedDefaults};
use super::crd::{CrdKind, CrdVersion, Crds, RuleCount};
use super::fault::CrdFault;
use super::node::NodeId;
use super::path::ValuePath;
use super::resource_scope::ResourceScope;
use super::schemas::{CRD_GROUP, CRD_KIND, gvk};
use super::violation::Violation;
use sealwave_core::document::{Node, NodeValue};

/// Group, name and schemas of the kind that a definition defines.
pub(super) type DefinedKind<'c> = Option<(&'c str, &'c str, CrdKind)>;

/// A definition that was read.
pub(super) struct ParsedCrd<'c> {
    /// `None` if the object is not a definition.
    pub(super) definition: DefinedKind<'c>,
    /// Faults in the definition, in document order.
    pub(super) faults: Vec<Violation<'c>>,
    /// The defaults in its schemas, not checked yet.
    pub(super) defaults: UncheckedDefaults<'c>,
}

/// Reads a definition.
pub(super) fn parse_crd<'c>(crds: &mut Crds, metadata: NodeId, crd: &'c Node) -> ParsedCrd<'c> {
    let structural = !matches!(gvk(crd), Some((_, "v1beta1", _)));
    let spec = crd.get("spec");
    // In `v1` the default is false (only converted definitions set it); in `v1beta1` the default is true.
    let preserve = match spec.and_then(|spec| spec.get("preserveUnknownFields")).map(|node| &node.value) {
        Some(NodeValue::Bool(preserve)) => *preserve,
        _ => !structural,
    };
    let mut compiler = SchemaCompiler::new(crds, metadata, structural, preserve);
    let text = |path: &[&str]| spec.and_then(|spec| spec.at(path)).and_then(Node::as_str);
    let (Some(group), Some(kind), true) = (
        text(&["group"]),
        text(&["names", "kind"]),
        gvk(crd).is_some_and(|gvk| gvk.0 == CRD_GROUP && gvk.2 == CRD_KIND),
    ) else {
        let fault = CrdFault::Lacks { what: CRD_KIND, needs: "spec.group and spec.names.kind" };
        compiler.fault(fault, &ValuePath::ROOT, crd.origin);
        return ParsedCrd { definition: None, faults: compiler.into_faults(), defaults: Vec::new() };
    };
    let versions = spec.map(|spec| versions(&mut compiler, spec)).unwrap_or_default();
    let scope =
        if text(&["scope"]) == Some("Cluster") { ResourceScope::Cluster } else { ResourceScope::Namespaced };
    let defaults = compiler.take_defaults();
    let definition = Some((group, kind, CrdKind { scope, versions }));
    ParsedCrd { definition, faults: compiler.into_faults(), defaults }
}

fn versions<'c>(compiler: &mut SchemaCompiler<'c, '_>, spec: &'c Node) -> Vec<CrdVersion> {
    let at = ValuePath::ROOT;
    let at = at.key("spec");
    let shared = spec.at(&["validation", "openAPIV3Schema"]);
    let shared_at = at.key("validation");
    let shared = shared.map(|schema| compiler.root(schema, &shared_at.key("openAPIV3Schema")));
    let list_at = at.key("versions");
    let mut all = Vec::new();
    for (index, version) in spec.get("versions").map(Node::items).unwrap_or_default().iter().enumerate() {
        let Some(name) = version.get("name").and_then(Node::as_str) else { continue };
        let at = list_at.index(index);
        let at = at.key("schema");
        let own = version.at(&["schema", "openAPIV3Schema"]);
        let own = own.map(|schema| compiler.root(schema, &at.key("openAPIV3Schema")));
        all.push(version_of(name, Some(version), own.or(shared)));
    }
    // The oldest definitions have a single version and no list.
    if all.is_empty()
        && let Some(name) = spec.get("version").and_then(Node::as_str)
    {
        all.push(version_of(name, None, shared));
    }
    all
}

fn version_of(name: &str, version: Option<&Node>, schema: Option<CompiledVersion>) -> CrdVersion {
    let is_set_to = |key: &str, flag: bool| {
        version
            .and_then(|version| version.get(key))
            .is_some_and(|node| matches!(node.value, NodeValue::Bool(value) if value == flag))
    };
    CrdVersion {
        name: name.to_owned(),
        served: !is_set_to("served", false),
        deprecated: is_set_to("deprecated", true),
        root: schema.map(|schema| schema.root),
        rules: schema.map_or_else(RuleCount::default, |schema| schema.rules),
        alternatives: schema.is_some_and(|schema| schema.alternatives),
    }
}
