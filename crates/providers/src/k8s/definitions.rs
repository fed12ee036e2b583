//! The custom resources that a cluster defines, page by page.

use std::time::Instant;

use serde::Deserialize;
use serde_json::Value as Json;

use super::super::ProviderError;
use super::super::runtime::{self, Interrupted};
use super::connection::{API_HINT, Connection, Login};
use super::question::Question;

/// Pages of a list; no cluster has as many.
const MAX_PAGES: usize = 2000;
/// Bytes of all pages.
const MAX_BYTES: usize = 1 << 30;

/// Hands every definition to `take`, which says whether it is one.
///
/// # Errors
/// The list cannot be had whole.
pub fn list(
    login: Login<'_>,
    deadline: Instant,
    take: &mut dyn FnMut(Json) -> bool,
) -> Result<(), ProviderError> {
    runtime::run(deadline, |end| pages(login, end, take)).unwrap_or_else(|interrupted| {
        Err(match interrupted {
            Interrupted::Elapsed => {
                ProviderError::unreachable("the cluster has not sent all of it in time", API_HINT)
            }
            Interrupted::NotStarted(kind) => ProviderError::unreachable(
                format!("no connection can be prepared ({kind})"),
                "see to the limits of this process",
            ),
        })
    })
}

async fn pages(
    login: Login<'_>,
    end: Instant,
    take: &mut dyn FnMut(Json) -> bool,
) -> Result<(), ProviderError> {
    let connection = Connection::open(login).await?;
    let mut next: Option<String> = None;
    let mut bytes = 0;
    for _ in 0..MAX_PAGES {
        let answer = connection.ask(&Question::Definitions { page: next.as_deref() }, end).await?;
        bytes += answer.len();
        if bytes > MAX_BYTES {
            break;
        }
        let page: Page = serde_json::from_slice(&answer).map_err(|_| malformed())?;
        if page.kind != "CustomResourceDefinitionList" {
            return Err(malformed());
        }
        for definition in page.items.unwrap_or_default() {
            if !take(definition) {
                return Err(malformed());
            }
        }
        next = page.metadata.next.filter(|token| !token.is_empty());
        if next.is_none() {
            return Ok(());
        }
    }
    Err(ProviderError::invalid("it does not end", "see that the address of the cluster is that of its API"))
}

/// `items` is null where Go had nothing to put into it.
#[derive(Deserialize)]
struct Page {
    kind: String,
    #[serde(default)]
    metadata: PageMetadata,
    items: Option<Vec<Json>>,
}

#[derive(Default, Deserialize)]
struct PageMetadata {
    #[serde(rename = "continue")]
    next: Option<String>,
}

fn malformed() -> ProviderError {
    ProviderError::invalid(
        "the cluster's answer is no list of CustomResourceDefinitions",
        "see that the address of the cluster is that of its API",
    )
}
