//! Parses the output formats and their files: `human`, or `sarif=out.sarif`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sealwave_core::diagnostic::Explain;
use sealwave_core::text::closest_name;

/// An output format of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportOutputFormat {
    /// Annotations in a GitHub workflow log.
    Github,
    /// A GitLab Code Quality report.
    Gitlab,
    /// Text with excerpts.
    Human,
    /// A JSON document of kind `ValidationReport`.
    Json,
    /// `JUnit` XML.
    Junit,
    /// SARIF 2.1.0.
    Sarif,
}

impl ReportOutputFormat {
    /// All formats, sorted by name.
    pub const ALL: [Self; 6] =
        [Self::Github, Self::Gitlab, Self::Human, Self::Json, Self::Junit, Self::Sarif];

    /// Returns the name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Human => "human",
            Self::Json => "json",
            Self::Junit => "junit",
            Self::Sarif => "sarif",
        }
    }

    /// Reports whether the format is for services that identify files by their paths from the repository root.
    #[must_use]
    pub const fn is_for_services(self) -> bool {
        matches!(self, Self::Github | Self::Gitlab | Self::Junit | Self::Sarif)
    }

    /// Reports whether the format contains terminal styles.
    #[must_use]
    pub const fn is_styled(self) -> bool {
        matches!(self, Self::Human)
    }
}

/// A format and its file; without a file, standard output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportOutput {
    /// The format.
    pub format: ReportOutputFormat,
    /// The file.
    pub file: Option<PathBuf>,
}

/// An invalid output option.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutputError {
    /// Several outputs in one option, as in `json=a,sarif=b`.
    #[error("`{0}` holds several outputs")]
    Several(String),
    /// An empty file name, as in `sarif=`.
    #[error("`{}=` has no file name", .0.name())]
    NoFile(ReportOutputFormat),
    /// Two formats for standard output.
    #[error("`{}` and `{}` would both be written to standard output", .0.name(), .1.name())]
    SameStdout(ReportOutputFormat, ReportOutputFormat),
    /// Two formats for one file.
    #[error("`{}` and `{}` would both be written to `{}`", .0.name(), .1.name(), .2.display())]
    SameFile(ReportOutputFormat, ReportOutputFormat, PathBuf),
    /// An unknown format.
    #[error("`{name}` is not an output format{}", suggestion(.name))]
    UnknownFormat {
        /// The given name.
        name: String,
    },
}

impl Explain for OutputError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoFile(format) => {
                format!("write `{0}={0}.out`, or `{0}` for standard output", format.name())
            }
            Self::SameStdout(_, second) => format!("write one of them to a file: `{}=FILE`", second.name()),
            Self::Several(_) => "repeat the option: `--output FORMAT=FILE --output FORMAT=FILE`".to_owned(),
            Self::SameFile(..) => "choose a different file for each".to_owned(),
            Self::UnknownFormat { .. } => format!("supported formats: {}", names()),
        })
    }
}

fn suggestion(name: &str) -> String {
    let near = closest_name(name, ReportOutputFormat::ALL.map(ReportOutputFormat::name));
    near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}

fn names() -> String {
    ReportOutputFormat::ALL.map(|format| format!("`{}`", format.name())).join(", ")
}

impl FromStr for ReportOutput {
    type Err = OutputError;

    fn from_str(text: &str) -> Result<Self, OutputError> {
        let is_output = |part: &str| {
            let name = part.split_once('=').map_or(part, |(name, _)| name);
            ReportOutputFormat::ALL.iter().any(|format| format.name() == name)
        };
        if text.contains(',') && text.split(',').all(is_output) {
            return Err(OutputError::Several(text.to_owned()));
        }
        let (name, file) = match text.split_once('=') {
            Some((name, file)) => (name, Some(file)),
            None => (text, None),
        };
        let format = ReportOutputFormat::ALL
            .into_iter()
            .find(|format| format.name() == name)
            .ok_or_else(|| OutputError::UnknownFormat { name: name.to_owned() })?;
        match file {
            Some("") => Err(OutputError::NoFile(format)),
            file => Ok(Self { format, file: file.filter(|file| *file != "-").map(PathBuf::from) }),
        }
    }
}

impl fmt::Display for ReportOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.format.name())?;
        self.file.as_ref().map_or(Ok(()), |file| write!(f, "={}", file.display()))
    }
}

/// The outputs of a run, each with a different destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportOutputs(Vec<ReportOutput>);

impl ReportOutputs {
    /// Checks the outputs; without any, human-readable text goes to standard output.
    ///
    /// # Errors
    /// Returns an error if two outputs have the same destination.
    pub fn new(outputs: Vec<ReportOutput>) -> Result<Self, OutputError> {
        for (index, second) in outputs.iter().enumerate() {
            let Some(first) = outputs.iter().take(index).find(|first| first.file == second.file) else {
                continue;
            };
            return Err(match &second.file {
                None => OutputError::SameStdout(first.format, second.format),
                Some(file) => OutputError::SameFile(first.format, second.format, file.clone()),
            });
        }
        let default = ReportOutput { format: ReportOutputFormat::Human, file: None };
        Ok(Self(if outputs.is_empty() { vec![default] } else { outputs }))
    }

    /// Returns the format for standard output.
    #[must_use]
    pub fn stdout(&self) -> Option<ReportOutputFormat> {
        self.0.iter().find(|output| output.file.is_none()).map(|output| output.format)
    }

    /// Reports whether a format is requested.
    #[must_use]
    pub fn has(&self, format: ReportOutputFormat) -> bool {
        self.0.iter().any(|output| output.format == format)
    }

    /// Returns the formats for files, in command-line order.
    pub fn files(&self) -> impl Iterator<Item = (ReportOutputFormat, &Path)> {
        self.0.iter().filter_map(|output| Some((output.format, output.file.as_deref()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ReportOutput, String> {
        text.parse().map_err(|error: OutputError| error.to_string())
    }

    fn outputs(texts: &[&str]) -> Result<ReportOutputs, OutputError> {
        ReportOutputs::new(texts.iter().map(|text| text.parse().unwrap()).collect())
    }

    #[test]
    fn formats_and_files_round_trip() {
        for text in ["human", "sarif=out/a=b.sarif"] {
            assert_eq!(parse(text).unwrap().to_string(), text);
        }
        assert_eq!(parse("json=-"), parse("json"));
        for format in ReportOutputFormat::ALL {
            assert_eq!(parse(format.name()), Ok(ReportOutput { format, file: None }));
        }
    }

    #[test]
    fn errors_suggest_valid_formats() {
        assert_eq!(parse("sarf=x"), Err("`sarf` is not an output format; did you mean `sarif`?".to_owned()));
        for several in ["json,sarif", "human,json=a.json", "json=a,sarif=b"] {
            assert_eq!(parse(several), Err(format!("`{several}` holds several outputs")));
        }
        assert!(parse("json=a,b.json").is_ok());
        assert_eq!(parse("tap"), Err("`tap` is not an output format".to_owned()));
        let hint = "tap".parse::<ReportOutput>().unwrap_err().hint();
        assert_eq!(
            hint.as_deref(),
            Some("supported formats: `github`, `gitlab`, `human`, `json`, `junit`, `sarif`")
        );
        assert_eq!(parse("junit="), Err("`junit=` has no file name".to_owned()));
        assert_eq!(parse(""), Err("`` is not an output format".to_owned()));
    }

    #[test]
    fn clap_parses_outputs() {
        let command = || {
            let output =
                clap::Arg::new("output").long("output").value_parser(clap::value_parser!(ReportOutput));
            clap::Command::new("x").arg(output.action(clap::ArgAction::Append))
        };
        let read = |flags: &[&str]| command().try_get_matches_from(flags);
        let matches = read(&["x", "--output", "human", "--output=sarif=a"]).unwrap();
        let outputs: Vec<String> =
            matches.get_many::<ReportOutput>("output").unwrap().map(ReportOutput::to_string).collect();
        assert_eq!(outputs, ["human", "sarif=a"]);
        let error = read(&["x", "--output", "sarf"]).unwrap_err().to_string();
        assert!(error.contains("`sarf` is not an output format; did you mean `sarif`?"), "{error}");
    }

    #[test]
    fn duplicate_destinations_are_rejected() {
        let error = outputs(&["human", "sarif=a", "json"]).unwrap_err();
        assert_eq!(error.to_string(), "`human` and `json` would both be written to standard output");
        assert_eq!(error.hint().unwrap(), "write one of them to a file: `json=FILE`");
        let error = outputs(&["sarif=a", "json=a"]).unwrap_err();
        assert_eq!(error.to_string(), "`sarif` and `json` would both be written to `a`");
    }

    #[test]
    fn outputs_have_their_destinations_and_text_is_the_default() {
        assert_eq!(outputs(&[]).unwrap().stdout(), Some(ReportOutputFormat::Human));
        let both = outputs(&["github", "sarif=a", "junit=b"]).unwrap();
        assert_eq!(both.stdout(), Some(ReportOutputFormat::Github));
        let files: Vec<_> = both.files().collect();
        assert_eq!(
            files,
            [(ReportOutputFormat::Sarif, Path::new("a")), (ReportOutputFormat::Junit, Path::new("b"))]
        );
        assert_eq!(outputs(&["sarif=a"]).unwrap().stdout(), None);
    }
}
