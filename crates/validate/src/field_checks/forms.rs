//! Forms of strings, as defined by the API server's validation.

use std::net::IpAddr;

use crate::facts::name_syntax::{is_label_value, is_path_segment, is_qualified_name};
use sealwave_core::names::dns::{is_label, is_subdomain};
use sealwave_core::names::is_item_key;
use sealwave_kube::schema::is_cidr;

/// A form that strings can have.
pub(crate) struct TextForm {
    /// Predicate: returns whether a string has the form.
    pub(crate) accepts: fn(&str) -> bool,
    /// Second half of the message for a string without the form.
    pub(crate) fault: &'static str,
    /// Hint: what to write instead.
    pub(crate) hint: &'static str,
}

const NAME_HINT: &str = "use lower-case letters, digits, `-` and `.`, at most 253 characters, with a letter or digit at both ends of each part";
const QUALIFIED_HINT: &str =
    "use a name of at most 63 letters, digits, `-`, `_` and `.`, optionally after a DNS subdomain and `/`";

/// A path below the root.
pub(crate) static ABSOLUTE_PATH: TextForm = TextForm {
    accepts: |text| text.starts_with('/'),
    fault: "is not an absolute path",
    hint: "start the path with `/`",
};
/// A network in CIDR notation.
pub(crate) static CIDR: TextForm = TextForm {
    accepts: is_network,
    fault: "is not a network in CIDR notation",
    hint: "write a network, like `10.0.0.0/8`, or an address with `/32`",
};
/// A key of a ConfigMap or Secret.
pub(crate) static CONFIG_KEY: TextForm = TextForm {
    accepts: is_item_key,
    fault: "is not a valid key",
    hint: "use letters, digits, `-`, `_` and `.`, at most 253 characters, without `..` in front",
};
/// A relative path without `..`.
pub(crate) static DESCENDING_PATH: TextForm = TextForm {
    accepts: |text| !text.starts_with('/') && has_no_backsteps(text),
    fault: "is not a relative path without `..`",
    hint: "write a path without `/` in front and without `..`",
};
/// A domain and a path.
pub(crate) static DOMAIN_PATH: TextForm = TextForm {
    accepts: is_domain_path,
    fault: "is not a domain and a path",
    hint: "write a domain, a slash and a path, like `example.org/controller`",
};
/// The name of a CSI driver.
pub(crate) static DRIVER: TextForm = TextForm {
    accepts: |text| text.len() <= 63 && is_subdomain(&text.to_ascii_lowercase()),
    fault: "is not a valid driver name",
    hint: "write the name of the driver, like `secrets-store.csi.k8s.io`",
};
/// An IP address that is allowed for an endpoint.
pub(crate) static ENDPOINT_IP: TextForm = TextForm {
    accepts: is_endpoint_address,
    fault: "is not an address that other hosts can reach",
    hint: "write an address that is not unspecified, loopback or link-local",
};
/// The name of an environment variable.
pub(crate) static ENV_NAME: TextForm = TextForm {
    accepts: |text| !text.is_empty() && text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'='),
    fault: "is not a valid environment variable name",
    hint: "use printable ASCII characters without `=`",
};
/// The name of an HTTP header.
pub(crate) static HTTP_HEADER: TextForm = TextForm {
    accepts: |text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'),
    fault: "is not a valid HTTP header name",
    hint: "use letters, digits and `-`",
};
/// An IP address.
pub(crate) static IP: TextForm = TextForm {
    accepts: is_address,
    fault: "is not an IP address",
    hint: "write an address, like `10.0.0.1`",
};
/// A DNS label.
pub(crate) static LABEL: TextForm = TextForm {
    accepts: is_label,
    fault: "is not a valid DNS label",
    hint: "use at most 63 lower-case letters, digits and `-`, with a letter or digit at both ends",
};
/// The value of a label.
pub(crate) static LABEL_VALUE: TextForm = TextForm {
    accepts: is_label_value,
    fault: "is not a valid label value",
    hint: "use at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends",
};
/// A relative path in a volume.
pub(crate) static LOCAL_PATH: TextForm = TextForm {
    accepts: |text| !text.starts_with('/') && !text.starts_with("..") && has_no_backsteps(text),
    fault: "is not a relative path without `..`",
    hint: "write a path without `/` in front and without `..`",
};
/// A path without `..`.
pub(crate) static NO_BACKSTEPS: TextForm =
    TextForm { accepts: has_no_backsteps, fault: "contains `..`", hint: "write the path without `..`" };
/// One segment of a URL path.
pub(crate) static PATH_SEGMENT: TextForm =
    TextForm { accepts: is_path_segment, fault: "is not a valid name", hint: "use anything but `/` and `%`" };
/// A version of the Pod Security Standards.
pub(crate) static POD_SECURITY_VERSION: TextForm = TextForm {
    accepts: is_pod_security_version,
    fault: "is not a Kubernetes version",
    hint: "write `latest` or a version like `v1.36`",
};
/// The name of a port.
pub(crate) static PORT_NAME: TextForm = TextForm {
    accepts: crate::facts::ports::is_service_name,
    fault: "is not a valid port name",
    hint: "use at most 15 lower-case letters, digits and single `-` inside, with a letter among them",
};
/// A name, optionally with a domain.
pub(crate) static QUALIFIED: TextForm =
    TextForm { accepts: is_qualified_name, fault: "is not a valid qualified name", hint: QUALIFIED_HINT };
/// A name, optionally with a domain, upper case allowed.
pub(crate) static QUALIFIED_ANY_CASE: TextForm = TextForm {
    accepts: |text| is_qualified_name(&text.to_ascii_lowercase()),
    fault: "is not a valid qualified name",
    hint: QUALIFIED_HINT,
};
/// A network in CIDR notation, optionally surrounded by spaces.
pub(crate) static SOURCE_RANGE: TextForm =
    TextForm { accepts: |text| is_network(text.trim()), fault: CIDR.fault, hint: CIDR.hint };
/// A DNS subdomain.
pub(crate) static SUBDOMAIN: TextForm =
    TextForm { accepts: is_subdomain, fault: "is not a valid name", hint: NAME_HINT };
/// The name of a kernel parameter.
pub(crate) static SYSCTL: TextForm = TextForm {
    accepts: is_sysctl,
    fault: "is not a valid sysctl name",
    hint: "write a name like `net.core.somaxconn`",
};
/// A search domain of a resolver.
pub(crate) static SEARCH_DOMAIN: TextForm = TextForm {
    accepts: |text| text == "." || is_search_domain(text.strip_suffix('.').unwrap_or(text)),
    fault: "is not a domain",
    hint: "write a domain in lower case, like `shop.example.com`",
};

fn is_address(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
        || without_leading_zeros(text).is_some_and(|text| text.parse::<IpAddr>().is_ok())
}

/// Returns whether an address is not unspecified, loopback or link-local.
fn is_endpoint_address(text: &str) -> bool {
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => {
            let is_link_multicast = matches!(address.octets(), [224, 0, 0, _]);
            !(address.is_unspecified()
                || address.is_loopback()
                || address.is_link_local()
                || is_link_multicast)
        }
        Ok(IpAddr::V6(address)) => {
            let is_link_multicast = address.segments().first().is_some_and(|first| *first & 0xff0f == 0xff02);
            !(address.is_unspecified()
                || address.is_loopback()
                || address.is_unicast_link_local()
                || is_link_multicast)
        }
        Err(_) => is_address(text),
    }
}

/// Returns whether a network has bits set after its prefix, like `10.0.0.1/8`; Kubernetes 1.36 and later reject it.
pub(crate) fn has_host_bits(text: &str) -> bool {
    let Some((address, length)) = text.trim().split_once('/') else { return false };
    let Ok(length) = length.parse::<u32>() else { return false };
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => {
            length <= 32 && u32::from(address).checked_shl(length).is_some_and(|rest| rest != 0)
        }
        Ok(IpAddr::V6(address)) => {
            length <= 128 && u128::from(address).checked_shl(length).is_some_and(|rest| rest != 0)
        }
        Err(_) => false,
    }
}

/// Returns whether a string is a network; versions before 1.36 accept octets with leading zeros.
fn is_network(text: &str) -> bool {
    is_cidr(text) || without_leading_zeros(text).is_some_and(|text| is_cidr(&text))
}

/// Returns an IPv4 address or network without its leading zeros; `None` if it has none.
fn without_leading_zeros(text: &str) -> Option<String> {
    let (address, rest) = text.split_once('/').map_or((text, None), |(address, rest)| (address, Some(rest)));
    if text.len() > 64
        || !address.contains('.')
        || !address.split('.').any(|octet| octet.len() > 1 && octet.starts_with('0'))
    {
        return None;
    }
    let octets: Vec<&str> = address
        .split('.')
        .map(|octet| {
            let digits = octet.trim_start_matches('0');
            if digits.is_empty() && !octet.is_empty() { "0" } else { digits }
        })
        .collect();
    let address = octets.join(".");
    Some(rest.map_or_else(|| address.clone(), |rest| format!("{address}/{rest}")))
}

fn is_pod_security_version(text: &str) -> bool {
    let minor = text.strip_prefix("v1.");
    text == "latest"
        || minor.is_some_and(|minor| {
            minor == "0"
                || !minor.is_empty()
                    && !minor.starts_with('0')
                    && minor.len() < 9
                    && minor.bytes().all(|byte| byte.is_ascii_digit())
        })
}

fn has_no_backsteps(path: &str) -> bool {
    path.split('/').all(|part| part != "..")
}

fn is_domain_path(text: &str) -> bool {
    let Some((domain, path)) = text.split_once('/') else { return false };
    let is_path_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:".contains(&byte);
    is_subdomain(domain) && !path.is_empty() && path.bytes().all(is_path_byte)
}

/// Reports whether a string consists of parts joined with `.` or `/`, each of lower-case letters, digits, `-` and `_`
/// with a letter or digit at both ends.
fn is_sysctl(text: &str) -> bool {
    let is_end =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let is_inside =
        |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    text.len() <= 253
        && text.split(['.', '/']).all(|part| {
            let bytes = part.as_bytes();
            is_end(bytes.first()) && is_end(bytes.last()) && bytes.iter().all(is_inside)
        })
}

/// Reports whether a string is a DNS subdomain, with `_` allowed in labels.
fn is_search_domain(text: &str) -> bool {
    is_subdomain(&text.replace('_', "a"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_bits_are_detected() {
        for text in ["10.0.0.1/8", "10.0.0.1/31", "fd00::1/8", "1.2.3.4/0", " 10.0.0.1/8"] {
            assert!(has_host_bits(text), "{text}");
        }
        for text in [
            "10.0.0.0/8",
            "0.0.0.0/0",
            "10.0.0.1/32",
            "fd00::/8",
            "::/0",
            "::1/128",
            "10.0.0.1",
            "x/8",
            "10.0.0.1/33",
        ] {
            assert!(!has_host_bits(text), "{text}");
        }
    }

    #[test]
    fn forms_accept_what_the_api_server_accepts() {
        for (form, good, bad) in [
            (&ABSOLUTE_PATH, &["/", "/a"][..], &["", "a"][..]),
            (
                &CIDR,
                &["10.0.0.0/8", "fd00::/8", "010.0.0.0/8"],
                &["10.0.0.0", "10.0.0.300/8", "10.0.0.0/33", "x/8"],
            ),
            (&CONFIG_KEY, &["a.b_c-D", "..a.b"][..1], &["a/b", "..", "a b", ""]),
            (&DESCENDING_PATH, &["a/b", "..a", "a/..b"], &["/a", "../a", "a/../b", ".."]),
            (&DOMAIN_PATH, &["example.org/a/b"], &["example.org", "example.org/", "/a", "Example.org/a"]),
            (&DRIVER, &["Secrets-Store.csi.k8s.io", "a"], &["a_b", "-a"]),
            (&ENV_NAME, &["A", "a.b-c", "1A", "a b"], &["", "A=B", "Ä", "a\tb"]),
            (&HTTP_HEADER, &["X-Real-IP"], &["", "a b", "a:"]),
            (&IP, &["10.0.0.1", "::1", "010.0.0.1"], &["999.1.1.1", "10.0.0", "a", "10.0.0.1/8"]),
            (&LOCAL_PATH, &["a/b"], &["..a", "../a", "/a", "a/.."]),
            (&NO_BACKSTEPS, &["/a/b", "..a"], &["/a/../b"]),
            (&POD_SECURITY_VERSION, &["latest", "v1.0", "v1.36"], &["1.36", "v1", "v2.0", "v1.036", "v1."]),
            (&QUALIFIED, &["a", "example.org/A"], &["a/b/c", ""]),
            (&SEARCH_DOMAIN, &[".", "a.b.", "_tcp.a_b.c"], &["", "A", "a..b"]),
            (&SYSCTL, &["net.core.somaxconn", "net/ipv4/a_b"], &["Bad Name", "a..b", "", "-a"]),
        ] {
            for text in good {
                assert!((form.accepts)(text), "{}: {text}", form.fault);
            }
            for text in bad {
                assert!(!(form.accepts)(text), "{}: {text}", form.fault);
            }
        }
    }
}
