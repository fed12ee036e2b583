//! Text helpers shared by several formats.

use crate::{Finding, ObjectRef};
use sealwave_core::diagnostic::printable;
use sealwave_core::text::ellipsize;
use sealwave_secrets::settings::APP_FILE;

/// The most characters of a message that are shown.
const MAX_MESSAGE: usize = 2000;

/// Returns a text of a finding as one line of limited length.
pub(super) fn limited_line(text: &str) -> String {
    ellipsize(printable(text), MAX_MESSAGE)
}

/// Returns message, environments and hint of a finding, one line each.
pub(super) fn message_lines(finding: &Finding) -> Vec<String> {
    let environments = finding.environments.join(", ");
    let environments = (!environments.is_empty()).then(|| limited_line(&format!("in: {environments}")));
    let hint = finding.hint.as_deref().map(|hint| limited_line(&format!("help: {hint}")));
    std::iter::once(limited_line(&finding.message)).chain(environments).chain(hint).collect()
}

/// Returns the file of a finding, or the app file if it has no place.
pub(super) fn display_file(finding: &Finding) -> Option<String> {
    let path = match &finding.span {
        Some(span) => span.place.path.clone(),
        None if finding.app.is_empty() => return None,
        None => format!("{}/{APP_FILE}", finding.app.trim_end_matches('/')),
    };
    Some(path.strip_prefix("./").map_or(path.clone(), str::to_owned))
}

/// Returns the name of an object, such as `Deployment shop/web`.
pub(super) fn object_name(object: &ObjectRef) -> String {
    object.to_string()
}
