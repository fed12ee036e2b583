//! A version of Kubernetes, as far as schemas depend on it: `1.x`.

use std::fmt;
use std::str::FromStr;

use sealwave_core::diagnostic::Explain;

/// The oldest minor of the pack.
pub(super) const FIRST_MINOR: u8 = 25;
/// The number of minors of the pack.
pub(super) const MINORS: u8 = 13;

/// A minor version of Kubernetes; patches do not change schemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KubeVersion(u8);

impl KubeVersion {
    /// The newest version with known schemas.
    pub const NEWEST: Self = Self(FIRST_MINOR + MINORS - 1);
    /// The oldest version with known schemas.
    pub const OLDEST: Self = Self(FIRST_MINOR);

    /// Returns all versions with known schemas, the oldest first.
    #[must_use]
    pub fn all() -> impl DoubleEndedIterator<Item = Self> + ExactSizeIterator {
        (0..MINORS).map(|index| Self(FIRST_MINOR + index))
    }

    /// Parses a version and clamps it to the versions with known schemas.
    ///
    /// # Errors
    /// The text is not a version of Kubernetes.
    pub fn parse_nearest(text: &str) -> Result<Self, VersionError> {
        match text.parse() {
            Err(VersionError::TooNew(_)) => Ok(Self::NEWEST),
            Err(VersionError::TooOld(_)) => Ok(Self::OLDEST),
            other => other,
        }
    }

    /// Returns `1.minor`, even without known schemas: APIs were removed before the oldest known version.
    pub(super) const fn from_minor(minor: u8) -> Self {
        Self(minor)
    }

    /// Returns the minor version.
    #[must_use]
    pub const fn minor(self) -> u8 {
        self.0
    }

    /// Returns the version's bit in the masks of the pack, or 0 if its schemas are not known.
    pub(super) const fn bit(self) -> u16 {
        match self.0.checked_sub(FIRST_MINOR) {
            Some(index) if index < MINORS => 1 << index,
            _ => 0,
        }
    }
}

impl fmt::Display for KubeVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.0)
    }
}

/// The reason why a text is not a version with known schemas.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// Not a version of Kubernetes.
    #[error("`{0}` is not a version of Kubernetes")]
    Malformed(String),
    /// Older than the known schemas.
    #[error("Kubernetes {0} is older than the oldest known version, {oldest}", oldest = KubeVersion::OLDEST)]
    TooOld(KubeVersion),
    /// Newer than the known schemas.
    #[error("Kubernetes {0} is newer than the newest known version, {newest}", newest = KubeVersion::NEWEST)]
    TooNew(KubeVersion),
}

impl Explain for VersionError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Malformed(_) => {
                format!("write it like `{}` or `v{}.0`", KubeVersion::NEWEST, KubeVersion::NEWEST)
            }
            Self::TooOld(_) => {
                format!("use a version from {} to {}", KubeVersion::OLDEST, KubeVersion::NEWEST)
            }
            Self::TooNew(_) => format!("use {}, or upgrade sealwave", KubeVersion::NEWEST),
        })
    }
}

impl FromStr for KubeVersion {
    type Err = VersionError;

    /// Parses the forms that clusters report: `1.29`, `v1.29.3`, `1.29.3+k3s1`, `1.29.0-eks-abc`, `1.29+`.
    fn from_str(text: &str) -> Result<Self, VersionError> {
        let version = Self(minor_of(text).ok_or_else(|| VersionError::Malformed(text.to_owned()))?);
        if version < Self::OLDEST {
            Err(VersionError::TooOld(version))
        } else if version > Self::NEWEST {
            Err(VersionError::TooNew(version))
        } else {
            Ok(version)
        }
    }
}

fn minor_of(text: &str) -> Option<u8> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let plain = text.split(['-', '+']).next()?;
    let mut numbers = plain.split('.').map(number);
    let major = numbers.next()??;
    let minor = numbers.next()??;
    let has_valid_patch = numbers.next().is_none_or(|patch| patch.is_some());
    let ends = numbers.next().is_none();
    (major == 1 && has_valid_patch && ends).then_some(())?;
    u8::try_from(minor).ok()
}

fn number(text: &str) -> Option<u16> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::{KubeVersion, VersionError};
    use sealwave_core::diagnostic::Explain;

    #[test]
    fn versions_that_clusters_report_are_parsed() {
        for text in
            ["1.29", "v1.29", "1.29.3", "v1.29.3", "1.29.3+k3s1", "1.29.0-eks-abc", "1.29+", "1.29-gke.1+2"]
        {
            assert_eq!(
                text.parse::<KubeVersion>().map(|version| version.to_string()),
                Ok("1.29".to_owned()),
                "{text}"
            );
        }
        for text in [
            "", "v", "1", "29", "2.1", "1.x", "1.29.x", "1.29.1.1", "1.-1", "1.+29", " 1.29", "1.300",
            "vv1.29",
        ] {
            assert_eq!(text.parse::<KubeVersion>(), Err(VersionError::Malformed(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn errors_name_the_known_versions() {
        let old = "1.24.9".parse::<KubeVersion>().expect_err("too old");
        assert_eq!(old.to_string(), "Kubernetes 1.24 is older than the oldest known version, 1.25");
        let new = "1.99".parse::<KubeVersion>().expect_err("too new");
        assert_eq!(new.to_string(), "Kubernetes 1.99 is newer than the newest known version, 1.37");
        assert_eq!(new.hint().as_deref(), Some("use 1.37, or upgrade sealwave"));
        assert_eq!(KubeVersion::all().len(), 13);
        assert_eq!(KubeVersion::all().next_back(), Some(KubeVersion::NEWEST));
    }
}
