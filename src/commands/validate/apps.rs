//! Apps side by side: each is examined, learns what the others define and render, and is judged.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::{Remark, Run, ValidateError};
use crate::cli::{AppArgs, DirArgs};
use crate::commands::session::Session;
use crate::config::Validation;
use crate::deadline::Activity;
use sealwave_core::diagnostic::{At, Failure, Note, Problem};
use sealwave_core::workers;
use sealwave_kube::schema::KubeVersion;
use sealwave_validate::engine::{self, Checking, KnownDefinition, SchemaSet, Verdict};
use sealwave_validate::project::{Target, shown};
use sealwave_validate::{Examination, ExaminedApp};

/// Definitions of custom resources, and the schemas with them.
type Known = (Arc<Vec<KnownDefinition>>, Arc<SchemaSet>);

/// An app, examined or not to be.
enum Looked {
    Examined(Box<(ExaminedApp, Checking)>),
    Refused(String, Failure),
    /// The run cannot go on.
    Stopped(Failure),
}

impl Looked {
    const fn checking(&self) -> Option<&Checking> {
        match self {
            Self::Examined(app) => Some(&app.1),
            Self::Refused(..) | Self::Stopped(_) => None,
        }
    }

    const fn app(&self) -> Option<&ExaminedApp> {
        match self {
            Self::Examined(app) => Some(&app.0),
            Self::Refused(..) | Self::Stopped(_) => None,
        }
    }
}

impl Run<'_> {
    pub(super) fn apps(&mut self, apps: &[Target]) -> Result<(), Failure> {
        self.watch.expect(apps.len() * 2);
        let looked = workers::map(apps, |app| {
            let looked = self.examine(&app.path);
            self.watch.advance();
            looked
        });
        let looked = looked.map_err(|_| Problem::new(&ValidateError::Thread))?;
        if let Some(Looked::Stopped(failure)) =
            looked.iter().find(|looked| matches!(looked, Looked::Stopped(_)))
        {
            return Err(failure.clone());
        }
        self.environments_exist(&looked)?;
        let is_silent = |checking: &Checking| {
            checking.settings.operator.as_ref().is_some_and(|operator| !operator.asks_policy())
        };
        if looked.iter().filter_map(Looked::checking).any(is_silent) {
            self.notes.push(Note::remark(Problem::new(&Remark::PolicyNotAsked)));
        }
        let files = looked.iter().filter_map(Looked::app).flat_map(ExaminedApp::files);
        self.written.spare(files.map(Path::new))?;
        let mut looked = self.with_schemas(looked);
        Self::introduce(&mut looked);
        let wanted: Vec<&Looked> =
            looked.iter().zip(apps).filter(|(_, app)| app.wanted).map(|(looked, _)| looked).collect();
        let verdicts = workers::map(&wanted, |looked| {
            let verdict = match looked {
                Looked::Examined(app) => {
                    let name = app.0.environments().app;
                    let _activity = self.watch.begin(format!("checking app `{name}`"));
                    engine::validate(&app.0, &app.1, &self.standing)
                }
                Looked::Refused(directory, failure) => engine::refused(directory, failure),
                Looked::Stopped(_) => Verdict::default(),
            };
            self.watch.advance();
            verdict
        });
        for verdict in verdicts.map_err(|_| Problem::new(&ValidateError::Thread))? {
            self.take(verdict);
        }
        let checked = wanted.iter().filter_map(|looked| looked.checking()).collect::<Vec<_>>();
        for checking in checked {
            self.definitions(checking);
        }
        for looked in wanted {
            self.report.looked_at.apps += 1;
            if let Looked::Examined(app) = looked {
                let seen = app.0.looked_at();
                self.report.looked_at.environments += seen.environments;
                self.report.looked_at.objects += seen.objects;
                self.report.apps.push(app.0.environments());
            }
        }
        Ok(())
    }

    /// A slip in `--env` must not pass for an app without a fault. Apps that did not change, or cannot be examined, may
    /// have what the others do not.
    fn environments_exist(&self, looked: &[Looked]) -> Result<(), Failure> {
        let examined = || looked.iter().filter_map(Looked::app);
        let has = |name: &String| examined().any(|app| app.environments().environments.contains(name));
        let nobody_knows =
            examined().next().is_none() && (!looked.is_empty() || self.args.changed_since.is_some());
        match self.args.env.iter().find(|name| !has(name)) {
            Some(name) if !nobody_knows => {
                Err(Problem::new(&ValidateError::NoEnvironment(name.clone())).into())
            }
            _ => Ok(()),
        }
    }

    /// Tells every app what the others render.
    fn introduce(looked: &mut [Looked]) {
        let examined: Vec<&ExaminedApp> = looked.iter().filter_map(Looked::app).collect();
        if examined.len() < 2 {
            return;
        }
        let neighbours = Arc::new(engine::neighbours(&examined));
        for looked in looked {
            if let Looked::Examined(app) = looked {
                app.1.neighbours = Arc::clone(&neighbours);
            }
        }
    }

    /// Gives every app the schemas of its versions, with the definitions that any app brings.
    fn with_schemas(&self, mut looked: Vec<Looked>) -> Vec<Looked> {
        let mut brought: Vec<KnownDefinition> = Vec::new();
        for looked in &looked {
            if let Looked::Examined(app) = looked {
                brought.extend(app.0.definitions().map(|definition| definition.to_known()));
            }
        }
        let mut sets: BTreeMap<Vec<KubeVersion>, Known> = BTreeMap::new();
        for looked in &mut looked {
            let Looked::Examined(app) = looked else { continue };
            let checking = &mut app.1;
            let own = checking.definitions.len() != self.validation.checking.definitions.len();
            let make = |checking: &Checking| {
                let all = brought.iter().chain(checking.definitions.iter()).cloned();
                let definitions: Arc<Vec<KnownDefinition>> = Arc::new(all.collect());
                let set = SchemaSet::with_places(
                    &checking.kube_versions,
                    definitions.iter().map(KnownDefinition::view),
                );
                (definitions, Arc::new(set))
            };
            let (definitions, set) = if own {
                make(checking)
            } else {
                sets.entry(checking.kube_versions.clone()).or_insert_with(|| make(checking)).clone()
            };
            checking.definitions = definitions;
            checking.schemas = set;
        }
        looked
    }

    fn examine(&self, directory: &Path) -> Looked {
        let activity = self.watch.begin(format!("reading app `{}`", shown(directory)));
        match self.try_examine(directory, &activity) {
            Ok((app, validation)) => match validation.usable() {
                Ok(checking) => Looked::Examined(Box::new((app, checking))),
                Err(failure) => Looked::Stopped(failure),
            },
            Err(failure) => Looked::Refused(shown(directory), failure),
        }
    }

    fn try_examine(
        &self,
        directory: &Path,
        activity: &Activity,
    ) -> Result<(ExaminedApp, Validation), Failure> {
        let app = AppArgs {
            dir: DirArgs { dir: directory.to_owned() },
            operator: self.args.checks.operator.clone(),
            identity: self.args.identity.clone(),
        };
        let (mut session, environments) = Session::open_every(&app, None, self.variables)?;
        let stands = |keys: &[&str], item: Option<usize>| At::Place(session.discovery.setting_at(keys, item));
        let (settings, boundary) = (&session.discovery.app().validate, session.discovery.boundary());
        let mut own = self.validation.with(settings, directory, boundary, &stands)?;
        let asks_policy = session.identity.project.is_some() || session.caller.argocd().is_some();
        if let Some(view) = own.checking.settings.operator.take() {
            let subject = session.identity.subject("");
            own.checking.settings.operator = Some(if asks_policy { view.about(subject) } else { view });
        }
        own.checking.fallback = Some(self.nearby(&own.checking, vec![directory.to_owned()]));
        if environments.is_empty() {
            return Err(Problem::new(&ValidateError::NoEnvironments).into());
        }
        let mut contexts = Vec::new();
        for environment in environments {
            if self.args.env.is_empty() || self.args.env.contains(&environment) {
                session.environment = environment;
                let certificate = fingerprint(&session)?.map(|print| (session.environment.clone(), print));
                own.checking.settings.certificates.extend(certificate);
                contexts.push((session.context()?, session.default_provider()?.map(str::to_owned)));
            }
        }
        let examinations: Vec<Examination<'_>> = contexts
            .iter()
            .map(|(context, provider)| Examination {
                context: context.clone(),
                default_provider: provider.as_deref(),
            })
            .collect();
        let begin = |environment: &str| {
            activity.turn_to(format!("rendering environment `{environment}` of app `{}`", shown(directory)));
        };
        let mut app = sealwave_validate::examine(&session.discovery, &examinations, shown(directory), &begin);
        app.read_beside(&session.discovery);
        Ok((app, own))
    }
}

/// What a `SealedSecret` says that was sealed for the environment's cluster; nothing where no operator file says.
fn fingerprint(session: &Session) -> Result<Option<String>, Failure> {
    let Some(operator) = &session.operator else { return Ok(None) };
    let cluster = session.cluster()?;
    let all = operator.certificates()?;
    let own = all.into_iter().find(|(name, ..)| *name == cluster);
    Ok(own.map(|(_, _, certificate)| format!("sha256:{}", certificate.details().public_key_sha256)))
}
