//! `rotate aws`: replaces the access key of an IAM user.

use std::path::PathBuf;

use super::places;
use super::rollout::AppRollout;
use super::sealed::{self, SealedFlags};
use crate::cli::RotateAwsArgs;
use crate::commands::CommandOutput;
use crate::commands::aws_desk::AwsDesk;
use crate::commands::operation::{Decision, Operation};
use crate::config::{self, VariableReader};
use crate::deadline::RunWatch;
use sealwave_core::diagnostic::{Explain, Failure, Note, Problem};
use sealwave_operations::aws_store::StoreKind;
use sealwave_operations::backup::BackupTarget;
use sealwave_operations::clock::SystemClock;
use sealwave_operations::report::OperationOutcome;
use sealwave_operations::rotate_aws::{
    CredentialSink, KeyLocation, KeyRotation, NoFailPoint, PolicyResource, RotationError, RotationOutcome,
    RotationSettings, RotationState, StoreSink, iam_policy,
};
use sealwave_operations::state::OperationId;
use sealwave_providers::aws_account::BucketProbe;

#[derive(Debug, thiserror::Error)]
enum ArgumentError {
    #[error("`{0}` of `--write` is not a place for an access key")]
    Place(String),
    #[error("`{0}` of `--probe-bucket` is not the name of a bucket")]
    Bucket(String),
    #[error("`{0}` of `--probe-endpoint` is not valid")]
    Endpoint(String),
    #[error("`{0}` of `--probe-region` is not a region")]
    Region(String),
}

impl Explain for ArgumentError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Place(_) => {
                "write `aws-sm:NAME#ID-KEY,SECRET-KEY` for a JSON document, or `aws-ssm:/ID-NAME,/SECRET-NAME` for two parameters"
            }
            Self::Bucket(_) => "write only its name, without `s3://` and path",
            Self::Endpoint(_) => {
                "write an `https://` address (`http://` only on this machine), without user, query and fragment"
            }
            Self::Region(_) => "write a region, for example `eu-west-1`",
        };
        Some(hint.to_owned())
    }
}

/// A place for the key: its provider and its location.
struct Place {
    provider: String,
    kind: StoreKind,
    location: KeyLocation,
}

pub(super) fn run(
    args: &RotateAwsArgs,
    variables: VariableReader,
    watch: &RunWatch,
) -> Result<CommandOutput, Failure> {
    let subject = format!("rotate aws (user {}, environment {})", args.user, args.env);
    let operation = Operation::begin("rotate aws", subject, &args.operation, variables, watch)?;
    // Everything that needs no account comes before the login.
    let settings = settings(args)?;
    settings.check().map_err(|error| Problem::new(&error))?;
    let desk = AwsDesk::new(&args.login, variables)?;
    if args.write.is_empty() && args.sealed_files.is_empty() && !args.print_policy {
        return Err(places::missing(args, &desk, variables));
    }
    let places = args.write.iter().map(|text| place(text, &desk)).collect::<Result<Vec<_>, _>>()?;
    let provider = args.provider.as_deref().or_else(|| Some(places.first()?.provider.as_str()));
    provider.map(|provider| desk.kind(provider)).transpose()?;
    if args.print_policy {
        return print_policy(args, &desk, provider, &places);
    }
    let has_journal = !args.operation.dry_run || operation.has_state();
    let sealed = if args.sealed_files.is_empty() {
        None
    } else {
        let flags = SealedFlags::read(args)?;
        let journal = has_journal.then(|| sealed::journal(&operation, args)).transpose()?;
        Some(sealed::sink(args, flags, journal, variables, watch)?)
    };
    let account = desk.account(provider)?;
    if let Some(probe) = &settings.probe {
        account.check_probe(probe).map_err(|error| Problem::new(&error))?;
    }
    let stores = places.into_iter().map(|place| {
        let sink: Box<dyn CredentialSink> =
            Box::new(StoreSink::new(desk.store(&place.provider)?, place.location));
        Ok(sink)
    });
    let mut sinks = stores.collect::<Result<Vec<_>, Failure>>()?;
    sinks.extend(sealed.map(|sink| Box::new(sink) as Box<dyn CredentialSink>));
    let clock = SystemClock::starting_at(config::now(variables)?);
    let progress = operation.progress();
    let rotation = KeyRotation {
        settings: &settings,
        account: &*account,
        sinks: &sinks,
        rollout: &AppRollout { args, variables, watch },
        clock: &clock,
        progress: &*progress,
        fail_point: &NoFailPoint,
    };
    let id = OperationId::new("rotate-aws", [&args.user, &args.env]);
    let planned = |state: Option<&RotationState>| rotation.plan(state).map_err(|error| Problem::new(&error));
    if !has_journal {
        // Nothing is created for a plan.
        return Ok(operation.planned(planned(None)?));
    }
    let journal = operation.journal(id)?;
    let plan = planned(journal.state())?;
    if let Decision::Stop(output) = operation.decide(&plan)? {
        return Ok(output);
    }
    operation.apply(plan, || {
        let report = rotation.run(journal).map_err(|error: RotationError| Problem::new(&error))?;
        Ok(match report.outcome {
            RotationOutcome::Done | RotationOutcome::Reactivated => OperationOutcome::Done,
            RotationOutcome::Waiting(until) => OperationOutcome::Waiting { until },
        })
    })
}

fn settings(args: &RotateAwsArgs) -> Result<RotationSettings, Failure> {
    // The next run may have another working directory.
    let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
    let backup = args.backup.backup.as_ref().map_or(BackupTarget::None, |path| BackupTarget::File {
        path: absolute(path),
        recipients: args.backup.age_recipient.clone(),
    });
    Ok(RotationSettings {
        user: args.user.clone(),
        environment: args.env.clone(),
        backup,
        probe: args.probe_bucket.as_deref().map(|bucket| probe(args, bucket)).transpose()?,
        wait: args.wait,
        grace_period: args.retirement.grace_period,
        delete_after: args.retirement.delete_after,
        delete_key: args.retirement.delete_key.clone(),
        delete_used_key: args.retirement.delete_used_key,
        // Without `--yes`, the person saw them in the plan.
        accept_new_objects: args.accept_new_objects || !args.operation.yes,
        reactivate: args.retirement.reactivate,
        key_file: args.key_file.clone(),
    })
}

fn probe(args: &RotateAwsArgs, bucket: &str) -> Result<BucketProbe, Failure> {
    let (region, endpoint) = (args.probe_region.clone(), args.probe_endpoint.clone());
    if !BucketProbe::is_bucket_name(bucket) {
        return Err(Problem::new(&ArgumentError::Bucket(bucket.to_owned())).into());
    }
    if let Some(region) = region.as_ref().filter(|region| !BucketProbe::is_region(region)) {
        return Err(Problem::new(&ArgumentError::Region(region.clone())).into());
    }
    if let Some(url) = endpoint.as_ref().filter(|url| !BucketProbe::is_endpoint(url)) {
        return Err(Problem::new(&ArgumentError::Endpoint(url.clone())).into());
    }
    Ok(BucketProbe { bucket: bucket.to_owned(), region, endpoint })
}

fn place(text: &str, desk: &AwsDesk<'_>) -> Result<Place, Failure> {
    let parsed = text
        .split_once(':')
        .and_then(|(provider, location)| Some((provider.to_owned(), KeyLocation::parse(location)?)));
    let (provider, location) = parsed.ok_or_else(|| Problem::new(&ArgumentError::Place(text.to_owned())))?;
    let kind = desk.kind(&provider)?;
    for path in location.paths() {
        kind.check_name(path).map_err(|error| Problem::new(&error))?;
    }
    Ok(Place { provider, kind, location })
}

fn print_policy(
    args: &RotateAwsArgs,
    desk: &AwsDesk<'_>,
    provider: Option<&str>,
    places: &[Place],
) -> Result<CommandOutput, Failure> {
    let mut stores: Vec<PolicyResource> = Vec::new();
    for place in places {
        let region = desk.region(Some(&place.provider))?;
        stores.extend(place.location.paths().into_iter().map(|path| PolicyResource {
            kind: place.kind,
            region: region.clone(),
            path: path.to_owned(),
        }));
    }
    let policy = iam_policy(&args.user, desk.region(provider)?.as_deref(), &stores);
    let notes = vec![Note::info(Problem::new(&PolicyNote))];
    Ok(CommandOutput { notes, ..CommandOutput::text(format!("{policy:#}\n")) })
}

/// A remark about the policy.
#[derive(Debug, thiserror::Error)]
#[error("policy was made without a login, so it does not name the account")]
struct PolicyNote;

impl Explain for PolicyNote {
    fn hint(&self) -> Option<String> {
        Some("replace `*` by the number of the account, and write the path of the user before its name if it has one".to_owned())
    }
}
