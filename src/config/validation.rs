//! Determines once what `validate` checks, from flags, settings files and the environment.

mod arguments;
mod config_file;
mod error;
mod input_scope;
mod kube_version;
mod today;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use self::arguments::{is_glob, parse_rule};
use self::config_file::ConfigFile;
use self::error::{MAX_ENTRIES, ValidationError, problem};
use self::input_scope::InputScope;
use self::kube_version::{parse_versions, version_variable};
use super::{OperatorFile, VariableReader, operator_path};
use crate::cli::CheckArgs;
use sealwave_core::diagnostic::{Failure, Problem, ProblemPlace, Severity};
use sealwave_core::reach::PathReach;
use sealwave_kube::schema::KubeVersion;
use sealwave_secrets::policy::PolicySubject;
use sealwave_secrets::settings::{IgnoreEntry, ObjectPattern, RuleLevel, ValidationSettings};
use sealwave_validate::engine::{CoverageGaps, OptionValues, ValidateOptions};
use sealwave_validate::project::{
    LoadedDefinitions, ensure_within, load_definitions, load_named_definitions, parse_kinds,
};
use sealwave_validate::rules::{self, OperatorView, RuleSettings};
use sealwave_validate::{RuleInfo, Span};

pub(crate) use self::arguments::{
    check_namespace, failing_severity, parse_timeout, source_files, step_summary, unknown_rule,
};
pub(crate) use self::kube_version::destination_version;
pub(crate) use self::today::{now, today};

/// The checks of `validate` as far as they are decided: from flags, then from the settings of an app.
///
/// [`into_options`](Self::into_options) turns the plan for an input into its options, which do not change any more.
#[derive(Clone, Debug)]
pub struct ValidationPlan {
    values: OptionValues,
    ignore: Vec<(IgnoreEntry, Option<Span>)>,
    given: FlagOverrides,
    /// The error of the version variable, if that variable determines the version.
    variable: Option<Failure>,
    scope: InputScope,
}

/// Locates a setting by its keys and the index in its list.
type SettingLocator<'a> = &'a dyn Fn(&[&str], Option<usize>) -> ProblemPlace;

/// Settings from flags, which override files.
#[derive(Clone, Debug)]
struct FlagOverrides {
    kube_versions: bool,
    /// Whether built-in definitions are disabled.
    no_packed: bool,
    rules: Vec<String>,
}

impl ValidationPlan {
    /// Determines what is checked.
    ///
    /// # Errors
    /// A flag or settings file is not valid.
    pub fn decide(args: &CheckArgs, variables: VariableReader) -> Result<Self, Failure> {
        let file = args.config.as_deref().map(ConfigFile::read).transpose()?;
        let given = FlagOverrides {
            kube_versions: !args.kube_versions.is_empty(),
            rules: args.rules.clone(),
            no_packed: args.no_packed_definitions,
        };
        let flag = given.kube_versions.then(|| parse_versions(&args.kube_versions)).transpose()?;
        let (variable, unusable) = match version_variable(variables) {
            Ok(versions) => (versions, None),
            Err(failure) => (None, Some(failure).filter(|_| flag.is_none())),
        };
        let operator = operator_path(args.operator.clone(), variables);
        let operator = operator.map(|path| OperatorFile::read(&path)).transpose()?;
        let operator =
            operator.map(|file| Ok::<_, Failure>(OperatorView::new(file.operator(), file.policy()?)));
        let operator = operator.transpose()?;
        let gaps = CoverageGaps {
            parts: !args.skip.is_empty(),
            seals: operator.is_none(),
            versions: flag.is_some() || variable.is_some(),
        };
        let today = Some(today(variables)?);
        let mut definitions = LoadedDefinitions::default();
        for path in &args.crds {
            let LoadedDefinitions { all, faults } = load_named_definitions(path)?;
            definitions.all.extend(all);
            definitions.faults.extend(faults);
        }
        let values = OptionValues {
            kube_versions: flag.or(variable).unwrap_or_else(|| vec![KubeVersion::NEWEST]),
            packed: (!args.no_packed_definitions).then(Arc::default),
            settings: RuleSettings { today, operator, ..RuleSettings::default() },
            strict_kinds: args.strict_kinds,
            lenient: args.lenient,
            skip: parse_kinds("skip", &args.skip, &definitions.all)?,
            reject: parse_kinds("reject", &args.reject, &definitions.all)?,
            definitions: Arc::new(definitions.all),
            definition_faults: definitions.faults,
            today,
            gaps,
            levels: BTreeMap::new(),
        };
        let scope = InputScope::default();
        let mut decided = Self { values, ignore: Vec::new(), given, variable: unusable, scope };
        let directory = args.config.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
        match file {
            None => decided
                .apply(&ValidationSettings::default(), directory, None, &|_, _| ProblemPlace::Unknown)?,
            Some(file) => {
                let locate =
                    |keys: &[&str], item| ProblemPlace::Place(file.content.locate_setting(keys, item));
                decided.apply(&file.settings, directory, None, &locate)?;
                decided.ignore = file.ignored();
                decided.scope = file.scope(directory)?;
            }
        }
        for object in &args.external {
            decided.external(object)?;
        }
        Ok(decided)
    }

    /// Adds files that are not read: globs relative to the working directory.
    ///
    /// # Errors
    /// A glob is not valid.
    pub fn with_excludes(mut self, globs: &[String]) -> Result<Self, Failure> {
        let added = self.scope.excludes.add(Path::new("."), globs);
        added.map_err(|error| Problem::new(&error))?;
        Ok(self.with_unchecked_parts(!globs.is_empty()))
    }

    /// Returns what the run reads.
    #[must_use]
    pub const fn scope(&self) -> &InputScope {
        &self.scope
    }

    /// Adds objects that exist elsewhere, by kind and name, in any namespace.
    #[must_use]
    pub fn with_generated(mut self, objects: &[(&str, String)]) -> Self {
        let patterns = objects.iter().map(|(kind, name)| format!("{kind}/*/{name}"));
        let matchers =
            patterns.filter_map(|pattern| Some(ObjectPattern::parse(&pattern).ok()?.into_matcher()));
        self.values.settings.external.extend(matchers);
        self
    }

    /// Adds the settings of an app, except for `ignore`. Its paths must be within the boundary.
    ///
    /// # Errors
    /// The settings are not valid.
    pub fn with_app(
        &self,
        settings: &ValidationSettings,
        directory: &Path,
        boundary: &Path,
        locate: SettingLocator<'_>,
    ) -> Result<Self, Failure> {
        let mut own = self.clone();
        let reach = PathReach::Below(boundary.to_owned());
        for (item, path) in settings.crds.iter().enumerate() {
            let at = || locate(&["validate", "crds"], Some(item));
            ensure_within(&reach, directory, path).map_err(|failure| failure.or_with_place(&at()))?;
        }
        own.apply(settings, directory, Some(&reach), locate)?;
        Ok(own)
    }

    /// Returns the options for an input.
    ///
    /// # Errors
    /// The version is determined by a variable that is not valid.
    pub fn into_options(self) -> Result<ValidateOptions, Failure> {
        self.variable.map_or(Ok(self.values.into()), Err)
    }

    /// Returns the options for findings about the run itself.
    #[must_use]
    pub fn run_options(&self) -> ValidateOptions {
        self.values.clone().into()
    }

    /// Returns the findings to ignore everywhere.
    #[must_use]
    pub fn ignored(&self) -> &[(IgnoreEntry, Option<Span>)] {
        &self.ignore
    }

    /// Reports whether flags exclude environments, files or objects.
    #[must_use]
    pub const fn has_unchecked_parts(&self) -> bool {
        self.values.gaps.parts
    }

    /// Reports whether the options of an input have no definitions besides those of this plan.
    #[must_use]
    pub fn has_all_definitions(&self, options: &ValidateOptions) -> bool {
        Arc::ptr_eq(&self.values.definitions, &options.definitions)
    }

    /// Records whether some environments, files or objects are not checked.
    #[must_use]
    pub fn with_unchecked_parts(mut self, are_excluded: bool) -> Self {
        self.values.gaps.parts |= are_excluded;
        self
    }

    /// Enables the policy of the operator file, if there is one, for an app.
    #[must_use]
    pub fn with_policy_for(mut self, subject: PolicySubject) -> Self {
        self.values.settings.operator =
            self.values.settings.operator.map(|operator| operator.with_policy_for(subject));
        self
    }

    /// Sets the fingerprints of the sealing certificates, by environment.
    #[must_use]
    pub fn with_certificates(mut self, certificates: BTreeMap<String, String>) -> Self {
        self.values.settings.certificates = certificates;
        self
    }

    /// Replaces the Kubernetes versions by a single one.
    #[must_use]
    pub fn with_kube_version(mut self, version: KubeVersion) -> Self {
        self.values.kube_versions = vec![version];
        self
    }

    /// Disables the built-in definitions.
    #[must_use]
    pub fn without_packed_definitions(mut self) -> Self {
        self.values.packed = None;
        self
    }

    /// Disables the rules that a function selects.
    #[must_use]
    pub fn without_rules(mut self, is_disabled: fn(&RuleInfo) -> bool) -> Self {
        let disabled = rules::rules().filter(|rule| is_disabled(rule));
        self.values.levels.extend(disabled.map(|rule| (rule.id.to_owned(), None)));
        self
    }

    fn apply(
        &mut self,
        settings: &ValidationSettings,
        directory: &Path,
        reach: Option<&PathReach>,
        locate: SettingLocator<'_>,
    ) -> Result<(), Failure> {
        let at = |key: &str, item: usize| locate(&["validate", key], Some(item));
        if !self.given.kube_versions && !settings.kube_versions.is_empty() {
            let versions = parse_versions(&settings.kube_versions);
            self.values.kube_versions = versions
                .map_err(|failure| failure.or_with_place(&locate(&["validate", "kubeVersions"], None)))?;
            self.values.gaps.versions = false;
            self.variable = None;
        }
        match settings.packed_definitions {
            Some(false) => self.values.packed = None,
            Some(true) if !self.given.no_packed && self.values.packed.is_none() => {
                self.values.packed = Some(Arc::default());
            }
            _ => {}
        }
        for (key, name, entries) in [
            ("external", "validate.external", settings.external.len()),
            ("ignore", "validate.ignore", settings.ignore.len()),
        ] {
            if entries > MAX_ENTRIES {
                return Err(
                    problem(&ValidationError::TooMany(name)).or_with_place(&locate(&["validate", key], None))
                );
            }
        }
        for (item, path) in settings.crds.iter().enumerate() {
            let path = directory.join(path);
            let found =
                reach.map_or_else(|| load_named_definitions(&path), |reach| load_definitions(&path, reach));
            self.define(found.map_err(|failure| failure.or_with_place(&at("crds", item)))?);
        }
        for (item, object) in settings.external.iter().enumerate() {
            self.external(object).map_err(|failure| failure.or_with_place(&at("external", item)))?;
        }
        // A rule's own entry takes precedence over a glob, in whatever order they are given.
        let (globs, names): (Vec<_>, Vec<_>) = settings.rules.iter().partition(|(id, _)| is_glob(id));
        for (id, level) in globs.into_iter().chain(names) {
            let set = self.level(id, *level);
            set.map_err(|failure| failure.or_with_place(&locate(&["validate", "rules", id], None)))?;
        }
        let parse = |flag: &String| {
            let parsed = parse_rule(flag.trim()).map(|(id, level)| (id.to_owned(), level));
            parsed.ok_or_else(|| problem(&ValidationError::RuleFlag(flag.clone())))
        };
        let flags: Vec<(String, RuleLevel)> = self.given.rules.iter().map(parse).collect::<Result<_, _>>()?;
        let (globs, names): (Vec<_>, Vec<_>) = flags.into_iter().partition(|(id, _)| is_glob(id));
        for (id, level) in globs.into_iter().chain(names) {
            self.level(&id, level)?;
        }
        Ok(())
    }

    fn define(&mut self, found: LoadedDefinitions) {
        Arc::make_mut(&mut self.values.definitions).extend(found.all);
        self.values.definition_faults.extend(found.faults);
    }

    /// Sets the severity of a rule, or of all rules that a glob matches and that can be changed.
    fn level(&mut self, id: &str, level: RuleLevel) -> Result<(), Failure> {
        let selected: Vec<&RuleInfo> = match rules::rule(id) {
            Some(rule) => vec![rule],
            None if is_glob(id) => rules::rules_matching(id),
            None => Vec::new(),
        };
        let Some(first) = selected.first() else { return Err(unknown_rule(id)) };
        let mut adjustable = selected.iter().filter(|rule| rule.is_adjustable()).peekable();
        if adjustable.peek().is_none() {
            return Err(problem(&ValidationError::Fixed(first.id)));
        }
        let severity = match level {
            RuleLevel::Error => Some(Severity::Error),
            RuleLevel::Note => Some(Severity::Note),
            RuleLevel::Off => None,
            RuleLevel::Warning => Some(Severity::Warning),
        };
        self.values.levels.extend(adjustable.map(|rule| (rule.id.to_owned(), severity)));
        Ok(())
    }

    fn external(&mut self, object: &str) -> Result<(), Failure> {
        let object = object.trim();
        let pattern = ObjectPattern::parse(object);
        let pattern = pattern.map_err(|_| problem(&ValidationError::Pattern(object.to_owned())))?;
        self.values.settings.external.push(pattern.into_matcher());
        Ok(())
    }
}
