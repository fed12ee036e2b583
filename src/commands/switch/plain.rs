//! `switch` for the plain Secrets of a directory that sealwave does not render yet.

use std::collections::BTreeMap;
use std::path::Path;

use super::cluster::check_cluster;
use super::committed::CommittedSwitch;
use super::note::SwitchNote;
use super::report::{KeptCount, SwitchReport};
use crate::cli::SwitchArgs;
use crate::commands::CommandOutput;
use crate::config::VariableReader;
use crate::deadline::RunWatch;
use sealwave_core::diagnostic::{Failure, Note, Problem};
use sealwave_operations::switch::{
    PlainSecrets, SwitchRequest, SwitchScope, SwitchStep, find_plain, provider_lines, template_providers,
};
use sealwave_secrets::settings::ExternalSecretVersion;

/// The environment of a directory without environments, as `init` names it.
const ENVIRONMENT: &str = "default";

/// Plans the change of plain Secrets.
pub(super) fn run(
    args: &SwitchArgs,
    directory: &Path,
    variables: VariableReader,
    watch: &RunWatch,
) -> Result<CommandOutput, Failure> {
    let environment = args.env.clone().unwrap_or_else(|| ENVIRONMENT.to_owned());
    let scope = args.secret.clone().map_or(SwitchScope::Environment, SwitchScope::Entry);
    let request = SwitchRequest { environment, scope, to: args.to };
    let PlainSecrets { secrets, unseen } =
        find_plain(directory, &request, args.app.identity.namespace.as_deref())?;
    let (committed, switch) = CommittedSwitch::new(request, secrets, directory)?;
    let mut notes: Vec<Note> = unseen
        .into_iter()
        .map(|(file, reason)| Note::warning(Problem::new(&SwitchNote::NotRead { file, reason })))
        .collect();
    let values = committed.with_values();
    if !values.is_empty() {
        notes.push(Note::warning(Problem::new(&SwitchNote::InHistory(values.join(", ")))));
    }
    let lines = match switch.step {
        SwitchStep::TakeOver => {
            let missing = template_providers(args.to, None);
            let settings = provider_lines(args.to, &missing);
            notes.extend(SwitchNote::missing(missing, args.to));
            settings + &switch.skeleton_lines(&BTreeMap::new())
        }
        _ => String::new(),
    };
    let findings = if args.no_cluster {
        notes.push(Note::info(Problem::new(&SwitchNote::NotChecked)));
        Vec::new()
    } else {
        check_cluster(args, &switch, ExternalSecretVersion::default(), variables, watch)?
    };
    let committed = Some(committed);
    SwitchReport { switch, lines, kept: KeptCount::Known(0), findings, committed, failure: None }
        .finish(args, watch, notes)
}
