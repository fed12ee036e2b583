//! Validates apps in parallel: examines each app, shares its definitions and objects with the others, then checks it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::{ValidateError, ValidateNote, ValidateRun};
use crate::cli::{AppArgs, DirArgs};
use crate::commands::session::AppSession;
use crate::config::ValidationPlan;
use crate::deadline::Activity;
use sealwave_core::diagnostic::{Failure, Note, Problem, ProblemPlace};
use sealwave_core::workers;
use sealwave_kube::schema::KubeVersion;
use sealwave_validate::engine::{self, KnownDefinition, SchemaSet, ValidateOptions, ValidationResult};
use sealwave_validate::project::{ValidateTarget, shown};
use sealwave_validate::{EnvironmentInput, ExaminedApp};

/// Custom resource definitions, and the schemas that include them.
type KnownSchemas = (Arc<Vec<KnownDefinition>>, Arc<SchemaSet>);

/// The result of examining an app.
enum AppExamination {
    Examined(Box<(ExaminedApp, ValidateOptions)>),
    Refused(String, Failure),
    /// An error that ends the run.
    Stopped(Failure),
}

impl AppExamination {
    const fn checking(&self) -> Option<&ValidateOptions> {
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

impl ValidateRun<'_> {
    pub(super) fn validate_apps(&mut self, apps: &[ValidateTarget]) -> Result<(), Failure> {
        self.watch.set_total(apps.len() * 2);
        let examinations = workers::parallel_map(apps, |app| {
            let examination = self.examine(&app.path);
            self.watch.advance();
            examination
        });
        let examinations = examinations.map_err(|error| Problem::new(&error))?;
        if let Some(AppExamination::Stopped(failure)) =
            examinations.iter().find(|examination| matches!(examination, AppExamination::Stopped(_)))
        {
            return Err(failure.clone());
        }
        self.check_environments_exist(&examinations)?;
        let lacks_policy_identity = |checking: &ValidateOptions| {
            checking.settings.operator.as_ref().is_some_and(|operator| !operator.is_policy_enabled())
        };
        if examinations.iter().filter_map(AppExamination::checking).any(lacks_policy_identity) {
            self.notes.push(Note::info(Problem::new(&ValidateNote::PolicyNotAsked)));
        }
        let files = examinations.iter().filter_map(AppExamination::app).flat_map(ExaminedApp::files);
        self.output_paths.refuse_inputs(files.map(Path::new))?;
        let mut examinations = self.with_schemas(examinations);
        Self::share_neighbours(&mut examinations);
        let wanted: Vec<&AppExamination> = examinations
            .iter()
            .zip(apps)
            .filter(|(_, app)| app.is_checked)
            .map(|(examination, _)| examination)
            .collect();
        let verdicts = workers::parallel_map(&wanted, |examination| {
            let verdict = match examination {
                AppExamination::Examined(app) => {
                    let name = app.0.environments().app;
                    let _activity = self.watch.begin_activity(format!("checking app `{name}`"));
                    engine::validate(&app.0, &app.1, &self.standing)
                }
                AppExamination::Refused(directory, failure) => engine::failed_examination(directory, failure),
                AppExamination::Stopped(_) => ValidationResult::default(),
            };
            self.watch.advance();
            verdict
        });
        for verdict in verdicts.map_err(|error| Problem::new(&error))? {
            self.add_result(verdict);
        }
        let checked = wanted.iter().filter_map(|examination| examination.checking()).collect::<Vec<_>>();
        for checking in checked {
            self.report_definition_faults(checking);
        }
        for examination in wanted {
            self.report.checked.apps += 1;
            if let AppExamination::Examined(app) = examination {
                let seen = app.0.checked_counts();
                self.report.checked.environments += seen.environments;
                self.report.checked.objects += seen.objects;
                self.report.apps.push(app.0.environments());
            }
        }
        Ok(())
    }

    /// Rejects an `--env` name that no app has: a typo must not look like a clean result. If no app was examined, the
    /// name cannot be checked.
    fn check_environments_exist(&self, examinations: &[AppExamination]) -> Result<(), Failure> {
        let examined = || examinations.iter().filter_map(AppExamination::app);
        let has = |name: &String| examined().any(|app| app.environments().environments.contains(name));
        let is_unknown =
            examined().next().is_none() && (!examinations.is_empty() || self.args.changed_since.is_some());
        match self.args.env.iter().find(|name| !has(name)) {
            Some(name) if !is_unknown => {
                Err(Problem::new(&ValidateError::NoEnvironment(name.clone())).into())
            }
            _ => Ok(()),
        }
    }

    /// Gives every app the objects that the others render.
    fn share_neighbours(examinations: &mut [AppExamination]) {
        let examined: Vec<&ExaminedApp> = examinations.iter().filter_map(AppExamination::app).collect();
        if examined.len() < 2 {
            return;
        }
        let neighbours = Arc::new(engine::neighbours(&examined));
        for examination in examinations {
            if let AppExamination::Examined(app) = examination {
                app.1.neighbours = Arc::clone(&neighbours);
            }
        }
    }

    /// Gives every app the schemas of its Kubernetes versions, including the definitions of all apps.
    fn with_schemas(&self, mut examinations: Vec<AppExamination>) -> Vec<AppExamination> {
        let mut from_apps: Vec<KnownDefinition> = Vec::new();
        for examination in &examinations {
            if let AppExamination::Examined(app) = examination {
                from_apps.extend(app.0.definitions().map(|definition| definition.to_known()));
            }
        }
        let mut sets: BTreeMap<Vec<KubeVersion>, KnownSchemas> = BTreeMap::new();
        for examination in &mut examinations {
            let AppExamination::Examined(app) = examination else { continue };
            let checking = &mut app.1;
            let own = checking.definitions.len() != self.validation.checking.definitions.len();
            let make = |checking: &ValidateOptions| {
                let all = from_apps.iter().chain(checking.definitions.iter()).cloned();
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
        examinations
    }

    fn examine(&self, directory: &Path) -> AppExamination {
        let activity = self.watch.begin_activity(format!("reading app `{}`", shown(directory)));
        match self.try_examine(directory, &activity) {
            Ok((app, validation)) => match validation.into_options() {
                Ok(checking) => AppExamination::Examined(Box::new((app, checking))),
                Err(failure) => AppExamination::Stopped(failure),
            },
            Err(failure) => AppExamination::Refused(shown(directory), failure),
        }
    }

    fn try_examine(
        &self,
        directory: &Path,
        activity: &Activity,
    ) -> Result<(ExaminedApp, ValidationPlan), Failure> {
        let app = AppArgs {
            dir: DirArgs { dir: directory.to_owned() },
            operator: self.args.checks.operator.clone(),
            identity: self.args.identity.clone(),
        };
        let (mut session, environments) = AppSession::open_all(&app, None, self.variables)?;
        let place_of = |keys: &[&str], item: Option<usize>| {
            ProblemPlace::Place(session.discovery.setting_at(keys, item))
        };
        let (settings, boundary) = (&session.discovery.app().validate, session.discovery.boundary());
        let mut own = self.validation.with_app(settings, directory, boundary, &place_of)?;
        let asks_policy = session.identity.project.is_some() || session.caller.argocd().is_some();
        if let Some(view) = own.checking.settings.operator.take() {
            let subject = session.identity.subject("");
            own.checking.settings.operator =
                Some(if asks_policy { view.with_policy_for(subject) } else { view });
        }
        own.checking.fallback = Some(self.crd_resolver(&own.checking, vec![directory.to_owned()]));
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
        let examinations: Vec<EnvironmentInput<'_>> = contexts
            .iter()
            .map(|(context, provider)| EnvironmentInput {
                context: context.clone(),
                default_provider: provider.as_deref(),
            })
            .collect();
        let begin = |environment: &str| {
            activity.set_description(format!(
                "rendering environment `{environment}` of app `{}`",
                shown(directory)
            ));
        };
        let mut app = sealwave_validate::examine(&session.discovery, &examinations, shown(directory), &begin);
        app.read_other_files(&session.discovery);
        Ok((app, own))
    }
}

/// Returns the certificate fingerprint that a `SealedSecret` for the environment's cluster holds, if the operator file
/// names one.
fn fingerprint(session: &AppSession) -> Result<Option<String>, Failure> {
    let Some(operator) = &session.operator else { return Ok(None) };
    let cluster = session.cluster()?;
    let all = operator.certificates()?;
    let own = all.into_iter().find(|(name, ..)| *name == cluster);
    Ok(own.map(|(_, _, certificate)| format!("sha256:{}", certificate.details().public_key_sha256)))
}
