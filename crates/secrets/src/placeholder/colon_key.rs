//! References whose key is behind a `:` instead of a `#`: `<file:shop/db.yaml:password>`.

use super::SecretReference;

/// Extensions of files that have keys.
const KEYED_FILES: &[&str] = &[".env", ".json", ".properties", ".yaml", ".yml"];

impl SecretReference {
    /// Returns the reference with the last part of its path as the key, if the path is that of a file with keys, a `:`,
    /// and a name.
    #[must_use]
    pub fn with_key_after_colon(&self) -> Option<Self> {
        if self.key.is_some() || self.all_keys {
            return None;
        }
        let (path, key) = self.path.rsplit_once(':')?;
        let is_file = KEYED_FILES.iter().any(|extension| path.ends_with(extension));
        let is_name =
            !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        (is_file && is_name).then(|| Self {
            path: path.to_owned(),
            key: Some(key.to_owned()),
            ..self.clone()
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::placeholder::PlaceholderText;

    fn meant(text: &str) -> Option<String> {
        let parsed = PlaceholderText::parse(text).unwrap();
        let reference = parsed.references().next().unwrap();
        reference.with_key_after_colon().map(|reference| reference.to_string())
    }

    #[test]
    fn a_key_behind_a_colon_is_recognized() {
        assert_eq!(meant("<file:shop/db.yaml:password>").as_deref(), Some("file:shop/db.yaml#password"));
        assert_eq!(meant("<sops:a.env:DB_URL##3>").as_deref(), Some("sops:a.env#DB_URL#3"));
    }

    #[test]
    fn other_colons_stay() {
        for text in [
            "<aws-sm:arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/db>",
            "<aws-ssm:/shop/db:3>",
            "<file:shop/db.yaml:a#b>",
            "<file:shop/db.yaml:>",
            "<file:shop/db.yaml:a/b>",
            "<file:shop/db.yaml#password>",
        ] {
            assert_eq!(meant(text), None, "{text}");
        }
    }
}
