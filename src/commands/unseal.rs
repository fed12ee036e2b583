//! `unseal`: prints the Secrets of SealedSecrets in plaintext, for recovery.

use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::time::Duration;

use super::operation::refuse_in_sidecar;
use super::{CommandOutput, Plaintext, manifest_format};
use crate::cli::{OutputFormat, UnsealArgs};
use crate::config::VariableReader;
use crate::deadline::RunWatch;
use sealwave_core::diagnostic::{Explain, Failure, Note, Problem};
use sealwave_core::names::item_label;
use sealwave_operations::documents::ManifestInput;
use sealwave_operations::key_files::UnsealKeys;
use sealwave_operations::unseal::{OpenedItem, UnsealedSecrets};

/// The time for a backup with many keys and items: each item may need an operation with each key.
const TIME_LIMIT: Duration = Duration::from_hours(6);

/// Files of Argo CD's sidecar: a private key there would be beside everything that renders manifests.
const SIDECAR_FILES: [&str; 2] =
    ["/var/run/argocd/argocd-cmp-server", "/home/argocd/cmp-server/config/plugin.yaml"];

#[derive(Debug, thiserror::Error)]
enum UnsealCommandError {
    #[error("private keys must not be used in the sidecar of Argo CD: `{0}` exists")]
    InSidecar(&'static str),
    #[error("Secrets in plaintext are not printed to a terminal")]
    Terminal,
}

impl Explain for UnsealCommandError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::InSidecar(_) => {
                "run it where nothing renders manifests, and keep private keys out of the sidecar"
            }
            Self::Terminal => {
                "`-w FILE` writes them to a new file, readable only by you; `--show-values` prints them anyway"
            }
        };
        Some(hint.to_owned())
    }
}

/// The note about a key that opened an item.
#[derive(Debug, thiserror::Error)]
#[error("{} of Secret `{}` was opened with key sha256:{}{}", item_label(.0.item), .0.secret, .0.key.public_key_sha256, of_secret(.0.key.secret.as_deref()))]
struct OpenedBy<'a>(OpenedItem<'a>);

impl Explain for OpenedBy<'_> {}

fn of_secret(name: Option<&str>) -> String {
    name.map(|name| format!(" of Secret `{name}`")).unwrap_or_default()
}

pub(super) fn run(
    args: &UnsealArgs,
    variables: VariableReader,
    watch: &RunWatch,
) -> Result<CommandOutput, Failure> {
    watch.set_time_limit(TIME_LIMIT);
    refuse_in_sidecar("unseal", variables)?;
    refuse_keys_in_sidecar()?;
    if args.write.is_none() && !args.show_values && io::stdout().is_terminal() {
        return Err(Problem::new(&UnsealCommandError::Terminal).into());
    }
    let mut notes = Vec::new();
    let input = ManifestInput::read(&args.file)?;
    let keys = UnsealKeys::read(&args.key, &args.identity, &mut notes)?;
    let secrets = UnsealedSecrets::open(&input, args.namespace.as_deref(), &keys, &mut notes)?;
    if args.verbose {
        notes.extend(secrets.opened_items().map(|item| Note::info(Problem::new(&OpenedBy(item)))));
    }
    let format = manifest_format(OutputFormat::of_file(args.output, args.write.as_deref()));
    let output = CommandOutput { notes, ..CommandOutput::default() };
    let Some(path) = &args.write else {
        let plaintext = Some(Plaintext(secrets.danger_manifests(format)));
        return Ok(CommandOutput { plaintext, ..output });
    };
    secrets.danger_write(path, format).map_err(|error| Problem::new(&error))?;
    Ok(output)
}

/// Refuses private keys beside what renders manifests.
///
/// # Errors
/// This is the sidecar of Argo CD.
pub(super) fn refuse_keys_in_sidecar() -> Result<(), Failure> {
    refuse_at(&SIDECAR_FILES)
}

fn refuse_at(files: &[&'static str]) -> Result<(), Failure> {
    match files.iter().find(|file| Path::new(file).symlink_metadata().is_ok()) {
        Some(file) => Err(Problem::new(&UnsealCommandError::InSidecar(file)).into()),
        None => Ok(()),
    }
}
