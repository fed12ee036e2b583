//! The backends that replace a Secret with another object, one per file. Each implements [`Backend`] and has one line in
//! the registry.
//!
//! No backend sees a secret value. Backends that store references get an [`UnresolvedSecret`], with the text of items as
//! it was committed. The backend that stores sealed values gets a [`MeasuredSecret`], with sizes only, and later the
//! ciphertexts that the stage `seal` makes.

mod backend;
mod common;
mod external_secrets;
pub(crate) mod metadata;
mod metadata_types;
mod naming;
mod refusal;
mod registry;
pub(crate) mod sealed_secrets;
mod secrets_store_csi;
#[cfg(test)]
mod testing;

pub(crate) use backend::{
    Backend, MeasuredItem, MeasuredSecret, ReplacedSecret, UnresolvedItem, UnresolvedSecret,
};
pub(crate) use registry::{RegisteredBackend, ReplacedSecrets, after_build, backend};

#[cfg(test)]
mod tests {
    use std::path::Path;

    use walkdir::WalkDir;

    #[test]
    fn no_backend_names_a_type_that_holds_values() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/backends");
        let holders = [["Secret", "Value"], ["Resolved", "Secret"], ["Resolved", "Item"], ["Item", "Value"]];
        let mut files = 0;
        for entry in WalkDir::new(directory).into_iter().map(Result::unwrap) {
            if entry.file_type().is_file() {
                let text = fs_err::read_to_string(entry.path()).unwrap();
                let named = holders.map(|parts| parts.concat()).into_iter().find(|name| text.contains(name));
                assert_eq!(named, None, "{}", entry.path().display());
                files += 1;
            }
        }
        assert!(files > 10, "only {files} files");
    }
}
