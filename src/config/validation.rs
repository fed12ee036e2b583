//! Determines once what `validate` checks, from flags, settings files and the environment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use x509_cert::der::DateTime;

use super::{OperatorFile, VariableReader, operator_path};
use crate::cli::{CheckArgs, FailOn};
use sealwave_core::diagnostic::{Explain, Failure, Problem, ProblemPlace, Severity, io_reason};
use sealwave_core::document::Origin;
use sealwave_core::names::dns;
use sealwave_core::reach::PathReach;
use sealwave_core::text::closest_name;
use sealwave_core::time::{Date, duration};
use sealwave_core::yaml;
use sealwave_kube::schema::{KubeVersion, VersionError};
use sealwave_secrets::policy::PolicySubject;
use sealwave_secrets::settings::{
    API_VERSION, IgnoreEntry, ObjectPattern, RuleLevel, SettingsFile, ValidationFile, ValidationSettings,
    ignore_origins,
};
use sealwave_validate::engine::{CoverageGaps, OptionValues, ValidateOptions};
use sealwave_validate::project::{
    LoadedDefinitions, ensure_within, load_definitions, load_named_definitions, parse_kinds,
};
use sealwave_validate::rules::{self, OperatorView, RuleSettings};
use sealwave_validate::{RuleInfo, Span};

/// The variable with the Kubernetes version of the destination, set by Argo CD.
const KUBE_VERSION: &str = "KUBE_VERSION";

/// The variable that replaces the clock in reproducible builds: seconds since 1970.
const SOURCE_DATE_EPOCH: &str = "SOURCE_DATE_EPOCH";

/// Maximum size of a settings file, which is written by hand.
const MAX_FILE: u64 = 1 << 20;

/// Maximum number of entries of `validate.external` or `validate.ignore`, which are compared with many objects.
const MAX_ENTRIES: usize = 1_000;

/// An error in flags or settings.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ValidationError {
    #[error("`{0}` is not a valid namespace name")]
    Namespace(String),
    #[error("`{0}` does not start with `apiVersion: {API_VERSION}` and `kind: Validation`")]
    NotValidation(String),
    #[error("variable `{SOURCE_DATE_EPOCH}` is not a number of seconds since 1970")]
    Epoch,
    #[error("severity of rule `{0}` cannot be changed")]
    Fixed(&'static str),
    #[error("object pattern is malformed: `{0}`")]
    Pattern(String),
    #[error("`--rule {0}` is not `RULE=off`, `=note`, `=warning` or `=error`")]
    RuleFlag(String),
    #[error("rule `{name}` does not exist")]
    UnknownRule { name: String, closest: Option<&'static str> },
    #[error("timeout is not a duration of at least a second: `{0}`")]
    Timeout(String),
    #[error("`validate.{0}` has more than {MAX_ENTRIES} entries")]
    TooMany(&'static str),
    #[error("`{path}` cannot be read: {}", io_reason(*.reason))]
    Unreadable { path: String, reason: std::io::ErrorKind },
}

impl Explain for ValidationError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Namespace(_) => Some(
                "use up to 63 lower-case letters, digits and `-`, and do not start or end with `-`"
                    .to_owned(),
            ),
            Self::Epoch => Some("unset it, or set it to the output of `date +%s`".to_owned()),
            Self::Fixed(_) => Some("input that cannot be read or rendered is always an error".to_owned()),
            Self::Pattern(_) => {
                Some("write `Kind/namespace/name`, for example `Secret/shop/registry-*`".to_owned())
            }
            Self::Timeout(_) => Some("write `90s`, `5m` or `1h30m`".to_owned()),
            Self::TooMany(_) => Some("one pattern can match many objects: `Secret/*/registry-*`".to_owned()),
            Self::UnknownRule { closest: Some(closest), .. } => Some(format!("did you mean `{closest}`?")),
            Self::UnknownRule { .. } => Some("`sealwave validate --explain all` lists them".to_owned()),
            _ => None,
        }
    }
}

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
        let operator =
            operator.map(|path| OperatorView::new(OperatorFile::read(&path)?.operator())).transpose()?;
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
        let mut decided = Self { values, ignore: Vec::new(), given, variable: unusable };
        let directory = args.config.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
        match file {
            None => decided
                .apply(&ValidationSettings::default(), directory, None, &|_, _| ProblemPlace::Unknown)?,
            Some(file) => {
                let locate =
                    |keys: &[&str], item| ProblemPlace::Place(file.content.locate_setting(keys, item));
                decided.apply(&file.settings, directory, None, &locate)?;
                decided.ignore = file.ignored();
            }
        }
        for object in &args.external {
            decided.external(object)?;
        }
        Ok(decided)
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
        for (key, entries) in [("external", settings.external.len()), ("ignore", settings.ignore.len())] {
            if entries > MAX_ENTRIES {
                return Err(
                    problem(&ValidationError::TooMany(key)).or_with_place(&locate(&["validate", key], None))
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
        for (id, level) in &settings.rules {
            let set = self.level(id, *level);
            set.map_err(|failure| failure.or_with_place(&locate(&["validate", "rules", id], None)))?;
        }
        for flag in self.given.rules.clone() {
            let (id, level) =
                parse_rule(flag.trim()).ok_or_else(|| problem(&ValidationError::RuleFlag(flag.clone())))?;
            self.level(id, level)?;
        }
        Ok(())
    }

    fn define(&mut self, found: LoadedDefinitions) {
        Arc::make_mut(&mut self.values.definitions).extend(found.all);
        self.values.definition_faults.extend(found.faults);
    }

    fn level(&mut self, id: &str, level: RuleLevel) -> Result<(), Failure> {
        let rule = rules::rule(id).ok_or_else(|| unknown_rule(id))?;
        if !rule.is_adjustable() {
            return Err(problem(&ValidationError::Fixed(rule.id)));
        }
        let severity = match level {
            RuleLevel::Error => Some(Severity::Error),
            RuleLevel::Note => Some(Severity::Note),
            RuleLevel::Off => None,
            RuleLevel::Warning => Some(Severity::Warning),
        };
        self.values.levels.insert(id.to_owned(), severity);
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

/// Checks a namespace from a flag: a DNS label, or empty.
///
/// # Errors
/// The name is not valid.
pub(crate) fn check_namespace(namespace: Option<&str>) -> Result<(), Failure> {
    match namespace.filter(|name| !name.is_empty()) {
        Some(name) if !dns::is_label(name) => Err(problem(&ValidationError::Namespace(name.to_owned()))),
        _ => Ok(()),
    }
}

/// Parses the value of `--timeout`.
///
/// # Errors
/// The value is not a duration, or is shorter than a second.
pub(crate) fn parse_timeout(text: &str) -> Result<Duration, Failure> {
    duration::parse(text.trim()).ok_or_else(|| problem(&ValidationError::Timeout(text.to_owned())))
}

/// Returns the error for an unknown rule.
pub(crate) fn unknown_rule(id: &str) -> Failure {
    let closest = closest_name(id, rules::rules().map(|rule| rule.id));
    let closest = closest.and_then(rules::rule).map(|rule| rule.id);
    problem(&ValidationError::UnknownRule { name: id.to_owned(), closest })
}

/// Returns the lowest severity that causes exit code 1; `None` means never.
pub(crate) const fn failing_severity(fail_on: FailOn) -> Option<Severity> {
    match fail_on {
        FailOn::Error => Some(Severity::Error),
        FailOn::Never => None,
        FailOn::Note => Some(Severity::Note),
        FailOn::Warning => Some(Severity::Warning),
    }
}

/// Returns the Kubernetes version of the destination, as set by Argo CD, or the nearest one with known schemas.
///
/// # Errors
/// The value is not a version.
pub(crate) fn destination_version(variables: VariableReader) -> Result<Option<KubeVersion>, Failure> {
    let value = variables(KUBE_VERSION).and_then(|value| value.into_string().ok());
    let nearest =
        |text: String| KubeVersion::parse_nearest(&text).map_err(|error| Problem::new(&error).into());
    value.filter(|text| !text.is_empty()).map(nearest).transpose()
}

/// Returns the summary file if this is a step of a GitHub workflow.
pub(crate) fn step_summary(variables: VariableReader) -> Option<PathBuf> {
    variables("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()).map(PathBuf::from)
}

fn problem(error: &ValidationError) -> Failure {
    Problem::new(error).into()
}

fn parse_versions(texts: &[String]) -> Result<Vec<KubeVersion>, Failure> {
    let mut versions = Vec::new();
    for text in texts {
        let version: KubeVersion = text.trim().parse().map_err(|error: VersionError| Problem::new(&error))?;
        if !versions.contains(&version) {
            versions.push(version);
        }
    }
    Ok(versions)
}

/// Returns the comma-separated versions of the variable, if set.
fn version_variable(variables: VariableReader) -> Result<Option<Vec<KubeVersion>>, Failure> {
    let Some(value) = variables(KUBE_VERSION).filter(|value| !value.is_empty()) else { return Ok(None) };
    let texts: Vec<String> = value.to_string_lossy().split(',').map(|text| text.trim().to_owned()).collect();
    let versions = parse_versions(&texts).map_err(|failure| {
        let named = |problem: &Problem| Problem {
            message: format!("variable `{KUBE_VERSION}`: {}", problem.message),
            ..problem.clone()
        };
        let problems = failure.problems().iter().map(named).collect();
        Failure::unless_empty(problems).err().unwrap_or(failure)
    })?;
    Ok(Some(versions))
}

fn parse_rule(flag: &str) -> Option<(&str, RuleLevel)> {
    let (id, level) = flag.split_once('=')?;
    let level = match level {
        "error" => RuleLevel::Error,
        "note" => RuleLevel::Note,
        "off" => RuleLevel::Off,
        "warning" => RuleLevel::Warning,
        _ => return None,
    };
    Some((id, level))
}

/// A settings file of `--config`.
struct ConfigFile {
    settings: ValidationSettings,
    content: SettingsFile<'static>,
}

impl ConfigFile {
    fn read(path: &Path) -> Result<Self, Failure> {
        let shown = path.display().to_string();
        let unreadable = |error: &std::io::Error| {
            problem(&ValidationError::Unreadable { path: shown.clone(), reason: error.kind() })
        };
        let length = fs_err::metadata(path).map_err(|error| unreadable(&error))?.len();
        if length > MAX_FILE {
            return Err(unreadable(&std::io::ErrorKind::FileTooLarge.into()));
        }
        let bytes = fs_err::read(path).map_err(|error| unreadable(&error))?;
        let content = SettingsFile::new(shown.clone(), bytes, yaml::Limits::default());
        let file: ValidationFile = content.read()?;
        if file.api_version != API_VERSION || file.kind != "Validation" {
            return Err(problem(&ValidationError::NotValidation(shown)));
        }
        Ok(Self { settings: file.validate, content })
    }

    /// Returns the entries of `validate.ignore`, with their positions.
    fn ignored(&self) -> Vec<(IgnoreEntry, Option<Span>)> {
        let span = |at: Origin| Span { place: self.content.location(at), width: at.width };
        let whole = Span { place: self.content.locate_setting(&[], None), width: 0 };
        let documents = self.content.documents().unwrap_or_default();
        let spans = documents.iter().take(1).flat_map(ignore_origins).map(span);
        let entries = self.settings.ignore.iter().cloned();
        entries.zip(spans.chain(std::iter::repeat(whole)).map(Some)).collect()
    }
}

/// Returns today's date in UTC.
///
/// # Errors
/// The variable that replaces the clock is not a number.
pub(crate) fn today(variables: VariableReader) -> Result<Date, Failure> {
    let value = variables(SOURCE_DATE_EPOCH).filter(|value| !value.is_empty());
    let given: Option<u64> = value
        .map(|value| {
            let seconds = value.to_str().and_then(|text| text.parse().ok());
            seconds.ok_or_else(|| problem(&ValidationError::Epoch))
        })
        .transpose()?;
    let now = given.map_or_else(
        || DateTime::from_system_time(SystemTime::now()),
        |seconds| DateTime::from_unix_duration(Duration::from_secs(seconds)),
    );
    let day = now.ok().and_then(|now| Date::new(now.year(), now.month(), now.day()).ok());
    // After the year 9999, every suppression is expired.
    Ok(day.unwrap_or_else(|| Date::new(9999, 12, 31).expect("a valid date")))
}
