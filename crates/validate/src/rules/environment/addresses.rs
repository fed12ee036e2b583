//! Finds addresses in configuration: URLs, hosts, and service names if the key names an address.
//!
//! Only certain addresses count: file paths, prose, property keys and domains such as `.dev` or `.live` contain words
//! that are also environment names.

/// File extensions, as file names look like hosts.
const FILE_EXTENSIONS: &[&str] = &[
    "cfg",
    "conf",
    "crt",
    "css",
    "csv",
    "env",
    "go",
    "hbs",
    "html",
    "ini",
    "jar",
    "js",
    "json",
    "key",
    "log",
    "lua",
    "md",
    "pem",
    "php",
    "properties",
    "py",
    "rb",
    "rules",
    "sh",
    "so",
    "sql",
    "tmpl",
    "toml",
    "tpl",
    "ts",
    "txt",
    "xml",
    "yaml",
    "yml",
];

/// Words in the name of a variable that holds an address.
const ADDRESS_WORDS: &[&str] = &[
    "addr", "address", "broker", "brokers", "dsn", "endpoint", "host", "hostname", "server", "servers",
    "uri", "url",
];

/// Returns the addresses in a value, without the parts that could be misread.
pub(super) fn find_addresses<'t>(key: &'t str, text: &'t str) -> impl Iterator<Item = String> + use<'t> {
    let trimmed = text.trim();
    let service = (is_service(trimmed) && names_address(key)).then(|| trimmed.to_owned());
    let separator = |c: char| c.is_whitespace() || "\"'`,;()[]{}<>|=".contains(c);
    let mut offset = 0;
    let tokens = text.split(separator).filter(move |token| {
        let end = offset + token.len();
        let next = text.get(end..).and_then(|rest| rest.chars().next());
        offset = end + next.map_or(0, char::len_utf8);
        // `key=`: the key of a property.
        next != Some('=') || token.contains("://")
    });
    service.into_iter().chain(tokens.filter_map(address))
}

fn names_address(key: &str) -> bool {
    let words = key.split(|c: char| !c.is_alphanumeric());
    words.into_iter().any(|word| ADDRESS_WORDS.iter().any(|known| word.eq_ignore_ascii_case(known)))
}

/// Reports whether a text may be a service name, such as `postgres-dev`.
fn is_service(text: &str) -> bool {
    text.contains('-')
        && text.len() < 64
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// Returns the address in a token: the host without its top-level domain, and the rest.
fn address(token: &str) -> Option<String> {
    if token.len() > 2048 || token.ends_with(':') || !token.contains('.') && !token.contains("://") {
        return None;
    }
    let (is_url, rest) = match token.split_once("://") {
        Some((_, rest)) => (true, rest),
        None => (false, token),
    };
    let host_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(host_end);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    let labels: Vec<&str> = host.trim_end_matches('.').split('.').collect();
    if !is_url && (authority.contains('@') || !is_host(&labels)) {
        return None;
    }
    let kept = match labels.as_slice() {
        [] => &[][..],
        [only] => std::slice::from_ref(only),
        [names @ .., last] if is_domain(last) => names,
        all => all,
    };
    Some(format!("{}{path}", kept.join(".")))
}

fn is_host(labels: &[&str]) -> bool {
    let is_label = |label: &&str| {
        !label.is_empty() && label.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    let Some(last) = labels.last() else { return false };
    labels.len() > 1
        && labels.iter().all(is_label)
        && last.chars().any(|c| c.is_ascii_lowercase())
        && !FILE_EXTENSIONS.contains(last)
}

/// Reports whether a label is a top-level or cluster domain that is also an environment name.
fn is_domain(label: &str) -> bool {
    ["app", "cloud", "dev", "live", "local", "prod", "test"].contains(&label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_without_ambiguous_parts() {
        for (key, text, expected) in [
            ("X", "https://api.prod.example.com/v1?x=dev", &["api.prod.example.com/v1?x"][..]),
            ("X", "postgres://u:p@db.dev:5432/shop", &["db/shop"]),
            ("X", "https://user:dev@host.example.com", &["host.example.com"]),
            ("X", "redis.shop-dev.svc.cluster.local:6379", &["redis.shop-dev.svc.cluster"]),
            ("X", "europe-docker.pkg.dev/a/prod/x", &["europe-docker.pkg/a/prod/x"]),
            ("DB_HOST", "postgres-dev", &["postgres-dev"]),
            ("NAME", "postgres-dev", &[]),
            ("X", "see /dev/null and dev.", &[]),
            ("X", "spring.dev.enabled=true\nurl=http://a.dev.x.org", &["a.dev.x.org"]),
            ("X", "server.dev.port: 80", &[]),
            ("X", "com.example.dev.Main", &[]),
            ("X", "application-dev.yml", &[]),
            ("X", "1.2.3.4", &[]),
        ] {
            assert_eq!(find_addresses(key, text).collect::<Vec<_>>(), expected, "{text}");
        }
    }
}
