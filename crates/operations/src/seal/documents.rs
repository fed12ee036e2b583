//! Secrets of a file or of standard input: YAML as Kubernetes reads it, or JSON; several documents, and lists.

use super::error::SealInputError;
use sealwave_core::diagnostic::{Failure, Problem, ProblemCollector};
use sealwave_core::document::{Node, Origin, SourceId};
use sealwave_core::yaml::{self, Limits, YamlBudget};

/// Reads all objects. Objects that are not Secrets are refused later, with the others that cannot be sealed.
///
/// # Errors
/// All documents that cannot be read, with their numbers; or there is none.
pub(super) fn read(bytes: &[u8], source: SourceId, name: &str) -> Result<Vec<Node>, Failure> {
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
                    problems.push(Problem::at(at, &SealInputError::EmptyList));
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
        let error = SealInputError::NoDocument { input: name.to_owned() };
        return Err(Problem::at(Origin::whole(source), &error).into());
    }
    Ok(roots)
}
