//! Addresses in configuration: URLs, hosts, and names of services where the key says that one stands there.
//!
//! Only what surely is an address counts. File paths, prose, keys of property files and the domains `.dev` or `.live` have
//! words in them that are also names of environments.

/// The ends of file names that look like hosts.
const FILES: &[&str] = &[
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

/// Words of a variable's name that say that an address stands in it.
const ADDRESS_WORDS: &[&str] = &[
    "addr", "address", "broker", "brokers", "dsn", "endpoint", "host", "hostname", "server", "servers",
    "uri", "url",
];

/// The addresses of a value, each without what would be misread.
pub fn of<'t>(key: &'t str, text: &'t str) -> impl Iterator<Item = String> + use<'t> {
    let bare = text.trim();
    let service = (is_service(bare) && says_address(key)).then(|| bare.to_owned());
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

fn says_address(key: &str) -> bool {
    let words = key.split(|c: char| !c.is_alphanumeric());
    words.into_iter().any(|word| ADDRESS_WORDS.iter().any(|known| word.eq_ignore_ascii_case(known)))
}

/// `postgres-dev`
fn is_service(text: &str) -> bool {
    text.contains('-')
        && text.len() < 64
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// What of a token is an address: the host without its domain, and what follows the host.
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
    let good = |label: &&str| {
        !label.is_empty() && label.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    let Some(last) = labels.last() else { return false };
    labels.len() > 1
        && labels.iter().all(good)
        && last.chars().any(|c| c.is_ascii_lowercase())
        && !FILES.contains(last)
}

/// Words that are domains of the internet, or of every cluster, as well as names of environments.
fn is_domain(label: &str) -> bool {
    ["app", "cloud", "dev", "live", "local", "prod", "test"].contains(&label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_without_what_would_be_misread() {
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
            assert_eq!(of(key, text).collect::<Vec<_>>(), expected, "{text}");
        }
    }
}
