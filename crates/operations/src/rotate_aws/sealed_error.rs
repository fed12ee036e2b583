//! Reasons why sealed files cannot hold an access key.

use sealwave_core::diagnostic::Explain;

/// The marks in a template.
pub(super) const TEMPLATE_MARKS: [&str; 2] = ["<access-key-id>", "<secret-access-key>"];

/// A reason why sealed files cannot hold the key.
#[derive(Debug, thiserror::Error)]
pub(super) enum SealedSinkError {
    #[error("`--commit` and `--push` need a Git checkout, but the sealed files are not in one")]
    NoCheckout,
    #[error("no SealedSecret has the items `{}` and `{}`", .0[0], .0[1])]
    NoObject([String; 2]),
    #[error("SealedSecret `{object}` has item `{found}`, but not `{missing}`")]
    HalfAKey { object: String, found: String, missing: String },
    #[error("item `{key}` of SealedSecret `{object}` cannot be sealed")]
    NotSealed { object: String, key: String },
    #[error("SealedSecret `{0}` was rendered by sealwave")]
    Rendered(String),
    #[error("template for item `{0}` lacks `{mark}`", mark = .1)]
    Template(String, &'static str),
}

impl Explain for SealedSinkError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoCheckout => "name files of a checkout, or omit the flag".to_owned(),
            Self::NoObject(_) => {
                "check `--sealed-files`, and name other items with `--sealed-items ID-KEY,SECRET-KEY`"
                    .to_owned()
            }
            Self::HalfAKey { .. } => {
                "both items must change together: move the object out of the paths, or complete it".to_owned()
            }
            Self::NotSealed { .. } => "check the certificate with `sealwave cert check`".to_owned(),
            Self::Rendered(_) => {
                "write the key to its source with `--write`, and render the app again".to_owned()
            }
            Self::Template(..) => {
                format!(
                    "write `{}` and `{}` where the parts of the key go",
                    TEMPLATE_MARKS[0], TEMPLATE_MARKS[1]
                )
            }
        })
    }
}
