//! The writes that the API server accepted, in order.

use std::path::Path;

use serde_json::Value;

/// The API server's record of writes.
pub struct AuditLog {
    writes: Vec<Write>,
}

/// One write that the API server accepted.
#[derive(Debug)]
pub struct Write {
    pub name: String,
    pub namespace: String,
    /// The plural name of the kind, with the subresource, if any: `pods/status`.
    pub resource: String,
    pub time: String,
    pub user_agent: String,
    pub verb: String,
}

impl AuditLog {
    pub fn read(file: &Path) -> Self {
        let text = fs_err::read_to_string(file).expect("an audit log");
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        Self { writes: lines.filter_map(|event| Write::from_event(&event)).collect() }
    }

    /// Returns the writes in a namespace that fit.
    pub fn writes(&self, namespace: &str, fits: impl Fn(&Write) -> bool) -> Vec<&Write> {
        self.writes.iter().filter(|write| write.namespace == namespace && fits(write)).collect()
    }

    /// Returns the time of the first write of this kind to an object.
    ///
    /// # Panics
    /// If there was none.
    pub fn first(&self, namespace: &str, verb: &str, resource: &str, name: &str) -> &str {
        let found = self.writes(namespace, |write| {
            write.verb == verb && write.resource == resource && write.name == name
        });
        found
            .first()
            .map_or_else(|| panic!("no {verb} of {resource} {namespace}/{name}"), |write| &write.time)
    }
}

impl Write {
    fn from_event(event: &Value) -> Option<Self> {
        let text =
            |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let code = event.pointer("/responseStatus/code")?.as_u64()?;
        let is_dry_run = text("/requestURI").contains("dryRun=");
        if !(200..300).contains(&code) || is_dry_run {
            return None;
        }
        let subresource = text("/objectRef/subresource");
        let resource = text("/objectRef/resource");
        Some(Self {
            name: text("/objectRef/name"),
            namespace: text("/objectRef/namespace"),
            resource: if subresource.is_empty() { resource } else { format!("{resource}/{subresource}") },
            time: text("/requestReceivedTimestamp"),
            user_agent: text("/userAgent"),
            verb: text("/verb"),
        })
    }
}
