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

use sealwave_secrets::settings::{ChartDigest, ChartId, PinnedChart};

pub use access::{ChartAccess, DigestUse};
pub use error::ChartError;

use crate::{Tool, Toolbox};

impl Toolbox {
    /// Returns the archive of a chart, from the cache or from its repository.
    ///
    /// # Errors
    /// The repository is not allowed, the chart cannot be downloaded, or its digest is another one.
    pub fn chart(&self, chart: &PinnedChart) -> Result<Vec<u8>, ChartError> {
        let access = self.charts();
        // Also for charts in the cache: whether a repository is allowed does not depend on what others downloaded.
        access.check(&chart.id.repository)?;
        let cached = access.cache().and_then(|cache| cache::read(cache, &chart.digest));
        if let Some(archive) = cached {
            return Ok(archive);
        }
        let archive = self.download(&chart.id)?;
        let found = ChartDigest::of(&archive);
        if found != chart.digest {
            return Err(ChartError::Digest { chart: chart.id.clone(), found });
        }
        if let Some(cache) = access.cache() {
            cache::write(cache, &chart.digest, &archive);
        }
        Ok(archive)
    }

    /// Returns the error for a chart without a digest. Where people work, it shows the digest to write.
    pub fn missing_digest(&self, chart: &ChartId) -> ChartError {
        let access = self.charts();
        let found = match access.digests() {
            DigestUse::Required => Ok(None),
            DigestUse::Shown => access
                .check(&chart.repository)
                .and_then(|()| self.download(chart))
                .map(|archive| Some(ChartDigest::of(&archive))),
        };
        found.map_or_else(|error| error, |digest| ChartError::NoDigest { chart: chart.clone(), digest })
    }

    fn download(&self, chart: &ChartId) -> Result<Vec<u8>, ChartError> {
        let helm = self.find(Tool::Helm).map_err(|error| ChartError::Tool(error.clone()))?;
        let settings = self.charts().settings_of(&chart.repository);
        download::archive(chart, settings, helm, self.host())
    }

    /// Fetches the index of a repository of charts, to show that it can be reached. Registries have no index.
    ///
    /// # Errors
    /// The repository cannot be reached, or refuses the credentials.
    pub fn try_repository(
        &self,
        repository: &sealwave_secrets::settings::ChartRepository,
    ) -> Result<(), ChartError> {
        let helm = self.find(Tool::Helm).map_err(|error| ChartError::Tool(error.clone()))?;
        download::try_index(repository, helm, self.host())
    }
}
