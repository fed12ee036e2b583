//! Repository URLs: one repository has many. To allow, a URL must be the operator's but for what cannot matter; to deny,
//! it is enough that it could be the same repository.
//!
//! | | to allow | to deny |
//! |---|---|---|
//! | `git@host:path` and `ssh://git@host/path` | the same | the same |
//! | case of scheme and host, `.git`, a `/` at the end | do not count | do not count |
//! | user and password of an `http` or `https` URL, password of others | do not count | do not count |
//! | user of other URLs, scheme, port | count | do not count |
//! | case of the path, percent-encoding, `//`, `.` and `..` | count | do not count |
//!
//! Argo CD itself folds the case of the whole URL when it compares it with a project's `sourceRepos`, and keeps the user.

use globset::GlobMatcher;
use percent_encoding::percent_decode_str;

use super::PolicyError;
use super::pattern::{check_plain, compile};

/// Globs over repository URLs, in both forms.
pub(super) struct Repositories {
    strict: Vec<GlobMatcher>,
    loose: Vec<GlobMatcher>,
}

impl Repositories {
    pub(super) fn new(rule: &str, patterns: &[String]) -> Result<Self, PolicyError> {
        let mut repositories = Self { strict: Vec::new(), loose: Vec::new() };
        for pattern in patterns {
            check_plain(rule, pattern)?;
            // Elsewhere `*` alone is everything; here, where values have slashes, it is meant so too.
            let glob = if pattern == "*" { "**" } else { pattern };
            repositories.strict.push(compile(rule, pattern, &strict(glob), false)?);
            repositories.loose.push(compile(rule, pattern, &loose(glob), true)?);
        }
        Ok(repositories)
    }

    /// Whether a URL is surely one of these.
    pub(super) fn surely(&self, url: &str) -> bool {
        let url = strict(url);
        !url.split('/').any(|segment| segment == "..") && self.strict.iter().any(|glob| glob.is_match(&url))
    }

    /// Whether a URL could be one of these.
    pub(super) fn perhaps(&self, url: &str) -> bool {
        let decoded = percent_decode_str(url).decode_utf8_lossy();
        [url, &decoded].iter().any(|url| {
            let url = loose(url);
            self.loose.iter().any(|glob| glob.is_match(&url))
        })
    }
}

/// A URL without what could be a credential, so that it can be shown: no user in `http` and `https`, no password in others.
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

fn strict(url: &str) -> String {
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

fn loose(url: &str) -> String {
    let url = strict(&url.to_lowercase());
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

/// `user@host:path`, as SSH has it, as a URL.
fn with_scheme(url: &str) -> String {
    match url.split_once(':') {
        Some((host, path)) if !url.contains("://") && !host.contains('/') => format!("ssh://{host}/{path}"),
        _ => url.to_owned(),
    }
}

/// Host and path of what follows a scheme.
fn split_path(rest: &str) -> (&str, &str) {
    rest.split_at(rest.find('/').unwrap_or(rest.len()))
}
