//! A run of a program: its description and its result.

#[cfg(target_os = "linux")]
mod linux;

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use sealwave_core::diagnostic::printable;

use crate::{ErrorText, NetworkAccess, RunLimits};

/// The surroundings of a run, the same for all runs of a process.
#[derive(Clone, Debug)]
pub struct RunHost {
    /// The directory in which each run creates its private directory.
    pub temporary: PathBuf,
    /// The binary that has the roles of this crate; `None` for the running one.
    pub guard: Option<PathBuf>,
}

/// A program to run. Arguments are passed on as they are; no shell interprets them.
#[derive(Clone, Debug)]
pub struct ProgramRun {
    program: PathBuf,
    directory: PathBuf,
    args: Vec<Argument>,
    input: Vec<u8>,
    limits: RunLimits,
    network: NetworkAccess,
    readable: Vec<PathBuf>,
    executable: Vec<PathBuf>,
    writable: Vec<PathBuf>,
    temporary: Vec<PathBuf>,
    variables: Vec<(String, String)>,
    files: Vec<PrivateFile>,
    hidden: Vec<String>,
    has_errors_in_output: bool,
    has_shifted_time: bool,
}

/// A file that exists in the private directory when the program starts.
#[derive(Clone)]
struct PrivateFile {
    path: &'static str,
    content: Vec<u8>,
}

/// Shows the path only: the content may be a credential.
impl fmt::Debug for PrivateFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PrivateFile").field(&self.path).finish()
    }
}

/// An argument of a program.
#[derive(Clone, Debug)]
enum Argument {
    Text(OsString),
    /// A file in the private directory, after a prefix such as `--values=`.
    File {
        prefix: String,
        content: Vec<u8>,
    },
    /// A directory in the private directory, with one file.
    Directory {
        file: String,
        content: Vec<u8>,
    },
}

/// The result of a program that succeeded.
#[derive(Clone, Debug)]
pub struct ProgramOutput {
    /// The whole standard output.
    pub stdout: Vec<u8>,
    /// The end of standard error, for warnings.
    pub stderr: ErrorText,
}

impl ProgramRun {
    /// Describes a run of the program at a full path. The program can read its working directory.
    #[must_use]
    pub fn new(program: &Path, directory: &Path) -> Self {
        Self {
            program: program.to_owned(),
            directory: directory.to_owned(),
            args: Vec::new(),
            input: Vec::new(),
            limits: RunLimits::default(),
            network: NetworkAccess::None,
            readable: vec![directory.to_owned()],
            executable: Vec::new(),
            writable: Vec::new(),
            temporary: Vec::new(),
            variables: Vec::new(),
            files: Vec::new(),
            hidden: Vec::new(),
            has_errors_in_output: false,
            has_shifted_time: false,
        }
    }

    /// Describes a run that reads no files, for example to ask for a version.
    #[must_use]
    pub fn without_files(program: &Path) -> Self {
        Self { readable: Vec::new(), ..Self::new(program, Path::new("/")) }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<T: Into<OsString>>(mut self, args: impl IntoIterator<Item = T>) -> Self {
        self.args.extend(args.into_iter().map(|arg| Argument::Text(arg.into())));
        self
    }

    /// Adds an argument that names a file of this content, which exists only during the run: `prefix` and its path.
    #[must_use]
    pub fn file_arg(mut self, prefix: &str, content: Vec<u8>) -> Self {
        self.args.push(Argument::File { prefix: prefix.to_owned(), content });
        self
    }

    /// Adds an argument that names a directory with one file, which exist only during the run.
    #[must_use]
    pub fn directory_arg(mut self, file: &str, content: Vec<u8>) -> Self {
        self.args.push(Argument::Directory { file: file.to_owned(), content });
        self
    }

    /// Sets standard input, which is empty by default. The program need not read it.
    #[must_use]
    pub fn input(mut self, bytes: Vec<u8>) -> Self {
        self.input = bytes;
        self
    }

    /// Sets the limits.
    #[must_use]
    pub fn limits(mut self, limits: RunLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the network that the program can use; by default none.
    #[must_use]
    pub fn network(mut self, network: NetworkAccess) -> Self {
        self.network = network;
        self
    }

    /// Allows reading a file or directory. The directory of Git at the top of a directory stays unreadable.
    #[must_use]
    pub fn readable(mut self, path: &Path) -> Self {
        self.readable.push(path.to_owned());
        self
    }

    /// Allows reading and starting a program, or those in a directory.
    #[must_use]
    pub fn executable(mut self, path: &Path) -> Self {
        self.executable.push(path.to_owned());
        self
    }

    /// Allows writing a directory, such as a cache. The program may always write its private directory.
    #[must_use]
    pub fn writable(mut self, path: &Path) -> Self {
        self.writable.push(path.to_owned());
        self
    }

    /// Allows writing a directory that outlives the run. If sealwave is killed during the run, the directory is removed.
    #[must_use]
    pub(crate) fn temporary(mut self, path: &Path) -> Self {
        self.temporary.push(path.to_owned());
        self
    }

    /// Adds a file to the private directory, at the path that the program expects, with a credential for example.
    #[must_use]
    pub(crate) fn private_file(mut self, path: &'static str, content: Vec<u8>) -> Self {
        self.files.push(PrivateFile { path, content });
        self
    }

    /// Removes a text, such as a credential, from what messages show of the program.
    #[must_use]
    pub(crate) fn hidden(mut self, text: &str) -> Self {
        self.hidden.push(text.to_owned());
        self
    }

    /// Shows standard output with standard error if the program fails, for programs that report errors there.
    #[must_use]
    pub(crate) fn errors_in_output(mut self) -> Self {
        self.has_errors_in_output = true;
        self
    }

    /// Sets a variable, such as a credential of a repository of charts. Messages never hold its value.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Shifts the local time that the program sees by more than a year. A second run so shows what depends on the date.
    #[must_use]
    pub fn with_shifted_time(mut self) -> Self {
        self.has_shifted_time = true;
        self
    }

    /// Returns the name of the program for messages.
    fn name(&self) -> String {
        printable(self.program.file_name().unwrap_or(self.program.as_os_str()).display())
    }

    /// Runs the program to its end. Afterwards nothing of it is running, and its private directory is gone.
    ///
    /// # Errors
    /// The program cannot be started, reaches a limit, fails, or leaves processes running.
    #[cfg(not(target_os = "linux"))]
    pub fn run(&self, _host: &RunHost) -> Result<ProgramOutput, crate::ProgramError> {
        Err(crate::ProgramError::Unsupported { program: self.name() })
    }
}
