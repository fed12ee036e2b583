//! The app that a policy decision is about.

use std::fmt;

/// An app as described by Argo CD; unknown fields are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicySubject {
    /// Argo CD project.
    pub project: String,
    /// Name of the app; `<namespace>_<name>` for apps outside Argo CD's own namespace.
    pub app: String,
    /// Destination namespace.
    pub namespace: String,
    /// URL of the app's repository, without credentials.
    pub repository: String,
    /// Environment that is rendered. It comes from the app's author, not from Argo CD.
    pub environment: String,
}

impl fmt::Display for PolicySubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.project.as_str() {
            "" => f.write_str("no project")?,
            project => write!(f, "project `{project}`")?,
        }
        write!(f, ", app `{}`", self.app)?;
        for (field, value) in [
            ("namespace", &self.namespace),
            ("repository", &self.repository),
            ("environment", &self.environment),
        ] {
            if !value.is_empty() {
                write!(f, ", {field} `{value}`")?;
            }
        }
        Ok(())
    }
}
