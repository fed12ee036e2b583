//! `schemas pull`: a cluster's custom resources into a lock file, for `validate` to read offline.

use std::time::Duration;

use super::Outcome;
use crate::cli::SchemasPullArgs;
use crate::config::{self, ArgoCd, Variables};
use crate::deadline::Watch;
use crate::ops::LockFile;
use sealwave_core::diagnostic::{Explain, Failure, Note, Problem};
use sealwave_providers::Cluster;

/// A large cluster behind a slow line takes some of it.
const DEADLINE: Duration = Duration::from_mins(5);

#[derive(Debug, thiserror::Error)]
enum SchemasError {
    #[error("`schemas pull` asks a cluster, and Argo CD runs this")]
    InSidecar,
}

impl Explain for SchemasError {
    fn hint(&self) -> Option<String> {
        Some("run it where you have a kubeconfig, and commit the lock file".to_owned())
    }
}

/// What was written.
#[derive(Debug, thiserror::Error)]
#[error("`{path}` holds {definitions} {}", if *.definitions == 1 { "definition" } else { "definitions" })]
struct Written {
    path: String,
    definitions: usize,
}

impl Explain for Written {}

pub(super) fn pull(args: &SchemasPullArgs, variables: Variables, watch: &Watch) -> Result<Outcome, Failure> {
    if ArgoCd::read(&variables).map_err(|error| Problem::new(&error))?.is_some() {
        return Err(Problem::new(&SchemasError::InSidecar).into());
    }
    watch.allow(DEADLINE);
    let cluster = Cluster {
        kubeconfigs: config::kubeconfigs(args.kubeconfig.as_deref(), variables),
        context: args.context.clone(),
    };
    let lock = LockFile::pull(&cluster, &args.group, watch.deadline());
    let lock = lock.map_err(|error| Problem::new(&error))?;
    lock.write(&args.output).map_err(|error| Problem::new(&error))?;
    let written = Written { path: args.output.display().to_string(), definitions: lock.definitions };
    Ok(Outcome { notes: vec![Note::remark(Problem::new(&written))], ..Outcome::default() })
}
