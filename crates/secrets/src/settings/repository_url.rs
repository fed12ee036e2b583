//! The URL of a repository of charts, in one form only.
//!
//! sealwave and Helm read URLs with different parsers. So that both see the same host and path, texts that parsers read
//! differently are refused instead of normalized: user names, percent-encoding, `.` and `..`, queries, letters outside ASCII.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use schemars::JsonSchema;
use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer};

/// The form of a URL, for editors.
const PATTERN: &str = r"^(https?|oci)://([A-Za-z0-9]([-.A-Za-z0-9]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[-._~A-Za-z0-9]+)*/?$";

/// Maximum length of a URL.
const MAX_LENGTH: usize = 1000;
/// Maximum length of the name of a host, and of a part of it.
const MAX_HOST: usize = 253;
const MAX_LABEL: usize = 63;

/// The protocol of a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RepositoryScheme {
    /// An index and archives, without TLS.
    Http,
    /// An index and archives.
    Https,
    /// An OCI registry.
    Oci,
}

impl RepositoryScheme {
    const ALL: [Self; 3] = [Self::Http, Self::Https, Self::Oci];

    const fn prefix(self) -> &'static str {
        match self {
            Self::Http => "http://",
            Self::Https => "https://",
            Self::Oci => "oci://",
        }
    }

    const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https | Self::Oci => 443,
        }
    }
}

/// The URL of a repository of charts, or of a part of it.
#[derive(Clone, Debug, JsonSchema, PartialEq, Eq)]
#[schemars(with = "String", extend("pattern" = PATTERN))]
pub struct RepositoryUrl {
    scheme: RepositoryScheme,
    host: RepositoryHost,
    /// Empty, or segments that each follow a `/`.
    path: String,
}

impl RepositoryUrl {
    /// Parses a URL; `None` if it has another form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_LENGTH {
            return None;
        }
        let after = |scheme: RepositoryScheme| Some((scheme, text.strip_prefix(scheme.prefix())?));
        let (scheme, rest) = RepositoryScheme::ALL.into_iter().find_map(after)?;
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let mut host = RepositoryHost::parse(authority)?;
        host.port = host.port.filter(|port| *port != scheme.default_port());
        let path = path.strip_suffix('/').unwrap_or(path);
        let is_valid = path.split('/').skip(1).all(is_segment);
        is_valid.then(|| Self { scheme, host, path: path.to_owned() })
    }

    /// Returns the protocol.
    #[must_use]
    pub const fn scheme(&self) -> RepositoryScheme {
        self.scheme
    }

    /// Returns the host, and its port if that is not the default.
    #[must_use]
    pub const fn host(&self) -> &RepositoryHost {
        &self.host
    }

    /// Returns the port that a client connects to.
    #[must_use]
    pub fn port(&self) -> u16 {
        let default = if self.is_plain() { RepositoryScheme::Http } else { self.scheme };
        self.host.port.unwrap_or_else(|| default.default_port())
    }

    /// Reports whether the repository is asked without TLS: by its protocol, or because it is a registry on this machine.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        match self.scheme {
            RepositoryScheme::Http => true,
            RepositoryScheme::Https => false,
            RepositoryScheme::Oci => self.host.is_loopback(),
        }
    }

    /// Reports whether a password would be sent over a network without TLS.
    #[must_use]
    pub fn reveals_passwords(&self) -> bool {
        self.is_plain() && !self.host.is_loopback()
    }

    /// Reports whether this URL is another one, or below it by whole segments.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        let below = self.path.strip_prefix(&other.path);
        self.scheme == other.scheme
            && self.host == other.host
            && below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl fmt::Display for RepositoryUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.scheme.prefix(), self.host, self.path)
    }
}

impl<'de> Deserialize<'de> for RepositoryUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let expected = "a URL such as `https://charts.example.com` or `oci://registry.example.com/charts`, without user name, \
             `%`, `..` and query";
        Self::parse(&text).ok_or_else(|| Error::invalid_value(Unexpected::Other("text"), &expected))
    }
}

/// A host with an optional port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryHost {
    /// In lower case; an address of IPv6 in brackets.
    name: String,
    port: Option<u16>,
}

impl RepositoryHost {
    /// Parses `HOST` or `HOST:PORT`; `None` if it has another form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, Some(parse_port(port)?)),
            _ => (text, None),
        };
        let name = match name.strip_prefix('[') {
            Some(address) => format!("[{}]", address.strip_suffix(']')?.parse::<Ipv6Addr>().ok()?),
            None => name.to_ascii_lowercase(),
        };
        let is_valid = name.starts_with('[') || is_host_name(&name);
        is_valid.then_some(Self { name, port })
    }

    /// Reports whether a URL has this host, on this port; without one, on the default port of its protocol.
    #[must_use]
    pub fn allows(&self, url: &RepositoryUrl) -> bool {
        self.name == url.host.name && self.port.unwrap_or(url.scheme.default_port()) == url.written_port()
    }

    /// Reports whether this is the machine itself.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let name = self.name.trim_matches(['[', ']']);
        let address: Option<IpAddr> = name.parse().ok();
        // Names can be resolved to anything, except for this one.
        name == "localhost" || address.is_some_and(|address| address.is_loopback())
    }
}

impl RepositoryUrl {
    fn written_port(&self) -> u16 {
        self.host.port.unwrap_or_else(|| self.scheme.default_port())
    }
}

impl fmt::Display for RepositoryHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// Parses a port in its only form.
fn parse_port(text: &str) -> Option<u16> {
    let port: u16 = text.parse().ok().filter(|port| *port > 0)?;
    (port.to_string() == text).then_some(port)
}

/// Reports whether a text is the name of a host, or an IPv4 address in its only form: others, such as `127.1`, are read
/// differently by resolvers.
fn is_host_name(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    let is_number = last.starts_with(|first: char| first.is_ascii_digit());
    name.len() <= MAX_HOST
        && name.split('.').all(is_label)
        && (!is_number || name.parse::<Ipv4Addr>().is_ok() || !name.contains('.') && !is_old_address(name))
}

/// Reports whether resolvers may read a name as an IPv4 address in a single number.
fn is_old_address(name: &str) -> bool {
    name.starts_with("0x") || name.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_label(label: &str) -> bool {
    let is_alphanumeric = |byte: &u8| byte.is_ascii_alphanumeric();
    let bytes = label.as_bytes();
    (1..=MAX_LABEL).contains(&bytes.len())
        && bytes.iter().all(|byte| is_alphanumeric(byte) || *byte == b'-')
        && bytes.first().is_some_and(is_alphanumeric)
        && bytes.last().is_some_and(is_alphanumeric)
}

fn is_segment(segment: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        RepositoryUrl::parse(text).map(|url| url.to_string())
    }

    #[test]
    fn each_repository_has_one_form() {
        for (text, form) in [
            ("https://charts.example.com", "https://charts.example.com"),
            ("https://Charts.Example.com/", "https://charts.example.com"),
            ("https://charts.example.com:443/a/b/", "https://charts.example.com/a/b"),
            ("http://charts.example.com:80", "http://charts.example.com"),
            ("http://charts.example.com:443", "http://charts.example.com:443"),
            ("oci://registry.example.com:5000/Charts", "oci://registry.example.com:5000/Charts"),
            ("oci://[0:0:0:0:0:0:0:1]:5000/a", "oci://[::1]:5000/a"),
            ("https://xn--bcher-kva.example/a", "https://xn--bcher-kva.example/a"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(form), "{text}");
        }
    }

    #[test]
    fn texts_that_parsers_read_differently_are_refused() {
        let long = format!("https://a.example/{}", "a".repeat(MAX_LENGTH));
        for text in [
            "",
            "charts.example.com",
            "HTTPS://charts.example.com",
            "file:///etc",
            "git+https://charts.example.com",
            "https://",
            "https:///a",
            "https://user@charts.example.com",
            "https://user:pass@charts.example.com",
            "https://charts.example.com@evil.example",
            "https://charts.example.com\\@evil.example",
            "https://charts.example.com:0",
            "https://charts.example.com:0443",
            "https://charts.example.com:+443",
            "https://charts.example.com:65536",
            "https://charts.example.com:",
            "https://charts.example.com:443:443",
            "https://charts.example.com.",
            "https://charts..example.com",
            "https://-charts.example.com",
            "https://127.1",
            "https://2130706433",
            "https://0x7f000001",
            "https://0177.0.0.1",
            "https://1.2.3.4.5",
            "https://charts_.example.com",
            "https://bücher.example",
            "https://charts.example.com/..",
            "https://charts.example.com/a/../b",
            "https://charts.example.com/./b",
            "https://charts.example.com//b",
            "https://charts.example.com/a//",
            "https://charts.example.com/%2e%2e/b",
            "https://charts.example.com/a?x=1",
            "https://charts.example.com/a#x",
            "https://charts.example.com/a;b",
            "https://charts.example.com/a b",
            "https://charts.example.com/a\nb",
            "https://charts.example.com/\u{1b}[31m",
            "https://[::1",
            "https://[::1]x",
            "https://[fe80::1%25eth0]",
            "oci://--config",
            &long,
        ] {
            assert_eq!(shown(text), None, "{text}");
        }
    }

    #[test]
    fn a_repository_is_within_another_one_by_whole_segments() {
        for (url, other, within) in [
            ("https://a.example/team/x", "https://a.example", true),
            ("https://a.example/team/x", "https://a.example/team/", true),
            ("https://a.example:443/team", "https://A.example/team", true),
            ("https://a.example/teams", "https://a.example/team", false),
            ("https://a.example", "https://a.example/team", false),
            ("https://a.example/Team", "https://a.example/team", false),
            ("http://a.example/team", "https://a.example/team", false),
            ("oci://a.example/team", "https://a.example/team", false),
            ("https://a.example:8443/team", "https://a.example/team", false),
            ("https://a.example.evil.example", "https://a.example", false),
            ("https://xa.example", "https://a.example", false),
        ] {
            let parsed = [url, other].map(|text| RepositoryUrl::parse(text).unwrap());
            assert_eq!(parsed[0].is_within(&parsed[1]), within, "{url} {other}");
        }
    }

    #[test]
    fn hosts_allow_one_port() {
        for (host, url, allowed) in [
            ("a.example", "https://a.example/x", true),
            ("a.example", "oci://A.example/x", true),
            ("a.example:443", "https://a.example", true),
            ("a.example", "https://a.example:8443", false),
            ("a.example:8443", "https://a.example:8443", true),
            ("a.example:8443", "https://a.example", false),
            ("example", "https://a.example", false),
        ] {
            let url = RepositoryUrl::parse(url).unwrap();
            assert_eq!(RepositoryHost::parse(host).unwrap().allows(&url), allowed, "{host} {url}");
        }
        for text in ["", "*", "*.example", "https://a.example", "a.example/x", "a@b", "a:b", "a\nb"] {
            assert_eq!(RepositoryHost::parse(text), None, "{text}");
        }
    }

    #[test]
    fn only_registries_on_this_machine_are_asked_without_tls() {
        for (url, is_plain, port) in [
            ("oci://localhost:5000/a", true, 5000),
            ("oci://127.0.0.1/a", true, 80),
            ("oci://[::1]:5000", true, 5000),
            ("oci://localhost.evil.example/a", false, 443),
            ("oci://10.0.0.1:5000", false, 5000),
            ("https://127.0.0.1:8443", false, 8443),
            ("http://a.example", true, 80),
        ] {
            let url = RepositoryUrl::parse(url).unwrap();
            assert_eq!((url.is_plain(), url.port()), (is_plain, port), "{url}");
        }
        assert!(RepositoryUrl::parse("http://a.example").unwrap().reveals_passwords());
        assert!(!RepositoryUrl::parse("http://127.0.0.1:1").unwrap().reveals_passwords());
    }
}
