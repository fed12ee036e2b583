//! What rules look at: objects, the environment that they make up, the app of the environments.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::catalogue::Catalogue;
use crate::model::pods::{Located, PodTemplate, located_references, pod_template};
use crate::model::{Manifest, ObjectId, Origin, Scopes, SourceId, WorkloadKind};

/// One object, and what every rule asks of it.
pub(crate) struct Object<'a> {
    /// The object as it was rendered: strings of Secrets may hold placeholders, or values that somebody committed.
    pub(crate) manifest: &'a Manifest,
    /// API group; empty for the core group.
    pub(crate) group: &'a str,
    /// Kind.
    pub(crate) kind: &'a str,
    /// Namespace; empty where there is none.
    pub(crate) namespace: &'a str,
    /// Name; empty where it is generated.
    pub(crate) name: &'a str,
    /// Its pod template, where it is a workload.
    pub(crate) pod: Option<PodTemplate<'a>>,
}

impl<'a> Object<'a> {
    /// Looks at an object; `workloads` are kinds beyond the built-in ones that have pods.
    pub(crate) fn new(manifest: &'a Manifest, workloads: &'a [WorkloadKind]) -> Self {
        Self {
            manifest,
            group: manifest.group(),
            kind: manifest.kind(),
            namespace: manifest.namespace(),
            name: manifest.name(),
            pod: pod_template(manifest, workloads).ok().flatten(),
        }
    }

    /// Whether group and kind are these.
    pub(crate) fn is(&self, group: &str, kind: &str) -> bool {
        self.kind == kind && self.group == group
    }

    /// What its pods refer to, each with its place; nothing where it has no pods.
    pub(crate) fn references(&self) -> Vec<Located<'a>> {
        self.pod.as_ref().map(|pod| located_references(pod.spec)).unwrap_or_default()
    }
}

/// What all rules may know beside the objects.
pub(crate) struct Scene<'a> {
    /// The sources' texts, for rules about how a scalar is spelt.
    pub(crate) texts: &'a Texts,
    /// Which kinds have a namespace.
    pub(crate) scopes: &'a Scopes,
    /// What the run was told.
    pub(crate) settings: &'a Settings,
}

/// What a run was told: what exists elsewhere.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// Patterns `Kind/namespace/name` of objects that exist elsewhere.
    pub(crate) external: Vec<globset::GlobMatcher>,
}

impl Settings {
    /// Whether an object is known to exist outside of what is looked at.
    pub(crate) fn is_external(&self, kind: &str, namespace: &str, name: &str) -> bool {
        let path = format!("{kind}/{namespace}/{name}");
        self.external.iter().any(|pattern| pattern.is_match(&path))
    }
}

/// One environment of an app, or a set of plain manifests.
pub(crate) struct Environment<'a> {
    /// Its name; empty for plain manifests.
    pub(crate) name: &'a str,
    /// What all rules may know.
    pub(crate) scene: Scene<'a>,
    /// The objects as they were rendered, before anything was done with Secrets.
    pub(crate) objects: Vec<Object<'a>>,
    /// The same objects by what they are and by the Secrets that they supply.
    pub(crate) catalogue: Catalogue<'a>,
    /// What Argo CD would get: Secrets sealed or referred, waves and checksums set. None for plain manifests.
    pub(crate) emitted: Option<&'a [Manifest]>,
    /// Objects that other apps of the repository render in an environment of this name.
    pub(crate) neighbours: &'a Neighbours,
}

/// Objects of other apps, and the Secrets that they supply.
#[derive(Clone, Debug, Default)]
pub(crate) struct Neighbours {
    ids: std::collections::BTreeSet<ObjectId>,
}

impl Neighbours {
    /// Adds what an app renders.
    pub(crate) fn extend(&mut self, ids: impl IntoIterator<Item = ObjectId>) {
        self.ids.extend(ids);
    }

    /// Whether there is such an object; a Secret whatever object supplies it.
    pub(crate) fn has(&self, group: &str, kind: &str, namespace: &str, name: &str) -> bool {
        let id = ObjectId {
            group: group.into(),
            kind: kind.into(),
            namespace: namespace.into(),
            name: name.into(),
        };
        self.ids.contains(&id)
    }
}

/// All environments of an app.
pub(crate) struct App<'a> {
    /// In the order of their names.
    pub(crate) environments: &'a [Environment<'a>],
}

/// The texts of the sources at hand. They may hold secrets: no rule puts a part of one into a message.
#[derive(Default)]
pub(crate) struct Texts {
    texts: BTreeMap<SourceId, Text>,
}

struct Text {
    content: Arc<str>,
    /// Lines before it, where it is a part of a source.
    lines_before: u32,
    /// Where each line starts; found out when the first rule asks.
    starts: OnceCell<Vec<usize>>,
}

impl Texts {
    /// Adds a source's text.
    pub(crate) fn add(&mut self, source: SourceId, content: Arc<str>) {
        self.add_part(source, content, 0);
    }

    /// Adds a part of a source's text, in place of the part before.
    pub(crate) fn add_part(&mut self, source: SourceId, content: Arc<str>, lines_before: u32) {
        self.texts.insert(source, Text { content, lines_before, starts: OnceCell::new() });
    }

    /// A source's text, where it is at hand as a whole.
    pub(crate) fn whole(&self, source: SourceId) -> Option<&Arc<str>> {
        self.texts.get(&source).filter(|text| text.lines_before == 0).map(|text| &text.content)
    }

    /// The line that a position is on.
    pub(crate) fn line(&self, source: SourceId, line: u32) -> Option<&str> {
        self.texts.get(&source)?.line(line)
    }

    /// How a scalar is spelt in its source, without a quote where it has one; `None` where that is not known.
    pub(crate) fn spelling(&self, origin: Origin) -> Option<&str> {
        let line = self.line(origin.source, origin.line)?;
        let from = nth_char(line, (origin.column as usize).checked_sub(1)?)?;
        let rest = line.get(from..)?;
        let to = nth_char(rest, origin.width as usize).unwrap_or(rest.len());
        rest.get(..to)
    }
}

impl Text {
    fn line(&self, line: u32) -> Option<&str> {
        let number = (line.checked_sub(self.lines_before)? as usize).checked_sub(1)?;
        let starts = self.starts.get_or_init(|| {
            let ends = memchr::memchr_iter(b'\n', self.content.as_bytes()).map(|at| at + 1);
            std::iter::once(0).chain(ends).collect()
        });
        let from = *starts.get(number)?;
        let to = starts.get(number + 1).copied().unwrap_or(self.content.len());
        self.content.get(from..to).map(|line| line.trim_end_matches(['\n', '\r']))
    }
}

/// Where the character of this number starts.
fn nth_char(text: &str, number: usize) -> Option<usize> {
    if text.is_ascii() {
        return (number <= text.len()).then_some(number);
    }
    text.char_indices().map(|(at, _)| at).chain(std::iter::once(text.len())).nth(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Sources;

    #[test]
    fn a_scalar_is_found_as_it_was_written() {
        let source = Sources::default().add("a.yaml");
        let mut texts = Texts::default();
        texts.add(source, "a: 0777\r\nö: {ü: yes}\n".into());
        let at = |line, column, width| Origin { source, line, column, width };
        assert_eq!(texts.spelling(at(1, 4, 4)), Some("0777"));
        assert_eq!(texts.spelling(at(2, 8, 3)), Some("yes"));
        assert_eq!(texts.spelling(at(9, 1, 1)), None);
        texts.add_part(source, "b: on\n".into(), 10);
        assert_eq!(texts.spelling(at(11, 4, 2)), Some("on"));
        assert_eq!(texts.spelling(at(1, 4, 2)), None);
    }
}
