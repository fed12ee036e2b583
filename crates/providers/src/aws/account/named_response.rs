//! The check that a response without content is that of an action: the SDK takes any page for it, also that of a proxy.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// Requires that a successful response has this element, such as `<DeleteAccessKeyResponse`.
#[derive(Debug)]
pub(super) struct NamedResponse(pub(super) &'static str);

/// The response of something else.
#[derive(Debug, thiserror::Error)]
#[error("response is not that of the action")]
struct OtherResponse;

impl Intercept for NamedResponse {
    fn name(&self) -> &'static str {
        "NamedResponse"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        let body = response.body().bytes().unwrap_or_default();
        let is_named = body.windows(self.0.len()).any(|part| part == self.0.as_bytes());
        if is_named || !response.status().is_success() { Ok(()) } else { Err(OtherResponse.into()) }
    }
}
