//! The places that Secrets read an access key from, as `--write` names them.
//!
//! They come from a repository, so an operator has to check and name them: nothing is written because of this list.

use std::collections::{BTreeMap, BTreeSet};

use sealwave_secrets::placeholder::SecretReference;

/// A reference that an item of a Secret has.
#[derive(Clone, Debug)]
pub struct ReadReference {
    /// The Secret, as `namespace/name`.
    pub secret: String,
    /// The key of the item.
    pub item: String,
    /// The reference.
    pub reference: SecretReference,
}

/// The references of one Secret to the two parts of a key.
#[derive(Default)]
struct KeyParts {
    ids: BTreeSet<SecretReference>,
    secrets: BTreeSet<SecretReference>,
}

/// Returns the places of access keys, by their providers. `items` are the names of the two parts: of an item, or of a key within a
/// document, for items with both.
#[must_use]
pub fn suggested_places(reads: Vec<ReadReference>, items: &[String; 2]) -> BTreeSet<(String, String)> {
    let mut by_secret: BTreeMap<String, KeyParts> = BTreeMap::new();
    for ReadReference { secret, item, reference } in reads {
        // A pinned version would not get the new key.
        if reference.version.is_some() || reference.all_keys {
            continue;
        }
        let is_part = |name: &String| item == *name || reference.key.as_ref() == Some(name);
        let [is_id, is_secret] = [&items[0], &items[1]].map(is_part);
        let parts = by_secret.entry(secret).or_default();
        match (is_id, is_secret) {
            (true, false) => drop(parts.ids.insert(reference)),
            (false, true) => drop(parts.secrets.insert(reference)),
            _ => {}
        }
    }
    by_secret.values().flat_map(KeyParts::places).collect()
}

impl KeyParts {
    /// Returns the pairs: two keys of one document, or the only two values.
    fn places(&self) -> Vec<(String, String)> {
        let is_only_pair = self.ids.len() == 1 && self.secrets.len() == 1;
        let pairs = self.ids.iter().flat_map(|id| self.secrets.iter().map(move |secret| (id, secret)));
        let place = |(id, secret): (&SecretReference, &SecretReference)| {
            let location = match (&id.key, &secret.key) {
                _ if id.provider != secret.provider => return None,
                (Some(id_key), Some(secret_key)) if id.path == secret.path => {
                    format!("{}#{id_key},{secret_key}", id.path)
                }
                (None, None) if is_only_pair => format!("{},{}", id.path, secret.path),
                _ => return None,
            };
            Some((id.provider.to_string(), location))
        };
        pairs.filter_map(place).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(reads: &[(&str, &str, &str, &str, Option<&str>)]) -> Vec<String> {
        let read =
            |(secret, item, provider, path, key): &(&str, &str, &str, &str, Option<&str>)| ReadReference {
                secret: (*secret).to_owned(),
                item: (*item).to_owned(),
                reference: SecretReference {
                    provider: (*provider).into(),
                    path: path.trim_end_matches('!').to_owned(),
                    key: key.map(str::to_owned),
                    version: path.ends_with('!').then(|| "1".to_owned()),
                    all_keys: false,
                },
            };
        let items = ["ID".to_owned(), "SECRET".to_owned()];
        let found = suggested_places(reads.iter().map(read).collect(), &items);
        found.into_iter().map(|(provider, location)| format!("{provider}:{location}")).collect()
    }

    #[test]
    fn items_and_keys_of_documents_are_paired() {
        let found = places(&[
            ("a/one", "ID", "aws-sm", "prod/aws", Some("id")),
            ("a/one", "SECRET", "aws-sm", "prod/aws", Some("secret")),
            ("a/file", "credentials", "aws-sm", "prod/file", Some("ID")),
            ("a/file", "credentials", "aws-sm", "prod/file", Some("SECRET")),
            ("a/two", "ID", "aws-ssm", "/id", None),
            ("a/two", "SECRET", "aws-ssm", "/secret", None),
            ("a/two", "other", "aws-ssm", "/other", None),
        ]);
        assert_eq!(found, ["aws-sm:prod/aws#id,secret", "aws-sm:prod/file#ID,SECRET", "aws-ssm:/id,/secret"]);
    }

    #[test]
    fn halves_and_pinned_versions_are_no_places() {
        for reads in [
            &[("a/b", "ID", "aws-sm", "x", Some("id"))][..],
            &[("a/b", "ID", "aws-sm", "x", Some("id")), ("a/c", "SECRET", "aws-sm", "x", Some("secret"))],
            &[("a/b", "ID", "aws-sm", "x", Some("id")), ("a/b", "SECRET", "other", "x", Some("secret"))],
            &[("a/b", "ID", "aws-sm", "x", Some("id")), ("a/b", "SECRET", "aws-sm", "y", None)],
            &[("a/b", "ID", "aws-sm", "x!", Some("id")), ("a/b", "SECRET", "aws-sm", "x!", Some("secret"))],
        ] {
            assert_eq!(places(reads), Vec::<String>::new(), "{reads:?}");
        }
    }
}
