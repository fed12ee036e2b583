//! The comparison of `switch` with a cluster.

use crate::cli::SwitchArgs;
use crate::config::{self, VariableReader};
use crate::deadline::RunWatch;
use sealwave_core::diagnostic::{Failure, Problem};
use sealwave_operations::state::{OperationId, StateDirectory};
use sealwave_operations::switch::{KubernetesState, RecordedUids, Switch, SwitchFinding, live_findings};
use sealwave_providers::ClusterAccess;
use sealwave_secrets::settings::ExternalSecretVersion;

/// Compares the cluster with what the next step needs, and records the UIDs of the Secrets.
pub(super) fn check_cluster(
    args: &SwitchArgs,
    switch: &Switch,
    external_secrets: ExternalSecretVersion,
    variables: VariableReader,
    watch: &RunWatch,
) -> Result<Vec<SwitchFinding>, Failure> {
    let access = ClusterAccess {
        kubeconfigs: config::kubeconfigs(args.kubeconfig.as_deref(), variables),
        context: args.context.clone(),
    };
    let state_directory = config::state_directory(args.state_dir.as_deref(), variables);
    let state_directory = state_directory.as_deref().map(StateDirectory::open).transpose();
    let state_directory = state_directory.map_err(|error| Problem::new(&error))?;
    let names = [args.context.clone().unwrap_or_default(), switch.request.environment.clone()];
    let journal =
        state_directory.map(|state| state.journal::<RecordedUids>(OperationId::new("switch", names)));
    let mut journal = journal.transpose().map_err(|error| Problem::new(&error))?;
    let mut uids = journal.as_ref().and_then(|journal| journal.state().cloned()).unwrap_or_default();
    let client = access.connect(watch.deadline()).map_err(|error| Problem::new(&error))?;
    let live = KubernetesState { client, external_secrets };
    let findings = live_findings(switch, &live, &mut uids).map_err(|error| Problem::new(&error))?;
    if let Some(journal) = &mut journal {
        journal.record(uids).map_err(|error| Problem::new(&error))?;
    }
    Ok(findings)
}
