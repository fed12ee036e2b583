//! The error of `rotate aws` without a place for the key: it lists what the app of the environment reads, as flags.
//!
//! Everyone who can commit decides what an app reads. So the list is for the operator, who has to check it and to pass the flags:
//! no place is used because the repository names it, neither with `--yes` nor after a question.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::rollout::app_args;
use super::sealed;
use crate::cli::RotateAwsArgs;
use crate::commands::aws_desk::AwsDesk;
use crate::commands::session::AppSession;
use crate::config::VariableReader;
use sealwave_core::diagnostic::{Explain, Failure, Problem, is_deceptive};
use sealwave_core::text::shell_quoted;
use sealwave_operations::rotate_aws::{KeyLocation, ReadReference, suggested_places};
use sealwave_operations::switch::find_committed;
use sealwave_pipeline::CollectedRender;

/// The most flags that are listed.
const MAX_FLAGS: usize = 20;

#[derive(Debug, thiserror::Error)]
#[error("no place for the new access key is given")]
struct NoPlace {
    hint: String,
}

impl Explain for NoPlace {
    fn hint(&self) -> Option<String> {
        Some(self.hint.clone())
    }
}

/// Returns the error for a run without a place.
pub(super) fn missing(args: &RotateAwsArgs, desk: &AwsDesk<'_>, variables: VariableReader) -> Failure {
    let usage = "pass `--write PROVIDER:PATH#ID-KEY,SECRET-KEY` or `--sealed-files PATH`";
    let hint = match suggestion(args, desk, variables) {
        Ok(flags) if flags.is_empty() => {
            format!("{usage}; the apps of environment `{}` read no access key that can be written", args.env)
        }
        Ok(flags) => {
            let flags: Vec<String> = flags.into_iter().take(MAX_FLAGS).collect();
            format!(
                "the repository names these places for environment `{}`: check that each one is yours, and pass {}",
                args.env,
                flags.join(" ")
            )
        }
        Err(_) => format!(
            "{usage}; in the directory of an app, or with `--verify DIR`, the places that it reads are listed"
        ),
    };
    Problem::new(&NoPlace { hint }).into()
}

/// Returns the flags for what the apps read. Renders them without values, and asks nothing.
fn suggestion(
    args: &RotateAwsArgs,
    desk: &AwsDesk<'_>,
    variables: VariableReader,
) -> Result<BTreeSet<String>, Failure> {
    let items = sealed::items(&args.sealed_items)?;
    let here = [PathBuf::from(".")];
    let directories = if args.verify.is_empty() { &here[..] } else { &args.verify };
    let mut flags = BTreeSet::new();
    for directory in directories {
        flags.extend(flags_of(args, directory, &items, desk, variables)?);
    }
    // What a terminal would not show as it is cannot be checked.
    flags.retain(|flag| !flag.chars().any(is_deceptive));
    Ok(flags)
}

fn flags_of(
    args: &RotateAwsArgs,
    directory: &Path,
    items: &[String; 2],
    desk: &AwsDesk<'_>,
    variables: VariableReader,
) -> Result<Vec<String>, Failure> {
    let app = app_args(args, directory);
    let (app, environment) = AppSession::open(&app, Some(args.env.clone()), variables)?;
    let session = app.environment(&environment);
    let Some((CollectedRender { attempt, uses, .. }, sources)) = session.collected()? else {
        return Ok(Vec::new());
    };
    let reads = uses.into_iter().map(|(_, used)| ReadReference {
        secret: format!("{}/{}", used.secret.namespace, used.secret.name),
        item: used.item,
        reference: used.reference,
    });
    let is_writable = |(provider, location): &(String, String)| {
        let kind = desk.kind(provider).ok();
        let location = KeyLocation::parse(location);
        kind.zip(location).is_some_and(|(kind, location)| {
            location.paths().into_iter().all(|path| kind.check_name(path).is_ok())
        })
    };
    let stored = suggested_places(reads.collect(), items).into_iter().filter(is_writable);
    let mut flags: Vec<String> = stored
        .map(|(provider, location)| format!("--write={}", shell_quoted(&format!("{provider}:{location}"))))
        .collect();
    let committed = find_committed(&attempt.objects, &session.discovery.app().workloads, &sources);
    let with_key = committed.into_iter().filter(|secret| items.iter().all(|item| secret.keys.contains(item)));
    // With `=`, since a name may begin with a dash.
    flags.extend(with_key.map(|secret| format!("--sealed-files={}", shell_quoted(&secret.file))));
    Ok(flags)
}
