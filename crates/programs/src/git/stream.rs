//! Output of Git that is read while Git goes on: lines of a history, and objects by id.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io::Write as _;
use std::path::Path;
use std::process::ChildStdin;

use super::call::{GitAccess, GitLimits, GitRunError, command, start_error};
use super::process::GitProcess;

/// Size limit of one record.
const MAX_RECORD: usize = 1 << 20;

/// The output of a running Git, record by record. Git is ended when this is dropped, even before the end.
pub struct GitRecords {
    bytes: GitBytes,
    end: u8,
}

/// The output of a running Git.
struct GitBytes {
    process: GitProcess,
    unread: VecDeque<u8>,
}

/// Reads the objects of a clone by id, one after the other.
pub struct GitObjects {
    sizes: ObjectReader,
    contents: ObjectReader,
}

struct ObjectReader {
    bytes: GitBytes,
    input: ChildStdin,
}

impl GitRecords {
    /// Starts Git, which reads what the clone has. `end` is the byte at the end of each record.
    ///
    /// # Errors
    /// Git cannot be started.
    pub fn open<A: AsRef<OsStr>>(
        directory: &Path,
        args: &[A],
        end: u8,
        limits: GitLimits,
    ) -> Result<Self, GitRunError> {
        let process = GitProcess::start(command(directory, GitAccess::Read, &[]).args(args), limits)
            .map_err(|error| start_error(&error, directory))?;
        Ok(Self { bytes: GitBytes::new(process), end })
    }

    /// Returns the next record without its end, or `None` after the last one.
    ///
    /// # Errors
    /// Git fails or reaches a limit, or the record is too large.
    pub fn next_record(&mut self) -> Result<Option<Vec<u8>>, GitRunError> {
        self.bytes.until(self.end)
    }

    /// Waits for the end after the last record.
    ///
    /// # Errors
    /// Git fails or reaches a limit.
    pub fn finish(self) -> Result<(), GitRunError> {
        self.bytes.process.finish()
    }
}

impl GitObjects {
    /// Starts Git.
    ///
    /// # Errors
    /// Git cannot be started.
    pub fn open(directory: &Path, limits: GitLimits) -> Result<Self, GitRunError> {
        let reader = |mode| ObjectReader::open(directory, mode, limits);
        Ok(Self { sizes: reader("--batch-check")?, contents: reader("--batch")? })
    }

    /// Returns the size of a blob; `None` if the clone lacks it, or if it is not a blob.
    ///
    /// # Errors
    /// Git fails or reaches a limit.
    pub fn blob_size(&mut self, id: &str) -> Result<Option<u64>, GitRunError> {
        self.sizes.ask(id)
    }

    /// Returns a blob, if it exists and is not larger than a limit.
    ///
    /// # Errors
    /// Git fails or reaches a limit.
    pub fn blob(&mut self, id: &str, limit: u64) -> Result<Option<Vec<u8>>, GitRunError> {
        if self.blob_size(id)?.is_none_or(|size| size > limit) {
            return Ok(None);
        }
        let Some(size) = self.contents.ask(id)? else { return Ok(None) };
        // The bytes, and a line break.
        let mut contents = self.contents.bytes.exactly(size + 1)?;
        contents.pop();
        Ok(Some(contents))
    }
}

impl ObjectReader {
    fn open(directory: &Path, mode: &str, limits: GitLimits) -> Result<Self, GitRunError> {
        let mut command = command(directory, GitAccess::Read, &[]);
        let (process, input) = GitProcess::start_with_input(command.args(["cat-file", mode]), limits)
            .map_err(|error| start_error(&error, directory))?;
        let input = input.ok_or_else(GitRunError::without_message)?;
        Ok(Self { bytes: GitBytes::new(process), input })
    }

    /// Asks for a blob, and returns the size in the answer's first line.
    fn ask(&mut self, id: &str) -> Result<Option<u64>, GitRunError> {
        let written = self.input.write_all(format!("{id}\n").as_bytes());
        written.map_err(|_| GitRunError::without_message())?;
        let answer = self.bytes.until(b'\n')?.ok_or_else(GitRunError::without_message)?;
        let answer = String::from_utf8_lossy(&answer);
        // An id, a kind and a size; or an id and `missing`.
        let mut words = answer.split(' ').skip(1);
        let is_blob = words.next() == Some("blob");
        Ok(words.next().filter(|_| is_blob).and_then(|size| size.parse().ok()))
    }
}

impl GitBytes {
    const fn new(process: GitProcess) -> Self {
        Self { process, unread: VecDeque::new() }
    }

    /// Reads more output. Returns whether there was more.
    fn fill(&mut self) -> Result<bool, GitRunError> {
        let chunk = self.process.chunk()?;
        let is_more = chunk.is_some();
        self.unread.extend(chunk.unwrap_or_default());
        Ok(is_more)
    }

    /// Returns the bytes before the next `end`, or those before the end of the output.
    fn until(&mut self, end: u8) -> Result<Option<Vec<u8>>, GitRunError> {
        let mut searched = 0;
        loop {
            if let Some(at) = self.unread.iter().skip(searched).position(|byte| *byte == end) {
                let record = self.unread.drain(..searched + at).collect();
                self.unread.pop_front();
                return Ok(Some(record));
            }
            searched = self.unread.len();
            if searched > MAX_RECORD {
                return Err(GitRunError::TooMuchOutput(MAX_RECORD as u64));
            }
            if !self.fill()? {
                let rest: Vec<u8> = self.unread.drain(..).collect();
                return Ok((!rest.is_empty()).then_some(rest));
            }
        }
    }

    fn exactly(&mut self, size: u64) -> Result<Vec<u8>, GitRunError> {
        let size = usize::try_from(size).map_err(|_| GitRunError::TooMuchOutput(size))?;
        while self.unread.len() < size {
            if !self.fill()? {
                return Err(GitRunError::without_message());
            }
        }
        Ok(self.unread.drain(..size).collect())
    }
}
