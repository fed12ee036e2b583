//! Values of placeholders, from the providers of the operator file and under its policy.

use std::path::Path;
use std::time::{Duration, Instant};

use super::error::PolicyWaived;
use crate::cli::SealArgs;
use crate::commands::access::{access, audit};
use crate::config::{self, AppIdentity, Caller, OperatorFile, PolicyUse, VariableReader};
use crate::deadline::RunWatch;
use crate::ops::AuditLog;
use sealwave_core::diagnostic::{Failure, Note, Problem};
use sealwave_core::reach::repository_root;
use sealwave_pipeline::{AuditSink, ValueSource};
use sealwave_providers::{AppDetails, ProviderRegistry};
use sealwave_secrets::policy::{Policy, PolicySubject};

/// The providers of an operator file, and who asks them.
pub(super) struct OperatorValues {
    providers: ProviderRegistry,
    policy: Policy,
    policy_use: PolicyUse,
    subject: PolicySubject,
    cluster: String,
    audit: Option<AuditLog>,
}

impl OperatorValues {
    /// Prepares the providers.
    ///
    /// # Errors
    /// Neither a project nor the waiver is given, or a setting is not valid.
    pub(super) fn new(
        args: &SealArgs,
        operator: &OperatorFile,
        cluster: String,
        variables: VariableReader,
        watch: &RunWatch,
    ) -> Result<Self, Failure> {
        let directory = fs_err::canonicalize(".").unwrap_or_else(|_| Path::new(".").to_owned());
        let caller = Caller::detect(variables).map_err(|error| Problem::new(&error))?;
        let identity = AppIdentity::decide(&caller, &args.identity(), &directory);
        let identity = identity.map_err(|error| Problem::new(&error))?;
        let operator_path = config::operator_path(args.certificate.operator.clone(), variables);
        let policy_use = caller
            .policy_use(identity.project.as_deref(), args.policy.no_policy, operator_path.as_ref())
            .map_err(|error| Problem::new(&error))?;
        watch.set_time_limit(Duration::from_secs(operator.operator().deadline_seconds));
        let subject = identity.subject(args.policy.env.as_deref().unwrap_or(&cluster));
        let boundary = repository_root(&directory).unwrap_or(&directory).to_owned();
        let audit = audit(&boundary, operator, &subject)?;
        let app = AppDetails { directory, boundary, subject: subject.clone() };
        let providers = operator.providers(&app, variables)?;
        Ok(Self { providers, policy: operator.policy()?, policy_use, subject, cluster, audit })
    }

    /// Returns the source of values.
    pub(super) fn source(&self, deadline: Instant, notes: &mut Vec<Note>) -> ValueSource<'_> {
        ValueSource::Fetch {
            providers: &self.providers,
            access: access(self.policy_use, &self.policy, &self.subject, &PolicyWaived, notes),
            cluster: &self.cluster,
            audit: self.audit.as_ref().map(|audit| audit as &dyn AuditSink),
            default_provider: None,
            deadline,
        }
    }
}
