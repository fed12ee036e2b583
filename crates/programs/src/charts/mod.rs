//! Charts that are not in the repository of the app: whether they may be used, the cache, and the download.
//!
//! ```text
//! access ──► cache ──► download ──► digest ──► cache
//! allowed?   by digest  `helm pull`  compared   atomically
//! ```
//!
//! The app file names the repository, the chart and the digest; it is not trusted. The operator file or a flag allows the
//! repository, and only the operator file has credentials. The digest decides about the content: of the repository, of the
//! servers that it refers to, and of the cache. Callers get the bytes that were compared, so nothing can change in between.

mod access;
mod cache;
mod credentials;
mod download;
mod error;
mod limits;

use sealwave_secrets::settings::{ChartDigest, ChartId, ChartRepository, PinnedChart, RepositoryUrl};

pub use access::{ChartAccess, DigestUse};
pub use error::ChartError;

use crate::{FoundProgram, RunHost, ToolError};

/// The means to fetch charts.
pub(crate) struct ChartFetcher<'a> {
    pub(crate) access: &'a ChartAccess,
    /// Finds Helm, which is not needed for charts in the cache.
    pub(crate) find_helm: &'a dyn Fn() -> Result<&'a FoundProgram, &'a ToolError>,
    pub(crate) host: &'a RunHost,
}

impl ChartFetcher<'_> {
    /// Returns the archive of a chart, from the cache or from its repository.
    ///
    /// # Errors
    /// The repository is not allowed, the chart cannot be downloaded, or its digest is another one.
    pub(crate) fn fetch(&self, chart: &PinnedChart) -> Result<Vec<u8>, ChartError> {
        // Also for charts in the cache: whether a repository is allowed does not depend on what others downloaded.
        self.check(&chart.id.repository)?;
        let cache = self.access.cache.as_deref();
        if let Some(archive) = cache.and_then(|cache| cache::read(cache, &chart.digest)) {
            return Ok(archive);
        }
        let archive = self.download(&chart.id)?;
        let found = ChartDigest::of(&archive);
        if found != chart.digest {
            return Err(ChartError::Digest { chart: Box::new(chart.id.clone()), found });
        }
        if let Some(cache) = cache {
            cache::write(cache, &chart.digest, &archive);
        }
        Ok(archive)
    }

    /// Returns the error for a chart without a digest. Where people work, it shows the digest to write.
    pub(crate) fn missing_digest(&self, chart: &ChartId) -> ChartError {
        let found = match self.access.digests {
            DigestUse::Required => Ok(None),
            DigestUse::Shown => self
                .check(&chart.repository)
                .and_then(|()| self.download(chart))
                .map(|archive| Some(ChartDigest::of(&archive))),
        };
        found.map_or_else(
            |error| error,
            |digest| ChartError::NoDigest { chart: Box::new(chart.clone()), digest },
        )
    }

    /// Fetches the index of a repository of charts, to show that it can be reached. Registries have none.
    ///
    /// # Errors
    /// The repository cannot be reached, or refuses the credentials.
    pub(crate) fn try_index(&self, repository: &ChartRepository) -> Result<(), ChartError> {
        download::try_index(repository, self.helm()?, self.host)
    }

    fn check(&self, repository: &RepositoryUrl) -> Result<(), ChartError> {
        if self.access.allows(repository) {
            return Ok(());
        }
        Err(ChartError::NotAllowed { repository: repository.clone(), digests: self.access.digests })
    }

    fn download(&self, chart: &ChartId) -> Result<Vec<u8>, ChartError> {
        let settings = self.access.settings_of(&chart.repository);
        download::archive(chart, settings, self.helm()?, self.host)
    }

    fn helm(&self) -> Result<&FoundProgram, ChartError> {
        (self.find_helm)().map_err(|error| ChartError::Tool(error.clone()))
    }
}
