//! Looks for secret values everywhere outside of Secrets: Redis, logs, files of Argo CD, and all objects that may be read.
//!
//! A value is looked for as it is, line by line, and in the encodings in which programs pass values on. Compressed texts are
//! unpacked, and texts in JSON are read, as deep as they go.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use serde_json::Value;

use super::cluster::{APPLICATION, CONFIG_MAP, DEPLOYMENT, EVENT, Kind, POD, SEALED_SECRET};
use super::redis::Redis;
use super::stack::Stack;

/// The shortest text that is looked for. Shorter ones are found in ciphertexts by chance.
const SHORTEST: usize = 6;

/// All that a URL must encode.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The kinds of objects that are read. People who may not read Secrets may often read these.
const KINDS: [Kind; 9] = [
    APPLICATION,
    CONFIG_MAP,
    DEPLOYMENT,
    EVENT,
    POD,
    SEALED_SECRET,
    Kind("apps/v1", "ReplicaSet"),
    Kind("argoproj.io/v1alpha1", "AppProject"),
    Kind("events.k8s.io/v1", "Event"),
];

/// The texts that must not be found, each with the name of its value and of its encoding.
pub struct Needles {
    names: Vec<(String, &'static str)>,
    search: AhoCorasick,
}

/// A value in a place where it must not be.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Leak {
    pub place: String,
    pub value: String,
    pub encoding: &'static str,
}

impl Needles {
    /// Prepares the search for values, each with a name for reports.
    pub fn new(values: &[(&str, &[u8])]) -> Self {
        let mut texts = Vec::new();
        let mut names = Vec::new();
        for (name, value) in values {
            for (encoding, text) in encodings(value) {
                texts.push(text);
                names.push(((*name).to_owned(), encoding));
            }
        }
        Self { names, search: AhoCorasick::new(texts).expect("a search") }
    }

    /// Returns the values that a text holds, also in archives and in JSON within it.
    pub fn find(&self, place: &str, bytes: &[u8]) -> BTreeSet<Leak> {
        let mut found = BTreeSet::new();
        self.search_deep(bytes, &mut |index| found.extend([self.leak(place, index)]));
        found
    }

    /// Returns the values that a text holds as it is.
    fn find_flat(&self, place: &str, bytes: &[u8]) -> BTreeSet<Leak> {
        let mut found = BTreeSet::new();
        self.search_flat(bytes, &mut |index| found.extend([self.leak(place, index)]));
        found
    }

    fn leak(&self, place: &str, index: usize) -> Leak {
        let (value, encoding) = self.names[index].clone();
        Leak { place: place.to_owned(), value, encoding }
    }

    fn search_flat(&self, bytes: &[u8], report: &mut dyn FnMut(usize)) {
        for hit in self.search.find_overlapping_iter(bytes) {
            report(hit.pattern().as_usize());
        }
    }

    fn search_deep(&self, bytes: &[u8], report: &mut dyn FnMut(usize)) {
        self.search_flat(bytes, report);
        if bytes.starts_with(&[0x1f, 0x8b]) {
            let mut plain = Vec::new();
            // What a damaged archive holds until there is searched as well.
            let _ = flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut plain);
            self.search_deep(&plain, report);
        } else if matches!(bytes.first(), Some(b'{' | b'[')) {
            let documents = serde_json::Deserializer::from_slice(bytes).into_iter::<Value>();
            documents.map_while(Result::ok).for_each(|document| self.search_json(&document, report));
        }
    }

    fn search_json(&self, value: &Value, report: &mut dyn FnMut(usize)) {
        match value {
            Value::String(text) => {
                self.search_deep(text.as_bytes(), report);
                if let Ok(bytes) = STANDARD.decode(text) {
                    self.search_deep(&bytes, report);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.search_json(item, report)),
            Value::Object(fields) => fields.iter().for_each(|(name, field)| {
                self.search_deep(name.as_bytes(), report);
                self.search_json(field, report);
            }),
            _ => (),
        }
    }
}

/// Returns the texts in which a value can be recognized.
fn encodings(value: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut found = vec![("plain", value.to_vec())];
    let lines = value.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    found.extend(lines.map(|line| ("line", line.to_vec())));
    for offset in 0..3 {
        found.push(("base64", base64_inside(&STANDARD, value, offset)));
        found.push(("base64, URL-safe", base64_inside(&URL_SAFE, value, offset)));
    }
    let hex = |format: fn(&u8) -> String| value.iter().map(format).collect::<String>().into_bytes();
    found.push(("hexadecimal", hex(|byte| format!("{byte:02x}"))));
    found.push(("hexadecimal", hex(|byte| format!("{byte:02X}"))));
    for kept in [NON_ALPHANUMERIC, UNRESERVED] {
        found.push(("URL-encoded", percent_encode(value, kept).to_string().into_bytes()));
    }
    let mut text = String::from_utf8_lossy(value).into_owned();
    for _ in 0..3 {
        let quoted = serde_json::to_string(&text).expect("JSON");
        quoted[1..quoted.len() - 1].clone_into(&mut text);
        found.push(("JSON", text.clone().into_bytes()));
    }
    found.retain(|(_, text)| text.len() >= SHORTEST);
    found.sort_by(|a, b| a.1.cmp(&b.1));
    found.dedup_by(|a, b| a.1 == b.1);
    found
}

/// Returns the part of a longer text's base64 that this value alone decides, when it begins at an offset modulo 3.
fn base64_inside(engine: &impl base64::Engine, value: &[u8], offset: usize) -> Vec<u8> {
    let padded: Vec<u8> = std::iter::repeat_n(0, offset).chain(value.iter().copied()).collect();
    let text = engine.encode(&padded);
    let start = (offset * 8).div_ceil(6);
    let end = padded.len() * 8 / 6;
    text.as_bytes()[start.min(end)..end].to_vec()
}

/// Searches everything that the programs of the stack stored or wrote, except for Secrets.
pub fn find_leaks(stack: &Stack, needles: &Needles) -> BTreeSet<Leak> {
    let mut leaks = find_in_redis(stack, needles);
    leaks.extend(find_in_objects(stack, needles));
    leaks.extend(find_in_files(stack.directory(), needles));
    let memory = stack.memory();
    leaks.extend(find_in_files(&memory.join("argocd"), needles));
    for sidecar in fs_err::read_dir(memory.join("sidecars")).into_iter().flatten() {
        let sidecar = sidecar.expect("readable").path();
        for directory in ["tmp", "work"] {
            leaks.extend(find_in_files(&sidecar.join(directory), needles));
        }
    }
    leaks
}

/// Searches all keys and values of Argo CD's Redis.
pub fn find_in_redis(stack: &Stack, needles: &Needles) -> BTreeSet<Leak> {
    let entries = Redis::connect(stack.argocd.redis_port()).entries();
    assert!(!entries.is_empty(), "Argo CD stores nothing in Redis");
    let in_entry = |(key, values): (String, Vec<Vec<u8>>)| {
        let place = format!("Redis, key {key}");
        let mut leaks = needles.find(&place, key.as_bytes());
        for value in values {
            leaks.extend(needles.find(&place, &value));
        }
        leaks
    };
    entries.into_iter().flat_map(in_entry).collect()
}

/// Searches all objects of the cluster that may be read more widely than Secrets.
pub fn find_in_objects(stack: &Stack, needles: &Needles) -> BTreeSet<Leak> {
    let in_kind = |kind: Kind| {
        let objects = stack.cluster().list(kind, None).into_iter();
        objects.flat_map(move |object| {
            let metadata = &object["metadata"];
            let place = format!("{} {}/{}", kind.1, metadata["namespace"], metadata["name"]);
            needles.find(&place, object.to_string().as_bytes())
        })
    };
    KINDS.into_iter().flat_map(in_kind).collect()
}

/// Searches all files of a directory. A file that is removed meanwhile is skipped.
///
/// They are logs and files of Git: texts, in which JSON is quoted at most.
pub fn find_in_files(directory: &Path, needles: &Needles) -> BTreeSet<Leak> {
    let files = walkdir::WalkDir::new(directory).into_iter().filter_map(Result::ok);
    let files = files.filter(|entry| entry.file_type().is_file());
    files
        .flat_map(|entry| {
            let bytes = std::fs::read(entry.path()).unwrap_or_default();
            needles.find_flat(&entry.path().display().to_string(), &bytes)
        })
        .collect()
}
