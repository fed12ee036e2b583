//! Seals Secrets for files that are committed, as kubeseal does: the stages `resolve` and `seal`, without an app.
//!
//! Each object must be a Secret. The items are sealed with fresh randomness, since the file is written once and read from then
//! on. The output has neither waves nor checksums: these are added when an app with the file is rendered.

use std::time::Instant;

use crate::render::RenderedApp;
use crate::secret_stages::{
    AccessPolicy, RandomSealing, SealMode, SealSettings, SealedApp, ValueSource, placeholder_uses,
    placeholder_uses_in, resolve, seal,
};
use sealwave_core::diagnostic::{Explain, Failure, Note, Problem, printable};
use sealwave_core::document::{Manifest, Node, ObjectId, Sources};
use sealwave_core::names::item_label;
use sealwave_core::time::Date;
use sealwave_providers::ProviderRegistry;
use sealwave_secrets::crypto::{Certificate, ChecksumKey};
use sealwave_secrets::placeholder::DEFAULT_PROVIDER;
use sealwave_secrets::settings::{EnvironmentBackends, PlaceholderSettings};

/// Everything that sealing needs besides the Secrets.
pub struct CommitPlan<'a> {
    /// The certificate to seal for.
    pub certificate: Certificate,
    /// The source of values of placeholders; `None` refuses placeholders.
    pub source: Option<ValueSource<'a>>,
    /// Whether a Secret may have no items.
    pub allow_empty: bool,
    /// Today's date, for notes only; `None` disables them.
    pub today: Option<Date>,
}

#[derive(Debug, thiserror::Error)]
enum CommitError {
    #[error("Secret `{0}` has no items")]
    Empty(String),
    #[error("{0} is not a Secret")]
    NotASecret(ObjectId),
    #[error(
        "{item} of Secret `{secret}` has a placeholder, but no operator file says where values come from"
    )]
    Placeholder { item: String, secret: String },
}

impl Explain for CommitError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Empty(_) => "`--allow-empty-data` allows it".to_owned(),
            Self::NotASecret(object) if object.kind == "SealedSecret" => {
                "it is sealed already; `sealwave reseal` seals its items for another certificate".to_owned()
            }
            Self::NotASecret(_) => "pass only objects of `apiVersion: v1` and `kind: Secret`".to_owned(),
            Self::Placeholder { .. } => {
                "`--operator FILE` resolves it; if it is meant as text, double its `<`: `<<name:…`".to_owned()
            }
        })
    }
}

/// Turns each Secret into a `SealedSecret`. `sources` has the places of all objects.
///
/// # Errors
/// All objects that are not Secrets or cannot be sealed, with their places; nothing is sealed then.
pub fn seal_for_commit(
    objects: Vec<Manifest>,
    plan: CommitPlan<'_>,
    sources: &Sources,
    notes: &mut Vec<Note>,
) -> Result<SealedApp, Failure> {
    let mut new_notes = Vec::new();
    let sealed = seal_objects(objects, plan, sources, &mut new_notes);
    notes.extend(new_notes.into_iter().map(|note| note.located(sources)));
    sealed.map_err(|failure| failure.located(sources))
}

/// Reports whether an item of a Secret has a placeholder, whose value must be fetched.
#[must_use]
pub fn has_placeholders(objects: &[Manifest]) -> bool {
    let (backends, reading) = (EnvironmentBackends::default(), PlaceholderSettings::default());
    placeholder_uses_in(objects, Some(DEFAULT_PROVIDER), reading, &backends).next().is_some()
}

fn seal_objects(
    objects: Vec<Manifest>,
    plan: CommitPlan<'_>,
    sources: &Sources,
    notes: &mut Vec<Note>,
) -> Result<SealedApp, Failure> {
    require_secrets(&objects)?;
    let (backends, reading) = (EnvironmentBackends::default(), PlaceholderSettings::default());
    let rendered = RenderedApp::of_secrets(objects, sources)?;
    if plan.source.is_none() {
        refuse_placeholders(&rendered, reading, &backends)?;
    }
    let nothing = ProviderRegistry::default();
    let source = plan.source.unwrap_or_else(|| without_providers(&nothing));
    let resolved = resolve(rendered, &source, reading, &backends, notes)?;
    let sealing = SealMode::Random(RandomSealing::new(plan.certificate));
    let settings = SealSettings { backends: &backends, workloads: &[], today: plan.today };
    let sealed = seal(resolved, &sealing, &settings, &ChecksumKey::preview(), notes)?;
    if !plan.allow_empty {
        refuse_empty(sealed.objects())?;
    }
    Ok(sealed)
}

fn require_secrets(objects: &[Manifest]) -> Result<(), Failure> {
    let others = objects.iter().filter(|object| !object.is_secret() || object.api_version() != "v1");
    let problem = |object: &Manifest| {
        let kind = object.root().get("kind").map_or(object.origin(), |kind| kind.origin);
        Problem::at(kind, &CommitError::NotASecret(object.id()))
    };
    Failure::unless_empty(others.map(problem).collect())
}

/// Refuses placeholders of any provider, also where no placeholder is allowed.
fn refuse_placeholders(
    rendered: &RenderedApp,
    reading: PlaceholderSettings<'_>,
    backends: &EnvironmentBackends,
) -> Result<(), Failure> {
    let source = ValueSource::Withhold { known: None, default_provider: Some(DEFAULT_PROVIDER) };
    let uses = placeholder_uses(rendered.clone(), &source, reading, backends)?;
    let mut problems: Vec<Problem> = uses
        .into_iter()
        .map(|used| {
            let (item, secret) = (item_label(&used.item), printable(&used.secret.name));
            Problem::at(used.origin, &CommitError::Placeholder { item, secret })
        })
        .collect();
    problems.dedup();
    Failure::unless_empty(problems)
}

/// Returns a source without providers, for Secrets without placeholders.
fn without_providers(providers: &ProviderRegistry) -> ValueSource<'_> {
    ValueSource::Fetch {
        providers,
        access: AccessPolicy::Unchecked,
        cluster: "",
        audit: None,
        default_provider: None,
        deadline: Instant::now(),
    }
}

fn refuse_empty(sealed: &[Manifest]) -> Result<(), Failure> {
    let is_empty = |object: &&Manifest| object.root().entries_at(&["spec", "encryptedData"]).is_empty();
    let name = |object: &Manifest| {
        let text = |field| object.root().at(&["metadata", field]).and_then(Node::as_str);
        text("name").or_else(|| text("generateName")).unwrap_or_default().to_owned()
    };
    let problem = |object: &Manifest| Problem::at(object.origin(), &CommitError::Empty(name(object)));
    Failure::unless_empty(sealed.iter().filter(is_empty).map(problem).collect())
}
