//! Writes Secrets in plaintext. Each value is encoded into a buffer that leaves no copy behind.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use sealwave_core::yaml;
use sealwave_pipeline::ManifestFormat;
use sealwave_secrets::values::{SecretBuffer, SecretValue};

use super::secrets::{UnsealedSecret, UnsealedSecrets};
use crate::private_file::{PrivateFile, PrivateFileError};

impl UnsealedSecrets<'_> {
    /// Returns all Secrets as manifests. The result is as secret as they are.
    #[must_use]
    pub fn danger_manifests(&self, format: ManifestFormat) -> SecretValue {
        let mut out = SecretBuffer::default();
        for secret in &self.secrets {
            match format {
                ManifestFormat::Json => write_json(secret, &mut out),
                ManifestFormat::Yaml => write_yaml(secret, &mut out),
            }
        }
        out.into_value()
    }

    /// Writes all Secrets as manifests to a new file that only its owner can read.
    ///
    /// # Errors
    /// The path exists, or the system refuses.
    pub fn danger_write(&self, path: &Path, format: ManifestFormat) -> Result<(), PrivateFileError> {
        let mut file = PrivateFile::create(path)?;
        file.write(self.danger_manifests(format).expose())?;
        file.keep()
    }
}

fn write_yaml(secret: &UnsealedSecret<'_>, out: &mut SecretBuffer) {
    let mut head = Vec::new();
    yaml::write_yaml(&secret.root, &mut head);
    out.push(&head);
    if secret.items.is_empty() {
        return;
    }
    out.push(b"data:\n");
    for item in &secret.items {
        // In quotes: base64 can look like a number or a boolean.
        out.push(format!("  {}: \"", yaml::yaml_string(&item.key)).as_bytes());
        push_base64(&item.value, out);
        out.push(b"\"\n");
    }
}

fn write_json(secret: &UnsealedSecret<'_>, out: &mut SecretBuffer) {
    let mut head = Vec::new();
    yaml::write_json(&secret.root, &mut head);
    // The object ends with a brace and a line break.
    if secret.items.is_empty() {
        return out.push(&head);
    }
    out.push(head.trim_ascii_end().strip_suffix(b"}").unwrap_or(&head));
    out.push(b",\"data\":{");
    for (index, item) in secret.items.iter().enumerate() {
        // A key needs no escapes: it has letters, digits, `-`, `_` and `.` only.
        let comma = if index == 0 { "" } else { "," };
        out.push(format!("{comma}\"{}\":\"", item.key).as_bytes());
        push_base64(&item.value, out);
        out.push(b"\"");
    }
    out.push(b"}}\n");
}

fn push_base64(value: &SecretValue, out: &mut SecretBuffer) {
    out.push(Zeroizing::new(STANDARD.encode(value.expose())).as_bytes());
}
