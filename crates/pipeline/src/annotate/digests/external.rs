//! Digests of an `ExternalSecret`: its data sources and its template.

use std::collections::BTreeSet;

use super::{DigestCache, DigestedItem, ReferencedObject, combine_digests};
use sealwave_core::document::{ByAddress, Node};
use sealwave_kube::pods::{PodReference, ReferencedKeys, ReferencedKind};
use sealwave_secrets::crypto::KeyedDigest;

const SOURCE: &str = "ExternalSecret";

impl<'a> DigestCache<'a> {
    pub(super) fn external_secret(&mut self, wanted: &ReferencedObject<'_, 'a>) -> Vec<DigestedItem<'a>> {
        if let ReferencedKeys::Only(keys) = wanted.keys {
            let each = keys.iter().map(|key| Some(wanted.item(SOURCE, key, self.external_key(wanted, key)?)));
            if let Some(items) = each.collect() {
                return items;
            }
        }
        vec![wanted.item(SOURCE, "", self.external_whole(wanted))]
    }

    /// Digests what determines one key. Returns `None` if that cannot be determined.
    fn external_key(&mut self, wanted: &ReferencedObject<'_, 'a>, key: &str) -> Option<KeyedDigest> {
        let data = wanted.field(&["spec", "data"])?;
        let Some(template) = wanted.field(&["spec", "target", "template"]) else {
            return self.data_entry(wanted, data, key);
        };
        if template.get("templateFrom").is_some() || wanted.field(&["spec", "dataFrom"]).is_some() {
            return None;
        }
        let text = self.lookup(template.get("data")?, "", key)?;
        let at = ByAddress(text);
        if let Some(digest) = self.entries.get(&at) {
            return Some(*digest);
        }
        let options = ["engineVersion", "mergePolicy"].map(|field| template.get(field));
        let mut digests = vec![self.digest_nodes(SOURCE, &[Some(text)])];
        digests.push(self.digest_whole(wanted, "ExternalSecret.template", &options).digest);
        for name in template_names(text.as_str()?)? {
            digests.push(self.data_entry(wanted, data, name)?);
        }
        let parts: Vec<&[u8]> = digests.iter().map(|digest| digest.bytes().as_slice()).collect();
        let digest = self.key.digest("annotate/external-key", &parts);
        self.entries.insert(at, digest);
        Some(digest)
    }

    /// Digests the `data` entry for a secret key.
    fn data_entry(
        &mut self,
        wanted: &ReferencedObject<'_, 'a>,
        data: &'a Node,
        name: &str,
    ) -> Option<KeyedDigest> {
        let entry = self.lookup(data, "secretKey", name)?;
        Some(self.digest_entry(SOURCE, entry, wanted.field(&["spec", "secretStoreRef"])))
    }

    /// Digests everything that determines the values, including what the template reads from other objects.
    fn external_whole(&mut self, wanted: &ReferencedObject<'_, 'a>) -> KeyedDigest {
        if let Some(digest) = self.whole.get(&(SOURCE, wanted.index)) {
            return *digest;
        }
        let data_entry = ["secretStoreRef", "data", "dataFrom"].map(|field| wanted.field(&["spec", field]));
        let made = ["data", "templateFrom", "mergePolicy", "engineVersion"]
            .map(|field| wanted.field(&["spec", "target", "template", field]));
        let own = self.digest_nodes(SOURCE, &[data_entry.as_slice(), &made].concat());
        let mut items = BTreeSet::from([wanted.item(SOURCE, "", own)]);
        let namespace = wanted.object.namespace;
        for from in wanted.field(&["spec", "target", "template", "templateFrom"]).map_or(&[][..], Node::items)
        {
            let name_in = |field: &str| from.at(&[field, "name"]).and_then(Node::as_str);
            let reference_to =
                |what, name| PodReference { kind: what, name, keys: ReferencedKeys::All, optional: false };
            if let Some(name) = name_in("configMap") {
                self.collect(namespace, &reference_to(ReferencedKind::ConfigMap, name), &mut items);
            }
            if let Some(name) = name_in("secret") {
                // `ExternalSecret`s that create such a Secret are skipped, since they could form a cycle.
                self.collect_sealed(namespace, &reference_to(ReferencedKind::Secret, name), &mut items);
            }
        }
        let digest = combine_digests(self.key, "annotate/external", &items);
        self.whole.insert((SOURCE, wanted.index), digest);
        digest
    }
}

/// Returns the names by which a Go template reads its values. Returns `None` unless all actions have a form that
/// sealwave generates: one name with filters that read no other name, or only braces. Templates can reach values in
/// more ways than this function recognizes.
fn template_names(template: &str) -> Option<BTreeSet<&str>> {
    let mut template_names = BTreeSet::new();
    let mut rest = template;
    while let Some((_, opened)) = rest.split_once("{{") {
        let (action, behind) = opened.split_once("}}")?;
        rest = behind;
        let action = action.trim();
        if is_braces(action) {
            continue;
        }
        let field = action.strip_prefix('.')?;
        let end = field.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(field.len());
        let (name, filters) = field.split_at(end);
        if name.is_empty() || filters.contains(['.', '$', '(', '{', '`']) {
            return None;
        }
        template_names.insert(name);
    }
    Some(template_names)
}

fn is_braces(action: &str) -> bool {
    let quoted = action.strip_prefix('"').and_then(|action| action.strip_suffix('"'));
    quoted.is_some_and(|text| !text.is_empty() && text.bytes().all(|byte| byte == b'{'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_simple_templates_are_found() {
        let found =
            |text| template_names(text).map(|template_names| template_names.into_iter().collect::<Vec<_>>());
        assert_eq!(found("plain { text }}").as_deref(), Some(&[][..]));
        assert_eq!(found("{{ .r0 }}{{.r_1|b64enc}}:{{ .r0 }}").as_deref(), Some(&["r0", "r_1"][..]));
        assert_eq!(found(r#"{{ "{{" }}{{ .a | replace "+" "%20" }}"#).as_deref(), Some(&["a"][..]));
        for other in [
            "{{ .a",
            "{{ . | toJson }}",
            "{{ .a.b }}",
            "{{ .a | default .b }}",
            "{{ .a | printf \"%s\" (index $ \"b\") }}",
            "{{ index . \"a-b\" }}",
            "{{ if .a }}x{{ end }}",
            "{{ range $k, $v := . }}{{ $v }}{{ end }}",
            "{{- .a }}",
            "{{{ .a }}",
            "{{ \"}}\" }}",
            "{{ \"\" }}",
            "{{ }}",
        ] {
            assert_eq!(found(other), None, "{other}");
        }
    }
}
