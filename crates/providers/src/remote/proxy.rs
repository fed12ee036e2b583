//! The HTTP proxy that the operator configures for a provider.
//!
//! The proxy comes only from the operator file, never from `HTTPS_PROXY` and the like, since it redirects tokens and
//! values. Only https goes through it, so it sees the destination of a connection but not its content. Its URL must not
//! contain a login, which would be a credential outside of a credential file.

/// The expected form, for messages.
pub(crate) const FORM: &str = "the address of an HTTP proxy, for example `http://proxy.example.com:3128`: with a port, \
                               without a user or a password";

/// Reports whether a URL is the address of a proxy and nothing else.
pub(crate) fn is_valid(url: &str) -> bool {
    let Some(authority) = url.strip_prefix("http://").map(|rest| rest.strip_suffix('/').unwrap_or(rest))
    else {
        return false;
    };
    let Some((host, port)) = authority.rsplit_once(':') else { return false };
    let is_name_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let is_ipv6_byte = |byte: u8| byte.is_ascii_hexdigit() || byte == b':';
    let is_host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(host) => !host.is_empty() && host.bytes().all(is_ipv6_byte),
        None => !host.is_empty() && host.bytes().all(is_name_byte),
    };
    is_host
        && port.parse::<u16>().is_ok_and(|number| number > 0)
        && port.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_proxy_address_is_valid() {
        for url in
            ["http://proxy:3128", "http://10.0.0.1:80/", "http://[fd00::1]:8080", "http://a_b.example:1"]
        {
            assert!(is_valid(url), "{url}");
        }
        for url in [
            "",
            "proxy:3128",
            "http://proxy",
            "http://:3128",
            "https://proxy:3128",
            "socks5://proxy:1080",
            "http://user:word@proxy:3128",
            "http://user@proxy:3128",
            "http://proxy:3128/path",
            "http://proxy:3128?a",
            "http://proxy:3128#a",
            "http://proxy:0",
            "http://proxy:99999",
            "http://proxy:+80",
            "http://pro xy:80",
            "http://[::1:80",
            "http://[]:80",
            "http://proxy:80\n",
        ] {
            assert!(!is_valid(url), "{url}");
        }
    }
}
