//! Denies this process what the program does not need, and becomes the program.
//!
//! Landlock restricts files, TCP ports and signals; a filter of system calls (seccomp) denies sockets and access to the
//! memory of other processes. Both last for the process and all its descendants. Landlock is used as far as the kernel has
//! it: [`Confinement`] tells how far that is. The filter does not depend on Landlock.

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible as _, NetPort, PathBeneath,
    PathFd, Ruleset, RulesetAttr as _, RulesetCreated, RulesetCreatedAttr as _, RulesetError, Scope,
    path_beneath_rules,
};
use rustix::process::Resource;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, SeccompRule, TargetArch};

use crate::NetworkAccess;
use crate::guard::ALLOCATOR;
use crate::orders::RunOrders;
use crate::process_limits::{bound_memory, end_with_parent, lower_limit};

/// The exit code of a program that could not be started; standard error then ends with the reason.
pub(crate) const NOT_STARTED: u8 = 125;

/// The newest version of Landlock whose restrictions are used. Older kernels have fewer.
const NEWEST: ABI = ABI::V10;

/// Maximum number of open files of a process.
const OPEN_FILES: u64 = 1024;

/// Parts of the system that programs read: libraries, data, and the settings of the loader.
const SYSTEM_FILES: &[&str] = &[
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/share",
];
/// The loaders of dynamic programs, which the kernel starts.
const LOADERS: &[&str] = &[
    "/lib/ld-linux-aarch64.so.1",
    "/lib/ld-musl-aarch64.so.1",
    "/lib/ld-musl-x86_64.so.1",
    "/lib64/ld-linux-x86-64.so.2",
];
/// Further files for programs with network access: certificates, and the settings of the resolver.
const NETWORK_FILES: &[&str] = &[
    "/etc/ca-certificates",
    "/etc/gai.conf",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/pki",
    "/etc/resolv.conf",
    "/etc/ssl",
];
const DEVICES: &[&str] = &["/dev/full", "/dev/null", "/dev/random", "/dev/urandom", "/dev/zero"];

/// The port of name servers.
const DNS_PORT: u16 = 53;

/// The directory of Git, whose configuration may hold credentials that are in no commit.
const GIT: &str = ".git";

/// The restrictions that this kernel has. Those of system calls do not depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confinement {
    /// Files outside of those that the run names cannot be used (Linux 5.13).
    pub restricts_files: bool,
    /// Connections are limited to the allowed ports (Linux 6.7).
    pub restricts_ports: bool,
    /// Processes outside of the run cannot be signaled (Linux 6.12).
    pub restricts_signals: bool,
}

impl Confinement {
    /// Asks the kernel. Restricts nothing.
    #[must_use]
    pub fn of_this_kernel() -> Self {
        let strict = || Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
        let can = |ruleset: Result<Ruleset, RulesetError>| ruleset.and_then(Ruleset::create).is_ok();
        Self {
            restricts_files: can(strict().handle_access(AccessFs::from_all(ABI::V1))),
            restricts_ports: can(strict().handle_access(AccessNet::from_all(ABI::V4))),
            restricts_signals: can(strict().scope(Scope::Signal)),
        }
    }
}

/// The reason why a program cannot be confined or started.
#[derive(Debug, thiserror::Error)]
enum ConfineError {
    #[error("files cannot be restricted: {0}")]
    Files(#[from] RulesetError),
    #[error("system calls cannot be restricted: {0}")]
    Calls(#[from] seccompiler::Error),
    #[error("system calls cannot be restricted: {0}")]
    Filter(#[from] seccompiler::BackendError),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// Confines this process, and becomes the program. Returns only if that fails.
pub(crate) fn start_program(orders: &RunOrders) -> ExitCode {
    let error = match confine_and_start(orders) {
        Ok(never) => match never {},
        Err(error) => error,
    };
    // The reader of standard error shows its last lines.
    let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{error}\n").as_bytes());
    ExitCode::from(NOT_STARTED)
}

fn confine_and_start(orders: &RunOrders) -> Result<std::convert::Infallible, ConfineError> {
    end_with_parent(orders.parent)?;
    let filter = denied_calls(&orders.network)?;
    restrict_files_and_ports(orders)?;
    seccompiler::apply_filter(&filter)?;
    let mut command = Command::new(&orders.program);
    command.args(&orders.args).env_remove(ALLOCATOR.0);
    // Last, because this process needs memory and files itself.
    bound_resources(orders)?;
    Err(command.exec().into())
}

fn bound_resources(orders: &RunOrders) -> std::io::Result<()> {
    let limits = &orders.limits;
    lower_limit(Resource::Core, 0, 0)?;
    // The first limit ends a process with a signal of its own, which the error names; the second one kills it.
    lower_limit(Resource::Cpu, limits.cpu_seconds, limits.cpu_seconds.saturating_add(1))?;
    lower_limit(Resource::Fsize, limits.file_size, limits.file_size)?;
    lower_limit(Resource::Nofile, OPEN_FILES, OPEN_FILES)?;
    bound_memory(limits.memory)
}

fn restrict_files_and_ports(orders: &RunOrders) -> Result<(), RulesetError> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let all = AccessFs::from_all(NEWEST);
    let mut ruleset = Ruleset::default()
        .handle_access(all)?
        .handle_access(handled_ports(&orders.network))?
        .scope(Scope::from_all(NEWEST))?
        .create()?
        .add_rules(path_beneath_rules(SYSTEM_FILES, read))?
        .add_rules(path_beneath_rules(LOADERS, AccessFs::ReadFile | AccessFs::Execute))?
        .add_rules(path_beneath_rules([&orders.program], AccessFs::ReadFile | AccessFs::Execute))?
        .add_rules(path_beneath_rules(&orders.access.executable, read | AccessFs::Execute))?
        .add_rules(path_beneath_rules(DEVICES, AccessFs::from_file(NEWEST) & !AccessFs::Execute))?
        // Programs may start nothing that they wrote.
        .add_rules(path_beneath_rules([&orders.private], all & !AccessFs::Execute))?
        .add_rules(path_beneath_rules(&orders.access.writable, all & !AccessFs::Execute))?
        .add_rules(path_beneath_rules(&orders.access.temporary, all & !AccessFs::Execute))?;
    for directory in &orders.access.readable {
        ruleset = allow_reading(ruleset, directory, read)?;
    }
    if let NetworkAccess::Ports(ports) = &orders.network {
        let ports = ports.iter().chain([&DNS_PORT]);
        ruleset = ruleset
            .add_rules(path_beneath_rules(NETWORK_FILES, read))?
            .add_rules(ports.map(|port| Ok::<_, RulesetError>(NetPort::new(*port, AccessNet::ConnectTcp))))?;
    }
    ruleset.restrict_self()?;
    Ok(())
}

fn handled_ports(network: &NetworkAccess) -> BitFlags<AccessNet> {
    match network {
        NetworkAccess::None => AccessNet::from_all(NEWEST),
        NetworkAccess::Ports(_) => AccessNet::BindTcp | AccessNet::ConnectTcp,
    }
}

/// Allows reading a file or a directory, without the directory of Git at its top. The names of that directory's files can
/// still be listed.
fn allow_reading(
    ruleset: RulesetCreated,
    path: &Path,
    read: BitFlags<AccessFs>,
) -> Result<RulesetCreated, RulesetError> {
    if path.join(GIT).symlink_metadata().is_err() {
        return ruleset.add_rules(path_beneath_rules([path], read));
    }
    let entries = fs_err::read_dir(path).into_iter().flatten().flatten();
    let is_git = |path: &PathBuf| path.file_name().is_some_and(|name| name.eq_ignore_ascii_case(GIT));
    // A link would allow its target.
    let entries = entries.filter(|entry| !entry.file_type().is_ok_and(|kind| kind.is_symlink()));
    let entries: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| !is_git(path)).collect();
    let ruleset = ruleset.add_rules(path_beneath_rules(entries, read))?;
    match PathFd::new(path) {
        Ok(directory) => ruleset.add_rule(PathBeneath::new(directory, AccessFs::ReadDir)),
        Err(_) => Ok(ruleset),
    }
}

/// Returns the filter of system calls: an allowed call proceeds, others fail with an error that programs report.
fn denied_calls(network: &NetworkAccess) -> Result<BpfProgram, seccompiler::BackendError> {
    /// The bit of the second set of numbers that a 64-bit x86 kernel accepts.
    const X32: i64 = 0x4000_0000;

    let mut denied = vec![
        libc::SYS_io_uring_setup,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_ptrace,
    ];
    if *network == NetworkAccess::None {
        denied.push(libc::SYS_socket);
    }
    // Calls with the numbers of another architecture end the process.
    let rules: BTreeMap<i64, Vec<SeccompRule>> =
        denied.into_iter().flat_map(|call| [(call, Vec::new()), (call | X32, Vec::new())]).collect();
    let refused = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    SeccompFilter::new(rules, SeccompAction::Allow, refused, TargetArch::try_from(std::env::consts::ARCH)?)?
        .try_into()
}
