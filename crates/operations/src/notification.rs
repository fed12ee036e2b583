//! Tells a team what an operation does: `{"text": …}`, posted to a hook of Slack or of a tool that takes the same.
//!
//! A text has the operation, its names, and the message of an error, which never holds a value. Names may come from a
//! repository, so a text cannot mention people or hide links. The address is a secret: it comes from the operator file or from a
//! file that a flag names, and no message shows it.

use std::time::{Duration, Instant};

use serde_json::json;

use sealwave_core::diagnostic::{Failure, printable, truncate};
use sealwave_providers::ProviderError;

/// The time for one notification. The operation waits for it.
const PATIENCE: Duration = Duration::from_secs(15);

/// A reported event.
#[derive(Clone, Copy, Debug)]
pub enum OperationEvent<'a> {
    /// The operation failed.
    Failed(&'a Failure),
    /// The operation begins, or continues.
    Started,
    /// The operation is finished, with this result.
    Succeeded(&'a str),
    /// The operation waits for this, and has to be continued.
    Waiting(&'a str),
}

/// A hook that takes notifications.
#[derive(Clone)]
pub struct NotificationHook(#[cfg(feature = "web")] sealwave_providers::WebAddress);

impl NotificationHook {
    /// Parses the address of a hook.
    ///
    /// # Errors
    /// The text is not an address to which a notification may be sent, or this build sends none.
    #[cfg(feature = "web")]
    pub fn new(address: &str) -> Result<Self, String> {
        sealwave_providers::WebAddress::parse(address).map(Self).map_err(|error| error.to_string())
    }

    /// Reports that this build sends no notifications.
    ///
    /// # Errors
    /// Always fails.
    #[cfg(not(feature = "web"))]
    pub fn new(_: &str) -> Result<Self, String> {
        Err("this build of sealwave sends no notifications; it needs the feature `aws` or `k8s`".to_owned())
    }

    /// Sends a notification. `subject` names the operation, such as `rotate aws (user airflow, environment dev)`.
    ///
    /// # Errors
    /// The hook does not accept it. The operation goes on anyway.
    pub fn send(&self, subject: &str, event: OperationEvent<'_>) -> Result<(), ProviderError> {
        let body = json!({"text": text(subject, event)}).to_string();
        self.post(body.as_bytes(), Instant::now() + PATIENCE)
    }

    #[cfg(feature = "web")]
    fn post(&self, body: &[u8], deadline: Instant) -> Result<(), ProviderError> {
        self.0.post_json(body, deadline)
    }

    #[cfg(not(feature = "web"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "no hook exists in this build")]
    const fn post(&self, _: &[u8], _: Instant) -> Result<(), ProviderError> {
        Ok(())
    }
}

fn text(subject: &str, event: OperationEvent<'_>) -> String {
    let message = match event {
        OperationEvent::Failed(failure) => format!("failed: {failure}"),
        OperationEvent::Started => "started".to_owned(),
        OperationEvent::Succeeded(result) => format!("succeeded: {result}"),
        OperationEvent::Waiting(reason) => format!("waiting: {reason}"),
    };
    escape(&printable(truncate(format_args!("sealwave {subject}: {message}"))))
}

/// Escapes the characters with which Slack's texts start links and mentions, as its documentation asks for.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_cannot_mention_people_or_hide_links() {
        let shown =
            text("reseal (environment <!channel>)", OperationEvent::Waiting("<https://evil|merge>\n& more"));
        assert_eq!(
            shown,
            "sealwave reseal (environment &lt;!channel&gt;): waiting: &lt;https://evil|merge&gt;\\n&amp; more"
        );
    }

    #[cfg(feature = "web")]
    #[test]
    fn a_hook_gets_one_json_document() {
        use sealwave_testkit::stub_server::{StubReply, StubServer};
        let server = StubServer::start(|_, _| StubReply::json(200, "ok"));
        let hook = NotificationHook::new(&server.address).expect("an address");
        hook.send("reseal", OperationEvent::Succeeded("12 files")).expect("sent");
        let requests = server.asked();
        assert_eq!(requests.len(), 1);
        assert_eq!(requests[0].method, "POST");
        assert_eq!(requests[0].body, r#"{"text":"sealwave reseal: succeeded: 12 files"}"#);
    }

    #[cfg(feature = "web")]
    #[test]
    fn errors_do_not_show_the_address() {
        use sealwave_testkit::stub_server::{StubReply, StubServer};
        let server = StubServer::start(|_, _| StubReply::json(404, "no such hook"));
        let address = format!("{}/services/T0/B0/secret-token", server.address);
        let error = NotificationHook::new(&address)
            .expect("an address")
            .send("reseal", OperationEvent::Started)
            .expect_err("refused");
        assert!(error.to_string().contains("responded with status 404"), "{error}");
        assert!(!error.to_string().contains("secret-token"), "{error}");
        assert!(
            NotificationHook::new("http://hooks.example.com/secret-token")
                .is_err_and(|error| !error.contains("secret"))
        );
    }
}
