//! Validates apps in parallel: examines each app, shares its definitions and objects with the others, then checks it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::{RunOutcome, ValidateError, ValidateNote, ValidateRun};
use crate::cli::{AppArgs, DirArgs};
use crate::commands::session::{AppSession, EnvironmentSession};
use crate::config::ValidationPlan;
use crate::deadline::Activity;
use sealwave_core::diagnostic::{Failure, Note, Problem, ProblemPlace};
use sealwave_core::workers;
use sealwave_kube::schema::KubeVersion;
use sealwave_pipeline::ArgoCdTool;
use sealwave_validate::engine::{
    self, AppContext, KnownDefinition, SchemaContext, UnrenderedApps, ValidateOptions, ValidationResult,
};
use sealwave_validate::project::{EarlierApp, RootNames, ValidateTarget, shown};
use sealwave_validate::rules::{EarlierBackends, KnownApp, KnownApps, NeighborApps};
use sealwave_validate::{AppEnvironments, EnvironmentInput, ExaminedApp};

/// The result of examining an app.
enum AppExamination {
    Examined(Box<ExaminedTarget>),
    Refused(String, Failure),
    /// An error that ends the run.
    Stopped(Failure),
}

/// An app that was examined, with the options to check it.
struct ExaminedTarget {
    app: ExaminedApp,
    options: ValidateOptions,
    /// All environments of the app, also those that are not checked.
    environments: Vec<String>,
}

/// An app that can be checked, or that was refused.
enum CheckableApp {
    Ready(Box<ReadyApp>),
    Refused(String, Failure),
}

/// An app with what it is checked with.
struct ReadyApp {
    app: ExaminedApp,
    context: AppContext,
}

/// The examined apps of a run, in the order of the targets.
struct ExaminedApps(Vec<Result<Box<ExaminedTarget>, (String, Failure)>>);

impl ExaminedApps {
    /// Collects the examinations.
    ///
    /// # Errors
    /// The first error that ends the run.
    fn new(examinations: Vec<AppExamination>) -> Result<Self, Failure> {
        let all = examinations.into_iter().map(|examination| match examination {
            AppExamination::Examined(target) => Ok(Ok(target)),
            AppExamination::Refused(directory, failure) => Ok(Err((directory, failure))),
            AppExamination::Stopped(failure) => Err(failure),
        });
        Ok(Self(all.collect::<Result<_, _>>()?))
    }

    fn targets(&self) -> impl Iterator<Item = &ExaminedTarget> {
        self.0.iter().filter_map(|one| one.as_deref().ok())
    }

    fn apps(&self) -> impl Iterator<Item = &ExaminedApp> {
        self.targets().map(|target| &target.app)
    }

    /// Returns the custom resource definitions that the apps render.
    fn definitions(&self) -> Vec<KnownDefinition> {
        self.apps().flat_map(ExaminedApp::definitions).map(|definition| definition.to_known()).collect()
    }

    /// Returns the objects that the apps render, as seen by each other.
    fn neighbors(&self) -> Arc<BTreeMap<String, NeighborApps>> {
        let apps: Vec<&ExaminedApp> = self.apps().collect();
        if apps.len() < 2 { Arc::default() } else { Arc::new(engine::neighbors(&apps)) }
    }

    /// Returns the names that objects may have which do not render, for each environment.
    fn unrendered(&self) -> UnrenderedApps {
        let apps: Vec<&ExaminedApp> = self.apps().collect();
        engine::unrendered_names(&apps, self.0.iter().any(Result::is_err))
    }
}

impl ValidateRun<'_> {
    pub(super) fn validate_apps(
        &self,
        apps: &[ValidateTarget],
        from_manifests: &[KnownDefinition],
        outcome: &mut RunOutcome,
    ) -> Result<Vec<KnownDefinition>, Failure> {
        self.watch.set_total(apps.len() * 2);
        let examinations = workers::parallel_map(apps, |app| {
            let examination = self.examine(app);
            self.watch.advance();
            examination
        });
        let examined = ExaminedApps::new(examinations.map_err(|error| Problem::new(&error))?)?;
        self.check_environments_exist(&examined)?;
        let lacks_policy_identity = |target: &ExaminedTarget| {
            let operator = target.options.settings.operator.as_ref();
            operator.is_some_and(|operator| !operator.is_policy_enabled())
        };
        if examined.targets().any(lacks_policy_identity) {
            outcome.notes.push(Note::info(Problem::new(&ValidateNote::PolicyNotAsked)));
        }
        let files = examined.apps().flat_map(ExaminedApp::files);
        self.output_paths.refuse_inputs(files.map(Path::new))?;
        outcome.known_apps = Arc::new(self.known_apps(&examined));
        let from_apps = examined.definitions();
        let definitions = from_apps.iter().chain(from_manifests).cloned();
        let checkable = self.with_contexts(examined, apps, definitions, &outcome.known_apps);
        let wanted: Vec<&CheckableApp> =
            checkable.iter().zip(apps).filter(|(_, app)| app.is_checked).map(|(app, _)| app).collect();
        let verdicts = workers::parallel_map(&wanted, |app| self.check(app));
        for verdict in verdicts.map_err(|error| Problem::new(&error))? {
            outcome.add_result(verdict);
        }
        for app in &wanted {
            if let CheckableApp::Ready(ready) = app {
                self.report_definition_faults(ready.context.options(), outcome);
            }
        }
        for app in wanted {
            let report = &mut outcome.report;
            report.checked.apps += 1;
            if let CheckableApp::Ready(ready) = app {
                let seen = ready.app.checked_counts();
                report.checked.environments += seen.environments;
                report.checked.objects += seen.objects;
                report.apps.push(ready.app.environments());
            }
        }
        Ok(from_apps)
    }

    /// Returns the apps for rules about Applications, also those that were refused. Environments are unknown if `--env` selects
    /// some.
    fn known_apps(&self, examined: &ExaminedApps) -> KnownApps {
        let names = RootNames::new(self.app_without_name.as_deref());
        let apps = examined.0.iter().map(|one| match one {
            Ok(target) => {
                let AppEnvironments { app, environments } = target.app.environments();
                (app, self.args.env.is_empty().then(|| environments.into_iter().collect()))
            }
            Err((directory, _)) => (directory.clone(), None),
        });
        let known = apps.map(|(app, environments)| {
            let here = self.app_without_name.as_deref().filter(|_| app.is_empty());
            let tool = ArgoCdTool::of(here.unwrap_or(Path::new(&app)));
            (names.app(&app).unwrap_or(app), KnownApp { environments, tool })
        });
        known.collect()
    }

    fn check(&self, app: &CheckableApp) -> ValidationResult {
        let verdict = match app {
            CheckableApp::Ready(ready) => {
                let name = ready.app.environments().app;
                let _activity = self.watch.begin_activity(format!("checking app `{name}`"));
                engine::validate(&ready.app, &ready.context, &self.suppressions)
            }
            CheckableApp::Refused(directory, failure) => engine::failed_examination(directory, failure),
        };
        self.watch.advance();
        verdict
    }

    /// Rejects an `--env` name that no app has: a typo must not look like a clean result. If no app was examined, the
    /// name cannot be checked.
    fn check_environments_exist(&self, examined: &ExaminedApps) -> Result<(), Failure> {
        let has = |name: &String| examined.apps().any(|app| app.environments().environments.contains(name));
        let is_unknown =
            examined.apps().next().is_none() && (!examined.0.is_empty() || self.args.changed_since.is_some());
        match self.args.env.iter().find(|name| !has(name)) {
            Some(name) if !is_unknown => {
                let known: BTreeSet<&String> =
                    examined.targets().flat_map(|target| &target.environments).collect();
                let known = known.into_iter().cloned().collect();
                Err(Problem::new(&ValidateError::NoEnvironment { name: name.clone(), known }).into())
            }
            _ => Ok(()),
        }
    }

    /// Gives every app the objects that the others render, and the schemas of its Kubernetes versions, including the
    /// given definitions.
    fn with_contexts(
        &self,
        examined: ExaminedApps,
        targets: &[ValidateTarget],
        definitions: impl Iterator<Item = KnownDefinition>,
        known_apps: &Arc<KnownApps>,
    ) -> Vec<CheckableApp> {
        let neighbors = examined.neighbors();
        let unrendered = Arc::new(examined.unrendered());
        let definitions: Vec<KnownDefinition> = definitions.collect();
        let mut shared: BTreeMap<Vec<KubeVersion>, SchemaContext> = BTreeMap::new();
        let make = |options: &ValidateOptions| {
            let all = definitions.iter().chain(options.definitions.iter()).cloned();
            SchemaContext::new(options, Arc::new(all.collect()))
        };
        let mut ready = |target: ExaminedTarget, place: &Path| {
            let ExaminedTarget { app, options, .. } = target;
            let options = options.with_known_apps(Arc::clone(known_apps));
            let schemas = if self.plan.has_all_definitions(&options) {
                shared.entry(options.kube_versions.clone()).or_insert_with(|| make(&options)).clone()
            } else {
                make(&options)
            };
            let schemas = schemas.with_fallback(self.crd_resolver(&options, vec![place.to_owned()]));
            CheckableApp::Ready(Box::new(ReadyApp {
                app,
                context: AppContext::new(options, schemas, Arc::clone(&neighbors), Arc::clone(&unrendered)),
            }))
        };
        let pairs = examined.0.into_iter().zip(targets);
        pairs
            .map(|(examined, target)| match examined {
                Ok(examined) => ready(*examined, &target.path),
                Err((directory, failure)) => CheckableApp::Refused(directory, failure),
            })
            .collect()
    }

    fn examine(&self, target: &ValidateTarget) -> AppExamination {
        let directory = &target.path;
        let activity = self.watch.begin_activity(format!("reading app `{}`", shown(directory)));
        match self.try_examine(target, &activity) {
            Ok(AppInput { app, plan, environments, earlier }) => match plan.into_options() {
                Ok(options) => {
                    let options = options.with_earlier_backends(earlier);
                    AppExamination::Examined(Box::new(ExaminedTarget { app, options, environments }))
                }
                Err(failure) => AppExamination::Stopped(failure),
            },
            Err(failure) => AppExamination::Refused(shown(directory), failure),
        }
    }

    /// Returns the backends at the merge base of `--changed-since`.
    fn earlier_backends(
        &self,
        target: &ValidateTarget,
        session: &AppSession,
        environments: &[String],
        app: &ExaminedApp,
    ) -> EarlierBackends {
        // Apps that only provide objects have not changed.
        let revision = self.args.changed_since.as_deref().filter(|_| target.is_checked);
        let earlier = revision.and_then(|revision| EarlierApp::read(&target.path, revision));
        let now = environments.iter().filter_map(|name| {
            let backends = session.discovery.backends(name).ok()?;
            Some((name.clone(), backends))
        });
        let root = session.discovery.root();
        let names = app.files().filter_map(|name| {
            let path = fs_err::canonicalize(name).ok()?;
            Some((name, path.strip_prefix(root).ok()?.to_owned()))
        });
        earlier.map(|earlier| earlier.backends(now, names)).unwrap_or_default()
    }

    fn try_examine(&self, target: &ValidateTarget, activity: &Activity) -> Result<AppInput, Failure> {
        let directory = &target.path;
        let app = AppArgs {
            dir: DirArgs { dir: directory.to_owned() },
            app_file: None,
            operator: self.args.checks.operator.clone(),
            charts: self.args.charts.clone(),
            identity: self.args.identity.clone(),
        };
        let (session, environments) = AppSession::open_all(&app, None, self.variables, &self.toolbox)?;
        let place_of = |keys: &[&str], item: Option<usize>| {
            ProblemPlace::Place(session.discovery.setting_at(keys, item))
        };
        let (settings, boundary) = (&session.discovery.app().validate, session.discovery.boundary());
        let mut plan = self.plan.with_app(settings, directory, boundary, &place_of)?;
        if session.identity.project.is_some() || session.caller.argocd().is_some() {
            plan = plan.with_policy_for(session.identity.subject(""));
        }
        if environments.is_empty() {
            return Err(session.discovery.no_environments());
        }
        let is_wanted = |name: &&String| self.args.env.is_empty() || self.args.env.contains(name);
        let mut certificates = BTreeMap::new();
        let mut inputs = Vec::new();
        for name in environments.iter().filter(is_wanted) {
            let environment = session.environment(name);
            let certificate = fingerprint(&environment)?.map(|print| (name.clone(), print));
            certificates.extend(certificate);
            let default_provider = environment.default_provider()?;
            let context = environment.context()?;
            let toolbox = &*session.toolbox;
            inputs.push(EnvironmentInput { context, default_provider, toolbox, compares: true });
        }
        let begin = |environment: &str| {
            activity.set_description(format!(
                "rendering environment `{environment}` of app `{}`",
                shown(directory)
            ));
        };
        let mut app = sealwave_validate::examine(&session.discovery, &inputs, shown(directory), &begin);
        app.read_other_files(&session.discovery);
        let earlier = self.earlier_backends(target, &session, &environments, &app);
        Ok(AppInput { app, plan: plan.with_certificates(certificates), environments, earlier })
    }
}

/// An app that was examined, with what its options depend on.
struct AppInput {
    app: ExaminedApp,
    plan: ValidationPlan,
    environments: Vec<String>,
    earlier: EarlierBackends,
}

/// Returns the certificate fingerprint that a `SealedSecret` for the environment's cluster holds, if the operator file
/// names one.
fn fingerprint(session: &EnvironmentSession<'_>) -> Result<Option<String>, Failure> {
    let Some(operator) = &session.operator else { return Ok(None) };
    let cluster = session.cluster()?;
    // A rule reports an unknown cluster.
    if !operator.operator().clusters.contains_key(&cluster) {
        return Ok(None);
    }
    let certificate = operator.any_certificate(&cluster)?;
    Ok(Some(format!("sha256:{}", certificate.details().public_key_sha256)))
}
