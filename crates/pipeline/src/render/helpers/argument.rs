//! The arguments of helpers, as the engine passes them.

use handlebars::{Context, PathAndJson, RenderContext};

use crate::render::fault::RenderFault;
use crate::render::spelling;
use crate::render::tracer::OutputTracer;
use sealwave_core::document::ValueRef;

/// Returns the entry of the values that an argument is, or was derived from.
pub(super) fn find_traced_value<'rc>(
    tracer: &OutputTracer,
    argument: &PathAndJson<'rc>,
    context: &'rc Context,
    run: &mut RenderContext<'_, 'rc>,
) -> Option<ValueRef> {
    if argument.context_path().is_some() {
        return tracer.entry(argument.value());
    }
    let found = tracer.scopes().find(argument, context, run);
    match found {
        Some(found) if found.is_key => tracer.key(found.value),
        Some(found) => tracer.entry(found.value),
        None if argument.relative_path().is_none() => tracer.source_of_text(argument.value()),
        None => None,
    }
}

/// Refuses an undefined argument.
pub(super) fn check_defined(param: &PathAndJson<'_>) -> Result<(), RenderFault> {
    let is_defined = !param.is_value_missing() && spelling::undefined_name(param.value()).is_none();
    if is_defined { Ok(()) } else { Err(undefined_argument(param)) }
}

/// Returns the error for an undefined argument, with the name that its author wrote.
pub(super) fn undefined_argument(param: &PathAndJson<'_>) -> RenderFault {
    undefined_fault(spelling::undefined_name(param.value()).or(param.relative_path().map(String::as_str)))
}

pub(super) fn undefined_fault(path: Option<&str>) -> RenderFault {
    RenderFault::Undefined { path: path.unwrap_or("this").to_owned(), hint: None }
}
