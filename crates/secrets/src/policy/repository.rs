//! Repository URLs: one repository has many. For `allow`, a URL must equal the operator's except for insignificant
//! differences; for `deny`, it is enough that it may be the same repository.
//!
//! | | `allow` | `deny` |
//! |---|---|---|
//! | `git@host:path` and `ssh://git@host/path` | the same | the same |
//! | case of scheme and host, `.git`, a `/` at the end | ignored | ignored |
//! | user and password of an `http` or `https` URL, password of others | ignored | ignored |
//! | user of other URLs, scheme, port | significant | ignored |
//! | case of the path, percent-encoding, `//`, `.` and `..` | significant | ignored |
//!
//! Argo CD itself ignores the case of the whole URL when it compares it with a project's `sourceRepos`, and includes
//! the user.

use globset::GlobMatcher;
use percent_encoding::percent_decode_str;

use super::PolicyError;
use super::pattern::{check_no_variables, compile_glob};

/// Globs over repository URLs, in strict and loose form.
pub(super) struct RepositoryPatterns {
    strict: Vec<GlobMatcher>,
    loose: Vec<GlobMatcher>,
}

impl RepositoryPatterns {
    pub(super) fn new(rule: &str, patterns: &[String]) -> Result<Self, PolicyError> {
        let mut repositories = Self { strict: Vec::new(), loose: Vec::new() };
        for pattern in patterns {
            check_no_variables(rule, pattern)?;
            // Elsewhere, `*` alone matches everything; values have slashes here, so it is translated.
            let glob = if pattern == "*" { "**" } else { pattern };
            repositories.strict.push(compile_glob(rule, pattern, &strict_form(glob), false)?);
            repositories.loose.push(compile_glob(rule, pattern, &loose_form(glob), true)?);
        }
        Ok(repositories)
    }

    /// Reports whether a URL certainly matches.
    pub(super) fn matches(&self, url: &str) -> bool {
        let url = strict_form(url);
        !url.split('/').any(|segment| segment == "..") && self.strict.iter().any(|glob| glob.is_match(&url))
    }

    /// Reports whether a URL may match.
    pub(super) fn may_match(&self, url: &str) -> bool {
        let decoded = percent_decode_str(url).decode_utf8_lossy();
        [url, &decoded].iter().any(|url| {
            let url = loose_form(url);
            self.loose.iter().any(|glob| glob.is_match(&url))
        })
    }
}

/// Returns a URL without possible credentials, which is safe to show: without user for `http` and `https`, without
/// password for others.
#[must_use]
pub fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.trim().split_once("://") else { return url.trim().to_owned() };
    let (authority, path) = split_path(rest);
    let Some((user, host)) = authority.rsplit_once('@') else { return format!("{scheme}://{rest}") };
    let name = user.split(':').next().unwrap_or("");
    if name.is_empty() || scheme.to_ascii_lowercase().starts_with("http") {
        format!("{scheme}://{host}{path}")
    } else {
        format!("{scheme}://{name}@{host}{path}")
    }
}

fn strict_form(url: &str) -> String {
    let url = without_credentials(&with_scheme(url.trim()));
    let Some((scheme, rest)) = url.split_once("://") else { return url };
    let (authority, path) = split_path(rest);
    let (user, host) =
        authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    let user = user.map(|user| format!("{user}@")).unwrap_or_default();
    let path = path.trim_end_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    format!("{}://{user}{}{path}", scheme.to_ascii_lowercase(), host.to_ascii_lowercase())
}

fn loose_form(url: &str) -> String {
    let url = strict_form(&url.to_lowercase());
    let Some((_, rest)) = url.split_once("://") else { return url };
    let (authority, path) = split_path(rest);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()))
        .map_or(host, |(host, _)| host);
    let mut segments = vec![host];
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." if segments.len() > 1 => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    let plain = segments.join("/");
    plain.strip_suffix(".git").map(str::to_owned).unwrap_or(plain)
}

/// Converts SSH's `user@host:path` to a URL.
fn with_scheme(url: &str) -> String {
    match url.split_once(':') {
        Some((host, path)) if !url.contains("://") && !host.contains('/') => format!("ssh://{host}/{path}"),
        _ => url.to_owned(),
    }
}

/// Splits the text after a scheme into host and path.
fn split_path(rest: &str) -> (&str, &str) {
    rest.split_at(rest.find('/').unwrap_or(rest.len()))
}
