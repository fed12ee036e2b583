//! Lists the `CustomResourceDefinitions` of a cluster, page by page.

use std::collections::BTreeSet;
use std::time::Instant;

use serde::Deserialize;
use serde_json::Value as Json;

use super::connection::{API_HINT, ClusterConnection, ClusterLogin};
use super::request::ClusterRequest;
use crate::ProviderError;
use crate::remote::runtime::{self, RuntimeError};

/// The most pages of a list; no cluster has as many.
const MAX_PAGES: usize = 2000;
/// The most bytes of all pages.
const MAX_BYTES: usize = 1 << 30;

/// Passes every definition to `take`, which returns whether it is valid.
///
/// # Errors
/// The complete list cannot be fetched.
pub(crate) fn list(
    login: ClusterLogin<'_>,
    deadline: Instant,
    take: &mut dyn FnMut(Json) -> bool,
) -> Result<(), ProviderError> {
    runtime::run(deadline, |end| pages(login, end, take)).unwrap_or_else(|interrupted| {
        Err(match interrupted {
            RuntimeError::DeadlineExceeded => {
                ProviderError::unreachable("the list was not complete before the deadline", API_HINT)
            }
            RuntimeError::NotStarted(kind) => ProviderError::cannot_start("the network runtime", kind),
        })
    })
}

async fn pages(
    login: ClusterLogin<'_>,
    end: Instant,
    take: &mut dyn FnMut(Json) -> bool,
) -> Result<(), ProviderError> {
    let connection = ClusterConnection::open(login).await?;
    pages_of(&connection, end, take).await.map_err(|error| error.with_peer(connection.peer()))
}

async fn pages_of(
    connection: &ClusterConnection,
    end: Instant,
    take: &mut dyn FnMut(Json) -> bool,
) -> Result<(), ProviderError> {
    let mut next: Option<String> = None;
    let mut seen = BTreeSet::new();
    let mut bytes = 0;
    for _ in 0..MAX_PAGES {
        let answer = connection.send(&ClusterRequest::Definitions { page: next.as_deref() }, end).await?;
        bytes += answer.len();
        if bytes > MAX_BYTES {
            break;
        }
        let page: DefinitionPage = serde_json::from_slice(&answer).map_err(|_| malformed())?;
        if page.kind != "CustomResourceDefinitionList" {
            return Err(malformed());
        }
        for definition in page.items.unwrap_or_default() {
            if !take(definition) {
                return Err(malformed());
            }
        }
        next = page.metadata.next.filter(|token| !token.is_empty());
        match &next {
            None => return Ok(()),
            Some(token) if seen.insert(token.clone()) => {}
            Some(_) => break,
        }
    }
    Err(ProviderError::invalid(
        "the list does not end, or has too many pages",
        "check that the cluster's address is that of its API server",
    ))
}

/// A page of the list. Go writes an empty `items` as null.
#[derive(Deserialize)]
struct DefinitionPage {
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
        "the cluster's response is not a list of CustomResourceDefinitions",
        "check that the cluster's address is that of its API server",
    )
}
