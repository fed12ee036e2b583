//! The cache of charts: files whose names are the digests of their contents. A content that has another digest is ignored,
//! so the cache need not be trusted. It only saves downloads: what cannot be read or written is not an error.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use fs_err as fs;
use sealwave_core::bounded_file::read_regular_file;
use sealwave_secrets::settings::ChartDigest;

use super::limits::MAX_ARCHIVE;

/// Maximum number of bytes of all charts.
const MAX_CACHE: u64 = 512 << 20;

const EXTENSION: &str = "tgz";

/// Returns a chart, unless the cache has none with this digest.
pub(super) fn read(cache: &Path, digest: &ChartDigest) -> Option<Vec<u8>> {
    let mut content = read_regular_file(&path(cache, digest), MAX_ARCHIVE).ok()?;
    (ChartDigest::of(&content) == *digest).then(|| std::mem::take(&mut *content))
}

/// Adds or replaces a chart. Other processes see the old file or the new one.
pub(super) fn write(cache: &Path, digest: &ChartDigest, archive: &[u8]) {
    let written = || -> std::io::Result<()> {
        fs::create_dir_all(cache)?;
        make_space(cache, archive.len() as u64);
        let mut file = tempfile::NamedTempFile::new_in(cache)?;
        file.write_all(archive)?;
        let target = path(cache, digest);
        if target.is_dir() {
            fs::remove_dir(&target)?;
        }
        file.persist(target)?;
        Ok(())
    };
    // The next run downloads it again.
    let _ = written();
}

fn path(cache: &Path, digest: &ChartDigest) -> PathBuf {
    cache.join(digest.hex()).with_extension(EXTENSION)
}

/// Removes the oldest charts until a new one fits.
fn make_space(cache: &Path, needed: u64) {
    let entries = fs::read_dir(cache).into_iter().flatten().flatten();
    let charts =
        entries.filter(|entry| Path::new(&entry.file_name()).extension().is_some_and(|end| end == EXTENSION));
    let mut charts: Vec<(SystemTime, PathBuf, u64)> = charts
        .filter_map(|entry| {
            let about = entry.metadata().ok()?;
            Some((about.modified().ok()?, entry.path(), about.len()))
        })
        .collect();
    charts.sort();
    let mut total = charts.iter().map(|(_, _, size)| size).sum::<u64>().saturating_add(needed);
    for (_, path, size) in charts {
        if total <= MAX_CACHE {
            return;
        }
        if fs::remove_file(path).is_ok() {
            total -= size;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_is_found_by_its_digest_only() {
        let cache = tempfile::tempdir().unwrap();
        let cache = cache.path().join("a/b");
        let digest = ChartDigest::of(b"chart");
        assert_eq!(read(&cache, &digest), None);
        write(&cache, &digest, b"chart");
        assert_eq!(read(&cache, &digest).as_deref(), Some(b"chart".as_slice()));
        assert_eq!(fs::read_dir(&cache).unwrap().count(), 1);
    }

    #[test]
    fn other_contents_are_ignored_and_replaced() {
        let cache = tempfile::tempdir().unwrap();
        let digest = ChartDigest::of(b"chart");
        let file = path(cache.path(), &digest);
        let outside = cache.path().join("outside");
        fs::write(&outside, "chart").unwrap();
        let poison: [&dyn Fn(); 4] = [
            &|| fs::write(&file, "other").unwrap(),
            &|| fs::File::create(&file).unwrap().set_len(MAX_ARCHIVE + 1).unwrap(),
            &|| fs::create_dir(&file).unwrap(),
            &|| std::os::unix::fs::symlink("/dev/zero", &file).unwrap(),
        ];
        for poison in poison {
            poison();
            assert_eq!(read(cache.path(), &digest), None);
            write(cache.path(), &digest, b"chart");
            assert_eq!(read(cache.path(), &digest).as_deref(), Some(b"chart".as_slice()));
            fs::remove_file(&file).unwrap();
        }
        // A link is replaced, not followed.
        std::os::unix::fs::symlink(&outside, &file).unwrap();
        write(cache.path(), &digest, b"chart");
        assert!(!file.is_symlink());
    }

    #[test]
    fn the_cache_is_bounded() {
        let cache = tempfile::tempdir().unwrap();
        for name in ["a", "b"] {
            let file = fs::File::create(cache.path().join(name).with_extension(EXTENSION)).unwrap();
            file.set_len(MAX_CACHE / 2).unwrap();
            file.file()
                .set_modified(SystemTime::now() - std::time::Duration::from_secs(u64::from(name == "b") * 60))
                .unwrap();
        }
        fs::write(cache.path().join("kept"), "not a chart").unwrap();
        write(cache.path(), &ChartDigest::of(b"chart"), b"chart");
        let mut names: Vec<_> =
            fs::read_dir(cache.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names.len(), 3, "{names:?}");
        assert!(!names.contains(&"b.tgz".into()), "the oldest is removed: {names:?}");
    }
}
