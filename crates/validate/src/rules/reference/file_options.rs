//! File paths on command lines and in variables, and the options that take configuration or credential files.

use std::ops::Range;

use crate::facts::fields::{items, text};
use sealwave_core::document::Node;

/// Maximum size of a searched string, in bytes.
const MAX_TEXT: usize = 16 << 10;
/// Maximum number of paths per container.
const MAX_PATHS: usize = 200;

/// A file path in the command or environment of a container.
pub(super) struct NamedFile<'a> {
    /// The argument or value with the path.
    pub(super) node: &'a Node,
    /// Byte range of the path in the string.
    pub(super) range: Range<usize>,
    pub(super) path: &'a str,
    /// True if the option is known to take a file that the program reads.
    pub(super) is_configuration: bool,
}

/// Options that take a configuration or credential file, in lower case without leading dashes.
const OPTIONS: &[&str] = &[
    "client-ca-file",
    "config",
    "config-file",
    "config.file",
    "configfile",
    "credentials-file",
    "javax.net.ssl.keystore",
    "javax.net.ssl.truststore",
    "kubeconfig",
    "logging.config",
    "spring.config.additional-location",
    "spring.config.import",
    "spring.config.location",
    "tls-ca-file",
    "tls-cert",
    "tls-cert-file",
    "tls-key",
    "tls-key-file",
    "tls-private-key-file",
];

/// Variables that contain the path of such a file.
const VARIABLES: &[&str] = &[
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "DOCKER_CONFIG",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "KUBECONFIG",
    "PGPASSFILE",
    "SPRING_CONFIG_ADDITIONAL_LOCATION",
    "SPRING_CONFIG_IMPORT",
    "SPRING_CONFIG_LOCATION",
];

/// Returns the file paths of a container, in the order of its fields.
pub(super) fn named_files(container: &Node) -> Vec<NamedFile<'_>> {
    let mut found = Vec::new();
    for field in ["command", "args"] {
        let mut before = "";
        for word in items(container, field) {
            let Some(line) = word.as_str() else { continue };
            collect_paths(word, line, option(before), &mut found);
            before = line;
        }
    }
    for variable in items(container, "env") {
        let (Some(name), Some(value)) = (text(variable, "name"), variable.get("value")) else { continue };
        if let Some(line) = value.as_str() {
            let is_known = VARIABLES.contains(&name)
                || name.ends_with("_PASSWORD_FILE")
                || name.ends_with("_SECRET_FILE");
            collect_paths(value, line, if is_known { Some(true) } else { Some(false) }, &mut found);
        }
    }
    found.truncate(MAX_PATHS);
    found
}

/// Returns whether an option takes a configuration file; `None` if the word is not an option.
fn option(word: &str) -> Option<bool> {
    let name = word.strip_prefix('-').filter(|_| !word.contains(['=', ' ']))?;
    Some(is_known(name))
}

fn is_known(name: &str) -> bool {
    let name = name.trim_start_matches('-');
    let name = name.strip_prefix('D').filter(|name| name.contains('.')).unwrap_or(name);
    OPTIONS.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Collects the paths in a string: its words, and the values of options.
fn collect_paths<'a>(node: &'a Node, line: &'a str, given: Option<bool>, found: &mut Vec<NamedFile<'a>>) {
    // A script may check that a file exists before it uses it.
    if line.len() > MAX_TEXT
        || line.contains('\n')
        || ["[ -", "test -", "||", "if "].iter().any(|word| line.contains(word))
    {
        return;
    }
    let mut known = given.unwrap_or(false);
    let mut from = 0;
    for word in line.split([' ', '\t']) {
        let start = from;
        from += word.len() + 1;
        let (name, value) = match word.split_once('=') {
            Some((name, value)) if !name.starts_with(['/', '.']) => (Some(name), value),
            _ => (None, word),
        };
        if let Some(name) = name {
            known = is_known(name) || (known && !name.starts_with('-'));
        } else if word.starts_with('-') {
            known = is_known(word);
            continue;
        }
        let mut at = start + word.len() - value.len();
        for part in value.split([',', ';']) {
            if let Some(path) = path(part) {
                let begin = at + part.find(path).unwrap_or(0);
                found.push(NamedFile {
                    node,
                    range: begin..begin + path.len(),
                    path,
                    is_configuration: known,
                });
            }
            at += part.len() + 1;
        }
        known = given.unwrap_or(false) && name.is_none();
    }
}

/// Returns the absolute file path in a value like `file:/a/b` or `"/a/b"`.
fn path(value: &str) -> Option<&str> {
    let value = value.trim_matches(['"', '\'']);
    let value = value.strip_prefix('@').unwrap_or(value);
    let value = value.strip_prefix("file:").unwrap_or(value);
    let slashes = value.len() - value.trim_start_matches('/').len();
    let path = value.get(slashes.checked_sub(1)?..)?;
    let is_path_char = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '+' | '@');
    (path.len() > 1 && path.chars().all(is_path_char) && !path.contains("..")).then_some(path)
}
