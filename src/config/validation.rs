//! What `validate` is to check, decided once from flags, settings files and the environment.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use x509_cert::der::DateTime;

use super::{OperatorFile, Variables, operator_path};
use crate::cli::{CheckArgs, FailOn};
use sealwave_core::diagnostic::{At, Explain, Failure, Problem, Severity, io_reason};
use sealwave_core::document::{Origin, Sources, display_path};
use sealwave_core::names::dns;
use sealwave_core::reach::Reach;
use sealwave_core::text::closest;
use sealwave_core::time::{Date, duration};
use sealwave_core::yaml;
use sealwave_kube::schema::{KubeVersion, VersionError};
use sealwave_secrets::settings::{
    API_VERSION, IgnoreEntry, ObjectPattern, RuleLevel, ValidationFile, ValidationSettings, ignore_places,
};
use sealwave_secrets::settings::{read_config, setting_at};
use sealwave_validate::Span;
use sealwave_validate::engine::{Blind, Checking};
use sealwave_validate::project::{Definitions, definitions, kinds, named_definitions, stays_within};
use sealwave_validate::rules::{self, OperatorView};

/// The variable in which Argo CD says the version of the destination.
const KUBE_VERSION: &str = "KUBE_VERSION";

/// The variable of reproducible builds, in place of the clock: seconds since 1970.
const SOURCE_DATE_EPOCH: &str = "SOURCE_DATE_EPOCH";

/// A settings file is written by hand.
const MAX_FILE: u64 = 1 << 20;

/// Entries of `validate.external` or of `validate.ignore`: each is compared with many references or findings.
const MAX_ENTRIES: usize = 1_000;

/// Why flags and settings cannot be followed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ValidationError {
    #[error("namespace `{0}` is no name that Kubernetes takes")]
    Namespace(String),
    #[error("`{0}` does not start with `apiVersion: {API_VERSION}` and `kind: Validation`")]
    NotValidation(String),
    #[error("variable `{SOURCE_DATE_EPOCH}` is not a number of seconds since 1970")]
    Epoch,
    #[error("severity of rule `{0}` cannot be changed")]
    Fixed(&'static str),
    #[error("pattern of an object is malformed: `{0}`")]
    Pattern(String),
    #[error("`--rule {0}` is not `RULE=off`, `=note`, `=warning` or `=error`")]
    RuleFlag(String),
    #[error("there is no rule `{name}`")]
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
                "it has up to 63 small letters, digits and `-`, and neither starts nor ends with `-`"
                    .to_owned(),
            ),
            Self::Epoch => Some("remove it, or set it as `date +%s` prints it".to_owned()),
            Self::Fixed(_) => Some("what cannot be read or rendered stays an error: repair it".to_owned()),
            Self::Pattern(_) => {
                Some("write `Kind/namespace/name`, for example `Secret/shop/registry-*`".to_owned())
            }
            Self::Timeout(_) => Some("write `90s`, `5m` or `1h30m`".to_owned()),
            Self::TooMany(_) => Some("one pattern stands for many objects: `Secret/*/registry-*`".to_owned()),
            Self::UnknownRule { closest: Some(closest), .. } => Some(format!("did you mean `{closest}`?")),
            Self::UnknownRule { .. } => Some("`sealwave validate --explain all` lists them".to_owned()),
            _ => None,
        }
    }
}

/// What a run of `validate` checks, before any app has its say.
#[derive(Clone, Debug)]
pub struct Validation {
    /// What rules are told.
    pub checking: Checking,
    /// Findings that are wanted as they are, in all that is looked at.
    pub ignore: Vec<(IgnoreEntry, Option<Span>)>,
    given: Given,
    /// Why the variable with the version cannot be followed, where it is the one that counts.
    variable: Option<Failure>,
}

/// Where a setting stands, by its keys and the number of its item.
type Stands<'a> = &'a dyn Fn(&[&str], Option<usize>) -> At;

/// What flags decide whatever settings say.
#[derive(Clone, Debug)]
struct Given {
    kube_versions: bool,
    /// Whether built-in definitions are not wanted.
    no_packed: bool,
    rules: Vec<String>,
}

impl Validation {
    /// Decides what is checked.
    ///
    /// # Errors
    /// A flag or a settings file that cannot be followed.
    pub fn decide(args: &CheckArgs, variables: Variables) -> Result<Self, Failure> {
        let (file, places, text) = args.config.as_deref().map(read).transpose()?.unwrap_or_default();
        let given = Given {
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
            operator.map(|path| OperatorView::of(OperatorFile::read(&path)?.operator())).transpose()?;
        let blind = Blind {
            parts: !args.skip.is_empty(),
            seals: operator.is_none(),
            versions: flag.is_some() || variable.is_some(),
        };
        let mut checking = Checking {
            today: Some(today(variables)?),
            kube_versions: flag.or(variable).unwrap_or_else(|| vec![KubeVersion::NEWEST]),
            blind,
            ..Checking::default()
        };
        checking.settings.operator = operator;
        checking.settings.today = checking.today;
        checking.packed = (!args.no_packed_definitions).then(Arc::default);
        checking.strict_kinds = args.strict_kinds;
        checking.lenient = args.lenient;
        let mut decided = Self { checking, ignore: Vec::new(), given, variable: unusable };
        for path in &args.crds {
            decided.define(named_definitions(path)?);
        }
        let definitions = Arc::clone(&decided.checking.definitions);
        decided.checking.skip = kinds("skip", &args.skip, &definitions)?;
        decided.checking.reject = kinds("reject", &args.reject, &definitions)?;
        let directory = args.config.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
        let name = args.config.as_deref().map(display_path).unwrap_or_default();
        let stands = |keys: &[&str], item: Option<usize>| setting_at(&text, &name, keys, item);
        decided.apply(&file, directory, None, &|keys, item| At::Place(stands(keys, item)))?;
        decided.ignore = file.ignore.into_iter().zip(places.into_iter().map(Some)).collect();
        for object in &args.external {
            decided.external(object)?;
        }
        Ok(decided)
    }

    /// The same with what an app says on top; its `ignore` is not in it. What it names lies within the boundary.
    ///
    /// # Errors
    /// Settings that cannot be followed.
    pub fn with(
        &self,
        settings: &ValidationSettings,
        directory: &Path,
        boundary: &Path,
        stands: Stands<'_>,
    ) -> Result<Self, Failure> {
        let mut own = self.clone();
        let reach = Reach::Below(boundary.to_owned());
        for (item, path) in settings.crds.iter().enumerate() {
            let at = || stands(&["validate", "crds"], Some(item));
            stays_within(&reach, directory, path).map_err(|failure| failure.or_at(&at()))?;
        }
        own.apply(settings, directory, Some(&reach), stands)?;
        Ok(own)
    }

    /// What there is to check.
    ///
    /// # Errors
    /// The version that counts is that of a variable that cannot be followed.
    pub fn usable(self) -> Result<Checking, Failure> {
        self.variable.map_or(Ok(self.checking), Err)
    }

    fn apply(
        &mut self,
        settings: &ValidationSettings,
        directory: &Path,
        reach: Option<&Reach>,
        stands: Stands<'_>,
    ) -> Result<(), Failure> {
        let at = |key: &str, item: usize| stands(&["validate", key], Some(item));
        if !self.given.kube_versions && !settings.kube_versions.is_empty() {
            let versions = parse_versions(&settings.kube_versions);
            self.checking.kube_versions =
                versions.map_err(|failure| failure.or_at(&stands(&["validate", "kubeVersions"], None)))?;
            self.checking.blind.versions = false;
            self.variable = None;
        }
        match settings.packed_definitions {
            Some(false) => self.checking.packed = None,
            Some(true) if !self.given.no_packed && self.checking.packed.is_none() => {
                self.checking.packed = Some(Arc::default());
            }
            _ => {}
        }
        for (key, entries) in [("external", settings.external.len()), ("ignore", settings.ignore.len())] {
            if entries > MAX_ENTRIES {
                return Err(problem(&ValidationError::TooMany(key)).or_at(&stands(&["validate", key], None)));
            }
        }
        for (item, path) in settings.crds.iter().enumerate() {
            let path = directory.join(path);
            let found = reach.map_or_else(|| named_definitions(&path), |reach| definitions(&path, reach));
            self.define(found.map_err(|failure| failure.or_at(&at("crds", item)))?);
        }
        for (item, object) in settings.external.iter().enumerate() {
            self.external(object).map_err(|failure| failure.or_at(&at("external", item)))?;
        }
        for (id, level) in &settings.rules {
            let set = self.level(id, *level);
            set.map_err(|failure| failure.or_at(&stands(&["validate", "rules", id], None)))?;
        }
        for flag in self.given.rules.clone() {
            let (id, level) =
                parse_rule(flag.trim()).ok_or_else(|| problem(&ValidationError::RuleFlag(flag.clone())))?;
            self.level(id, level)?;
        }
        Ok(())
    }

    fn define(&mut self, found: Definitions) {
        Arc::make_mut(&mut self.checking.definitions).extend(found.all);
        self.checking.definition_faults.extend(found.faults);
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
        self.checking.levels.insert(id.to_owned(), severity);
        Ok(())
    }

    fn external(&mut self, object: &str) -> Result<(), Failure> {
        let object = object.trim();
        let pattern = ObjectPattern::parse(object);
        let pattern = pattern.map_err(|_| problem(&ValidationError::Pattern(object.to_owned())))?;
        self.checking.settings.external.push(pattern.into_matcher());
        Ok(())
    }
}

/// A namespace that a flag names: a label of DNS, or nothing.
///
/// # Errors
/// It is none.
pub(crate) fn check_namespace(namespace: Option<&str>) -> Result<(), Failure> {
    match namespace.filter(|name| !name.is_empty()) {
        Some(name) if !dns::is_label(name) => Err(problem(&ValidationError::Namespace(name.to_owned()))),
        _ => Ok(()),
    }
}

/// How long a run may take, as `--timeout` says.
///
/// # Errors
/// It is no duration, or shorter than a second.
pub(crate) fn timeout(text: &str) -> Result<Duration, Failure> {
    duration::parse(text.trim()).ok_or_else(|| problem(&ValidationError::Timeout(text.to_owned())))
}

/// The error of a rule that does not exist.
pub(crate) fn unknown_rule(id: &str) -> Failure {
    let closest = closest(id, rules::rules().map(|rule| rule.id));
    let closest = closest.and_then(rules::rule).map(|rule| rule.id);
    problem(&ValidationError::UnknownRule { name: id.to_owned(), closest })
}

/// The least severity that makes the exit code 1; none where nothing does.
pub(crate) const fn least_failing(fail_on: FailOn) -> Option<Severity> {
    match fail_on {
        FailOn::Error => Some(Severity::Error),
        FailOn::Never => None,
        FailOn::Note => Some(Severity::Note),
        FailOn::Warning => Some(Severity::Warning),
    }
}

/// The version of the destination, as Argo CD tells it; the nearest whose schemas are known.
///
/// # Errors
/// What it tells is no version.
pub(crate) fn destination_version(variables: Variables) -> Result<Option<KubeVersion>, Failure> {
    let told = variables(KUBE_VERSION).and_then(|value| value.into_string().ok());
    let nearest = |text: String| KubeVersion::nearest(&text).map_err(|error| Problem::new(&error).into());
    told.filter(|text| !text.is_empty()).map(nearest).transpose()
}

/// The file that a step of a GitHub workflow shows as its summary, where this runs in one.
pub(crate) fn step_summary(variables: Variables) -> Option<PathBuf> {
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

/// The versions that the variable names, separated by commas; none where it is not set.
fn version_variable(variables: Variables) -> Result<Option<Vec<KubeVersion>>, Failure> {
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

/// The settings of a file, where each entry of `ignore` stands, and its text.
fn read(path: &Path) -> Result<(ValidationSettings, Vec<Span>, Vec<u8>), Failure> {
    let shown = path.display().to_string();
    let unreadable = |error: &std::io::Error| {
        problem(&ValidationError::Unreadable { path: shown.clone(), reason: error.kind() })
    };
    let length = fs_err::metadata(path).map_err(|error| unreadable(&error))?.len();
    if length > MAX_FILE {
        return Err(unreadable(&std::io::ErrorKind::FileTooLarge.into()));
    }
    let bytes = fs_err::read(path).map_err(|error| unreadable(&error))?;
    let file: ValidationFile = read_config(&bytes, &shown)?;
    if file.api_version != API_VERSION || file.kind != "Validation" {
        return Err(problem(&ValidationError::NotValidation(shown)));
    }
    let mut sources = Sources::default();
    let source = sources.add(&shown);
    let tree = yaml::read(&bytes, source, &yaml::Limits::default()).unwrap_or_default();
    let whole = std::iter::repeat(Origin::whole(source));
    let places = ignore_places(tree.first()).chain(whole).take(file.validate.ignore.len());
    let spans = places.map(|at| Span { place: sources.place(at), width: at.width }).collect();
    Ok((file.validate, spans, bytes))
}

/// Returns today's date in UTC.
///
/// # Errors
/// The variable that stands in for the clock is not a number.
pub(crate) fn today(variables: Variables) -> Result<Date, Failure> {
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
    // A clock beyond the year 9999 lets every suppression expire.
    Ok(day.unwrap_or_else(|| Date::new(9999, 12, 31).expect("there is such a day")))
}
