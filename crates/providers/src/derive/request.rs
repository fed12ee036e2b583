//! The parts of a reference, and the owner of what it asks for.

use crate::ProviderError;
use sealwave_core::text::{closest_choice, ellipsize, quoted_list};
use sealwave_secrets::crypto::{Alphabet, DerivedSecret};
use sealwave_secrets::placeholder::SecretReference;
use sealwave_secrets::policy::PolicySubject;

/// The most characters of a path.
const MAX_PATH: usize = 512;

/// The most characters of a name in a message.
const MAX_SHOWN: usize = 40;

/// The form of a placeholder.
const FORM: &str = "write `<derive:db/password#alnum:32>`: a path, an alphabet and a length";

/// The parts of a reference.
#[derive(Debug)]
pub(super) struct DeriveRequest<'a> {
    pub(super) path: &'a str,
    pub(super) alphabet: Alphabet,
    pub(super) length: u16,
}

impl<'a> DeriveRequest<'a> {
    pub(super) fn read(reference: &'a SecretReference) -> Result<Self, ProviderError> {
        if reference.version.is_some() {
            return Err(ProviderError::invalid(
                "a derived secret has no versions",
                "omit the version; `epochs` of the provider in the operator file replaces secrets",
            ));
        }
        if reference.all_keys {
            return Err(ProviderError::invalid(
                "a derived secret holds a single value without keys",
                "put `<derive:db/password#alnum:32>` into an item of `stringData`",
            ));
        }
        check_path(&reference.path)?;
        let no_key = || ProviderError::invalid("it names no alphabet and no length", FORM);
        let key = reference.key.as_deref().ok_or_else(no_key)?;
        let (alphabet, length) = key.split_once(':').map_or((key, None), |(name, rest)| (name, Some(rest)));
        let alphabet = read_alphabet(alphabet)?;
        let no_length = || {
            let example = format!("write `#{}:32`", alphabet.name());
            ProviderError::invalid("it names no length", &example)
        };
        let length = read_length(length.ok_or_else(no_length)?)?;
        Ok(Self { path: &reference.path, alphabet, length })
    }
}

/// Checks that Argo CD, or flags, name the owner of a secret completely: an unknown part would be the same for several
/// owners.
pub(super) fn check_owner(owner: &PolicySubject) -> Result<(), ProviderError> {
    let parts = [
        ("project", &owner.project),
        ("app", &owner.app),
        ("destination namespace", &owner.namespace),
        ("environment", &owner.environment),
    ];
    match parts.into_iter().find(|(_, value)| value.is_empty()) {
        None => Ok(()),
        Some((part, _)) => Err(ProviderError::denied(
            format!("the {part} of the app is unknown, and a derived secret belongs to one"),
            "in Argo CD, set `spec.destination.namespace` of the Application; elsewhere `--project`, `--app` and `--namespace`",
        )),
    }
}

/// Refuses paths that could be confused with another one.
fn check_path(path: &str) -> Result<(), ProviderError> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    let why = if path.len() > MAX_PATH {
        "the path has more than 512 characters"
    } else if !path.chars().all(is_allowed) {
        "the path has a character other than `a-z`, `A-Z`, `0-9`, `-`, `_`, `.` and `/`"
    } else if path.split('/').any(str::is_empty) {
        "the path has an empty segment"
    } else if path.split('/').any(|segment| segment.starts_with('.')) {
        "the path has a segment that starts with `.`"
    } else {
        return Ok(());
    };
    Err(ProviderError::invalid(why, "write segments of letters and digits, for example `db/password`"))
}

fn read_alphabet(name: &str) -> Result<Alphabet, ProviderError> {
    Alphabet::from_name(name).ok_or_else(|| {
        let names = Alphabet::ALL.map(Alphabet::name);
        let hint = closest_choice(name, &names).map_or_else(
            || format!("alphabets are {}", quoted_list(&names)),
            |closest| format!("did you mean `{closest}`?"),
        );
        ProviderError::invalid(
            format!("alphabet `{}` is unknown", ellipsize(name.to_owned(), MAX_SHOWN)),
            &hint,
        )
    })
}

/// Reads a length in its only spelling, so that one secret has one reference.
fn read_length(text: &str) -> Result<u16, ProviderError> {
    let (min, max) = (DerivedSecret::MIN_LENGTH, DerivedSecret::MAX_LENGTH);
    let is_plain = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    let length = text.parse().ok().filter(|length| is_plain && (min..=max).contains(length));
    length.ok_or_else(|| {
        ProviderError::invalid(
            format!("its length is not a whole number from {min} to {max}"),
            "32 characters of `alnum` or `hex` cannot be guessed: `#alnum:32`",
        )
    })
}
