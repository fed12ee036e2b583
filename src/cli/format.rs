//! Formats of outputs that commands share.

use std::path::Path;

use clap::ValueEnum;

/// The format of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// Aligned text
    Human,
    /// One JSON document
    Json,
}

impl OutputFormat {
    /// Decides the format of a file: that of the flag, else JSON if its name ends so, else YAML.
    #[must_use]
    pub fn of_file(flag: Option<Self>, file: Option<&Path>) -> Self {
        let is_json = file.and_then(Path::extension).is_some_and(|end| end == "json");
        flag.unwrap_or(if is_json { Self::Json } else { Self::Yaml })
    }
}

/// The format of manifests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// One JSON document per line
    Json,
    /// YAML documents for people
    Yaml,
}
