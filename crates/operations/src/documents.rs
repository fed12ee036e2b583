//! Objects of a file or of standard input: YAML as Kubernetes reads it, or JSON; several documents, and lists.
//!
//! A document that cannot be read is never skipped.

use std::io::{self, Read};
use std::path::Path;

use zeroize::Zeroizing;

use sealwave_core::bounded_file::{BoundedReadError, read_regular_file, read_stream};
use sealwave_core::diagnostic::{Explain, Failure, NOT_REGULAR_FILE, Problem, ProblemCollector, io_reason};
use sealwave_core::document::{Node, Origin, SourceId, display_path};
use sealwave_core::excerpts::STDIN;
use sealwave_core::yaml::{self, Limits, YamlBudget};

/// The largest input, in bytes.
const MAX_INPUT: u64 = 64 << 20;

/// The argument that stands for standard input.
const STDIN_ARGUMENT: &str = "-";

/// The bytes of a file or of standard input. They may hold Secrets, so they cannot be printed.
pub struct ManifestInput {
    bytes: Zeroizing<Vec<u8>>,
    name: String,
}

impl ManifestInput {
    /// Reads a regular file, or standard input for `-`.
    ///
    /// # Errors
    /// The input cannot be read, or is too large.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        if path.as_os_str() == STDIN_ARGUMENT {
            return Self::read_from(io::stdin().lock(), STDIN);
        }
        let name = display_path(path);
        Self::new(read_regular_file(path, MAX_INPUT), name)
    }

    /// Reads a stream; `name` is its name in messages.
    ///
    /// # Errors
    /// The stream cannot be read, or is too large.
    pub fn read_from(stream: impl Read, name: &str) -> Result<Self, Failure> {
        Self::new(read_stream(stream, MAX_INPUT), name.to_owned())
    }

    fn new(read: Result<Zeroizing<Vec<u8>>, BoundedReadError>, name: String) -> Result<Self, Failure> {
        let bytes = read.map_err(|error| {
            let reason = match error {
                BoundedReadError::Io(error) => io_reason(error.kind()),
                BoundedReadError::NotRegular => format!("it {NOT_REGULAR_FILE}"),
                BoundedReadError::TooLarge => format!("it is larger than {MAX_INPUT} bytes"),
            };
            Problem::new(&InputError::Unreadable { input: name.clone(), reason })
        })?;
        Ok(Self { bytes, name })
    }

    /// Returns the name of the input in messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads all objects.
    ///
    /// # Errors
    /// All documents that cannot be read, with their numbers; or it has none.
    pub(crate) fn objects(&self, source: SourceId) -> Result<Vec<Node>, Failure> {
        read_objects(&self.bytes, source, &self.name)
    }
}

/// A reason why an input has no objects.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum InputError {
    #[error("list has no items")]
    EmptyList,
    #[error("`{0}` holds no object")]
    NoDocument(String),
    #[error("`{input}` cannot be read: {reason}")]
    Unreadable { input: String, reason: String },
}

impl Explain for InputError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::EmptyList => {
                "check the command that printed it; `kubectl get` prints such a list if nothing matches"
            }
            Self::NoDocument(input) if input == STDIN => {
                "check the command before the pipe; `set -o pipefail` makes its failure count"
            }
            Self::NoDocument(_) => "check the path: the file is empty, or has only comments",
            Self::Unreadable { .. } => return None,
        };
        Some(hint.to_owned())
    }
}

fn read_objects(bytes: &[u8], source: SourceId, name: &str) -> Result<Vec<Node>, Failure> {
    let documents = yaml::read_each(bytes, source, &Limits::default(), &YamlBudget::default());
    let has_several = documents.len() > 1;
    let (mut roots, mut problems) = (Vec::new(), ProblemCollector::default());
    for (index, document) in documents.into_iter().enumerate() {
        match document {
            Ok(root) => {
                let before = roots.len();
                let at = root.display_origin();
                yaml::for_each_item(root, |object| roots.push(object));
                if roots.len() == before {
                    problems.push(Problem::at(at, &InputError::EmptyList));
                }
            }
            Err(problem) if has_several => {
                let message = format!("document {}: {}", index + 1, problem.message);
                problems.push(Problem { message, ..problem });
            }
            Err(problem) => problems.push(problem),
        }
    }
    problems.check()?;
    if roots.is_empty() {
        let error = InputError::NoDocument(name.to_owned());
        return Err(Problem::at(Origin::whole(source), &error).into());
    }
    Ok(roots)
}
