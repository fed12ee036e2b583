//! Which forms of a report go where: `human`, or `sarif=out.sarif`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sealwave_core::diagnostic::Explain;
use sealwave_core::text::closest;

/// A form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Annotations in the log of a GitHub workflow.
    Github,
    /// GitLab's Code Quality.
    Gitlab,
    /// Text with excerpts.
    Human,
    /// One JSON document of our own.
    Json,
    /// XML for readers of test results.
    Junit,
    /// SARIF 2.1.0.
    Sarif,
}

impl Format {
    /// All of them, by their names.
    pub const ALL: [Self; 6] =
        [Self::Github, Self::Gitlab, Self::Human, Self::Json, Self::Junit, Self::Sarif];

    /// Its name on the command line.
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

    /// Whether a service reads it that knows files by their paths from the root of their repository.
    #[must_use]
    pub const fn is_for_services(self) -> bool {
        matches!(self, Self::Github | Self::Gitlab | Self::Sarif)
    }

    /// Whether it is text with styles, which a terminal alone shows.
    #[must_use]
    pub const fn is_styled(self) -> bool {
        matches!(self, Self::Human)
    }
}

/// One form, and the file that it goes to; standard output where there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// The form.
    pub format: Format,
    /// The file.
    pub file: Option<PathBuf>,
}

/// Why that cannot be put out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutputError {
    /// `sarif=`.
    #[error("`{}=` names no file", .0.name())]
    NoFile(Format),
    /// Two on standard output.
    #[error("both `{}` and `{}` would go to standard output", .0.name(), .1.name())]
    SameStdout(Format, Format),
    /// Two in one file.
    #[error("both `{}` and `{}` would go to `{}`", .0.name(), .1.name(), .2.display())]
    SameFile(Format, Format, PathBuf),
    /// No form of that name.
    #[error("`{name}` is no form of a report{}", suggestion(.name))]
    Unknown {
        /// The name that was given.
        name: String,
    },
}

impl Explain for OutputError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoFile(format) => {
                format!("write `{0}={0}.out`, or `{0}` for standard output", format.name())
            }
            Self::SameStdout(_, second) => format!("give one of them a file, as in `{}=FILE`", second.name()),
            Self::SameFile(..) => "give each a file of its own".to_owned(),
            Self::Unknown { .. } => format!("there are {}", names()),
        })
    }
}

fn suggestion(name: &str) -> String {
    let near = closest(name, Format::ALL.map(Format::name));
    near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}

fn names() -> String {
    Format::ALL.map(|format| format!("`{}`", format.name())).join(", ")
}

impl FromStr for Output {
    type Err = OutputError;

    fn from_str(text: &str) -> Result<Self, OutputError> {
        let (name, file) = match text.split_once('=') {
            Some((name, file)) => (name, Some(file)),
            None => (text, None),
        };
        let format = Format::ALL
            .into_iter()
            .find(|format| format.name() == name)
            .ok_or_else(|| OutputError::Unknown { name: name.to_owned() })?;
        match file {
            Some("") => Err(OutputError::NoFile(format)),
            file => Ok(Self { format, file: file.filter(|file| *file != "-").map(PathBuf::from) }),
        }
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.format.name())?;
        self.file.as_ref().map_or(Ok(()), |file| write!(f, "={}", file.display()))
    }
}

/// All that a run puts out, no two to the same place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outputs(Vec<Output>);

impl Outputs {
    /// Decides what goes where; text to standard output where nothing is asked for.
    ///
    /// # Errors
    /// Two would go to the same place.
    pub fn new(outputs: Vec<Output>) -> Result<Self, OutputError> {
        for (index, second) in outputs.iter().enumerate() {
            let Some(first) = outputs.iter().take(index).find(|first| first.file == second.file) else {
                continue;
            };
            return Err(match &second.file {
                None => OutputError::SameStdout(first.format, second.format),
                Some(file) => OutputError::SameFile(first.format, second.format, file.clone()),
            });
        }
        let default = Output { format: Format::Human, file: None };
        Ok(Self(if outputs.is_empty() { vec![default] } else { outputs }))
    }

    /// What goes to standard output.
    #[must_use]
    pub fn stdout(&self) -> Option<Format> {
        self.0.iter().find(|output| output.file.is_none()).map(|output| output.format)
    }

    /// Whether a form is asked for.
    #[must_use]
    pub fn has(&self, format: Format) -> bool {
        self.0.iter().any(|output| output.format == format)
    }

    /// What goes to files, in the order of the command line.
    pub fn files(&self) -> impl Iterator<Item = (Format, &Path)> {
        self.0.iter().filter_map(|output| Some((output.format, output.file.as_deref()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Output, String> {
        text.parse().map_err(|error: OutputError| error.to_string())
    }

    fn outputs(texts: &[&str]) -> Result<Outputs, OutputError> {
        Outputs::new(texts.iter().map(|text| text.parse().unwrap()).collect())
    }

    #[test]
    fn a_form_and_a_file_are_read_and_written_alike() {
        for text in ["human", "sarif=out/a=b.sarif"] {
            assert_eq!(parse(text).unwrap().to_string(), text);
        }
        assert_eq!(parse("json=-"), parse("json"));
        for format in Format::ALL {
            assert_eq!(parse(format.name()), Ok(Output { format, file: None }));
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_what_is_right() {
        assert_eq!(parse("sarf=x"), Err("`sarf` is no form of a report; did you mean `sarif`?".to_owned()));
        assert_eq!(parse("tap"), Err("`tap` is no form of a report".to_owned()));
        let hint = "tap".parse::<Output>().unwrap_err().hint();
        assert_eq!(hint.as_deref(), Some("there are `github`, `gitlab`, `human`, `json`, `junit`, `sarif`"));
        assert_eq!(parse("junit="), Err("`junit=` names no file".to_owned()));
        assert_eq!(parse(""), Err("`` is no form of a report".to_owned()));
    }

    #[test]
    fn the_command_line_takes_it() {
        let command = || {
            let output = clap::Arg::new("output").long("output").value_parser(clap::value_parser!(Output));
            clap::Command::new("x").arg(output.action(clap::ArgAction::Append))
        };
        let read = |flags: &[&str]| command().try_get_matches_from(flags);
        let matches = read(&["x", "--output", "human", "--output=sarif=a"]).unwrap();
        let outputs: Vec<String> =
            matches.get_many::<Output>("output").unwrap().map(Output::to_string).collect();
        assert_eq!(outputs, ["human", "sarif=a"]);
        let error = read(&["x", "--output", "sarf"]).unwrap_err().to_string();
        assert!(error.contains("`sarf` is no form of a report; did you mean `sarif`?"), "{error}");
    }

    #[test]
    fn no_two_go_to_one_place() {
        let error = outputs(&["human", "sarif=a", "json"]).unwrap_err();
        assert_eq!(error.to_string(), "both `human` and `json` would go to standard output");
        assert_eq!(error.hint().unwrap(), "give one of them a file, as in `json=FILE`");
        let error = outputs(&["sarif=a", "json=a"]).unwrap_err();
        assert_eq!(error.to_string(), "both `sarif` and `json` would go to `a`");
    }

    #[test]
    fn what_is_named_goes_where_it_is_named_and_text_is_the_default() {
        assert_eq!(outputs(&[]).unwrap().stdout(), Some(Format::Human));
        let both = outputs(&["github", "sarif=a", "junit=b"]).unwrap();
        assert_eq!(both.stdout(), Some(Format::Github));
        let files: Vec<_> = both.files().collect();
        assert_eq!(files, [(Format::Sarif, Path::new("a")), (Format::Junit, Path::new("b"))]);
        assert_eq!(outputs(&["sarif=a"]).unwrap().stdout(), None);
    }
}
