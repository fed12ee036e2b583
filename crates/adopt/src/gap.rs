//! Gaps: parts of an app that `init` cannot take over. Also the reasons for which a directory cannot be adopted at all.

use sealwave_core::diagnostic::{Explain, Note, Problem, ProblemPlace, printable};
use sealwave_core::document::SourceLocation;
use sealwave_core::text::{quoted_list, shell_quoted};
use sealwave_secrets::settings::APP_FILE;

/// Something that the app file does not cover.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AdoptionGap {
    #[error("ApplicationSet is not evaluated")]
    ApplicationSet,
    #[error("`{field}` of the Application is not taken over: a build variable of Argo CD is filled in")]
    BuildVariable { field: String },
    #[error("chart `{chart}` of `{repository}` needs a digest before it can be rendered")]
    RemoteChart { chart: String, repository: String, version: String },
    #[error("several kinds of sources are in the directory; {kept} is taken")]
    Ambiguous { kept: String, others: Vec<String> },
    #[error("values of environments are in several places; `{kept}` is taken")]
    AmbiguousValues { kept: String, others: Vec<String> },
    #[error("inline values of `{key}` are not taken over: the text looks like a credential")]
    Credential { key: String },
    #[error(
        "`{field}` differs between the Applications of the environments, so only what they share is taken over"
    )]
    Differs { field: &'static str, applications: Vec<String>, remedy: &'static str },
    #[error(
        "the sources of Application `{0}` are others than those of the first one, so it is not taken over"
    )]
    OtherSources(String),
    #[error("option `{option}` of {place} is not taken over")]
    Option { option: String, place: &'static str, remedy: String },
    #[error("options of Kustomize are not taken over: {}", quoted_list(.fields))]
    KustomizeOptions { fields: Vec<String>, directory: String, lines: Vec<String> },
    #[error("source `{path}` of the Application is not a directory of this repository")]
    ForeignPath { path: String },
    #[error(
        "manifests in `{path}` are not taken over: sealwave reads `base/` and `envs/` beside the app file"
    )]
    OtherDirectory { path: String },
    #[error("value file `{file}` is not taken over: it is not a file of this repository")]
    ForeignValues { file: String },
    #[error("parameter `{name}` is not taken over: {reason}")]
    Parameter { name: String, reason: &'static str },
    #[error("file parameter `{name}` is not taken over: {reason}")]
    FileParameter { name: String, reason: &'static str },
    #[error("link leaves the repository: a run refuses a chart or directory that contains it")]
    OutsideLink,
    #[error("Secret `{0}` is in plaintext")]
    PlainSecret(String),
    #[error("`secretGenerator` makes Secrets from plaintext")]
    SecretGenerator,
    #[error("Secret `{0}` is encrypted with SOPS as a whole")]
    SopsSecret(String),
    #[error("manifests are beside the app file, where sealwave does not read them")]
    Moves(usize),
    #[error("search for Applications ended after {0} files")]
    SearchEnded(usize),
    #[error("name of the provider is not known")]
    Provider,
    #[error("directory is one overlay of several")]
    OneOverlay { parent: String },
    #[error("the Application already uses sealwave")]
    AlreadyAdopted,
}

impl Explain for AdoptionGap {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::ApplicationSet => {
                "save an Application that it generated, and name it: `argocd app get NAME --output yaml > app.yaml`, `sealwave init --application app.yaml`".to_owned()
            }
            Self::BuildVariable { .. } => format!("write the text for each environment, for example as a value file, into `{APP_FILE}`"),
            Self::RemoteChart { chart, repository, version } => remote_chart(chart, repository, version),
            Self::Ambiguous { others, .. } => {
                format!("if the others belong to the app too, add them to `sources` in `{APP_FILE}`: {}", quoted_list(others))
            }
            Self::AmbiguousValues { others, .. } => {
                format!("if charts get those of {} too, add them to `valueFiles` in `{APP_FILE}`", quoted_list(others))
            }
            Self::Credential { .. } => {
                format!("store it in a secret source, and write a placeholder such as `<vault:shop/db#password>` under `values` in `{APP_FILE}`")
            }
            Self::Differs { remedy, applications, .. } => format!("{remedy}; it differs in {}", quoted_list(applications)),
            Self::OtherSources(_) => {
                "if it is another app, adopt its directory; if not, make the paths differ in the name of the environment only".to_owned()
            }
            Self::Option { remedy, .. } => remedy.clone(),
            Self::KustomizeOptions { directory, lines, .. } => {
                format!("write them to `{directory}/kustomization.yaml`: {}", lines.join("; "))
            }
            Self::ForeignPath { .. } => {
                "vendor its files into this repository, or keep it as a source of its own in the Application, which sealwave does not see".to_owned()
            }
            Self::OtherDirectory { .. } => "move them to `base/`".to_owned(),
            Self::ForeignValues { .. } => {
                format!("copy it into this repository, and add it to `valueFiles` in `{APP_FILE}`")
            }
            Self::Parameter { .. } | Self::FileParameter { .. } => {
                format!("write the value under `values` in `{APP_FILE}`, or in a value file")
            }
            Self::OutsideLink => "replace the link by the files".to_owned(),
            Self::PlainSecret(_) => {
                "store the values in a secret source, replace them by placeholders such as `<vault:shop/db#password>`, and rotate them: they stay in the history".to_owned()
            }
            Self::SecretGenerator => {
                "replace it by a Secret with placeholders; if its literals and files hold placeholders already, nothing is to be done".to_owned()
            }
            Self::SopsSecret(_) => "refer to its items by placeholders of a provider of kind `sops`".to_owned(),
            Self::Moves(_) => "run the commands under `move`, or keep the manifests out of the app".to_owned(),
            Self::SearchEnded(_) => "name those of the app: `--application FILE`".to_owned(),
            Self::Provider => {
                format!("set `provider` in `{APP_FILE}` to the name that the operator file gives the store")
            }
            Self::OneOverlay { parent } => format!("to have all environments in one app, run `sealwave init {}` instead", shell_quoted(parent)),
            Self::AlreadyAdopted => return None,
        })
    }
}

fn remote_chart(chart: &str, repository: &str, version: &str) -> String {
    let archive = format!("{}-*.tgz", shell_quoted(chart));
    let vendored = printable(chart);
    let (chart, repository, version) = (shell_quoted(chart), shell_quoted(repository), shell_quoted(version));
    let pull = if repository.starts_with("oci://") {
        format!("helm pull {repository}/{chart} --version {version}")
    } else {
        format!("helm pull {chart} --repo {repository} --version {version}")
    };
    format!(
        "run `{pull}` and `sha256sum {archive}`, and complete the lines in `{APP_FILE}`; or vendor the chart: `{pull} --untar`, and `chart: {vendored}`"
    )
}

impl AdoptionGap {
    /// Returns the warning for a place.
    pub(crate) fn at(&self, path: &str, line: u32) -> Note {
        let place = SourceLocation { path: path.to_owned(), line, column: 0, rendered: None };
        Note::warning(Problem { at: ProblemPlace::Place(place), ..Problem::new(self) })
    }

    /// Returns the warning without a place.
    pub(crate) fn anywhere(&self) -> Note {
        Note::warning(Problem::new(self))
    }
}

/// A reason why a directory cannot be adopted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("`{path}` cannot be read: {reason}")]
    Unreadable { path: String, reason: String },
    #[error("`{0}` is not a directory")]
    NotADirectory(String),
    #[error("`{0}` has no manifests, chart or overlays")]
    Nothing(String),
    #[error("`{directory}` has several charts: {}", quoted_list(.charts))]
    SeveralCharts { directory: String, charts: Vec<String> },
    #[error("`{0}` has no Application")]
    NoApplication(String),
}

impl Explain for Refusal {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Nothing(_) => Some("name the directory that an Application has as its `path`".to_owned()),
            Self::SeveralCharts { charts, .. } => {
                charts.first().map(|chart| format!("each is an app: pass one of them, for example `{chart}`"))
            }
            Self::NoApplication(_) => {
                Some("save one: `argocd app get NAME --output yaml > app.yaml`".to_owned())
            }
            Self::NotADirectory(_) => Some("name the directory of the app".to_owned()),
            Self::Unreadable { .. } => None,
        }
    }
}

impl Refusal {
    pub(crate) fn into_problem(self) -> Problem {
        Problem::new(&self)
    }
}
