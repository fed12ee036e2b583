//! The operator file that an environment is checked against.

use crate::facts::operator_view::OperatorView;
use crate::facts::scene::CheckedEnvironment;

/// Returns the operator view of an app's environment; `None` for plain manifests, or without an operator file.
pub(super) fn view<'e>(environment: &'e CheckedEnvironment<'_>) -> Option<&'e OperatorView> {
    environment.context.settings.operator.as_ref().filter(|_| !environment.is_plain())
}
