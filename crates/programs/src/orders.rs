//! The arguments with which the guard and the confined program are started: the same for both, but for the role.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::{Pid, getpid};

use crate::{NetworkAccess, RunLimits};

const READ: &str = "--read";
const EXECUTE: &str = "--execute";
const WRITE: &str = "--write";
const TEMPORARY: &str = "--temporary";
const PROGRAM: &str = "--program";

/// The role of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Confines itself and becomes the program.
    Confine,
    /// Watches the program and its descendants.
    Guard,
}

impl Role {
    const ALL: [Self; 2] = [Self::Confine, Self::Guard];

    const fn mark(self) -> &'static str {
        match self {
            Self::Confine => "confined-program",
            Self::Guard => "program-guard",
        }
    }
}

/// The program to start, and its limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RunOrders {
    pub(crate) limits: RunLimits,
    pub(crate) network: NetworkAccess,
    /// The process that starts this one.
    pub(crate) parent: Pid,
    pub(crate) private: PathBuf,
    pub(crate) access: FileAccess,
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
}

/// The files that a program may use besides its private directory and the libraries of the system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileAccess {
    pub(crate) readable: Vec<PathBuf>,
    pub(crate) executable: Vec<PathBuf>,
    pub(crate) writable: Vec<PathBuf>,
    /// Also writable. Removed by the guard if sealwave ends before the run.
    pub(crate) temporary: Vec<PathBuf>,
}

impl FileAccess {
    fn list(&mut self, option: &OsStr) -> Option<&mut Vec<PathBuf>> {
        Some(match option.to_str()? {
            READ => &mut self.readable,
            EXECUTE => &mut self.executable,
            WRITE => &mut self.writable,
            TEMPORARY => &mut self.temporary,
            _ => return None,
        })
    }
}

impl RunOrders {
    /// Returns the arguments for a child of this process.
    pub(crate) fn arguments(&self, role: Role) -> Vec<OsString> {
        let FileAccess { readable, executable, writable, temporary } = &self.access;
        let lists = [(READ, readable), (EXECUTE, executable), (WRITE, writable), (TEMPORARY, temporary)];
        let mut all: Vec<OsString> = vec![role.mark().into(), self.numbers().into(), self.ports().into()];
        all.push(self.private.clone().into());
        for (option, paths) in lists {
            all.extend(paths.iter().flat_map(|path| [option.into(), path.clone().into_os_string()]));
        }
        all.extend([PROGRAM.into(), self.program.clone().into_os_string()]);
        all.extend(self.args.iter().cloned());
        all
    }

    fn numbers(&self) -> String {
        let RunLimits { wall_time, cpu_seconds, memory, file_size, processes, .. } = &self.limits;
        let (wall, parent) = (wall_time.as_millis(), getpid().as_raw_nonzero());
        format!("{parent}:{wall}:{cpu_seconds}:{memory}:{file_size}:{processes}")
    }

    fn ports(&self) -> String {
        match &self.network {
            NetworkAccess::None => "none".to_owned(),
            NetworkAccess::Ports(ports) => ports.iter().map(u16::to_string).collect::<Vec<_>>().join(","),
        }
    }

    /// Parses the arguments of a process, including its name; `None` if they ask for no role.
    pub(crate) fn parse(args: &[OsString]) -> Option<(Role, Self)> {
        let [_, mark, numbers, ports, private, rest @ ..] = args else { return None };
        let role = Role::ALL.into_iter().find(|role| mark == role.mark())?;
        let (parent, limits) = parse_numbers(numbers.to_str()?)?;
        let network = match ports.to_str()? {
            "none" => NetworkAccess::None,
            "" => NetworkAccess::Ports(Vec::new()),
            ports => {
                NetworkAccess::Ports(ports.split(',').map(|port| port.parse().ok()).collect::<Option<_>>()?)
            }
        };
        let mut access = FileAccess::default();
        let mut rest = rest;
        while let [option, path, more @ ..] = rest {
            rest = more;
            if option == PROGRAM {
                let (private, program, args) = (private.into(), path.into(), rest.to_vec());
                return Some((role, Self { limits, network, parent, private, access, program, args }));
            }
            access.list(option)?.push(path.into());
        }
        None
    }
}

fn parse_numbers(text: &str) -> Option<(Pid, RunLimits)> {
    let numbers: Vec<u64> = text.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [parent, wall, cpu_seconds, memory, file_size, processes] = numbers.try_into().ok()?;
    let parent = Pid::from_raw(i32::try_from(parent).ok()?)?;
    let wall_time = Duration::from_millis(wall);
    // The limits of the output are those of the process that reads it.
    let limits = RunLimits { wall_time, cpu_seconds, memory, file_size, processes, ..RunLimits::default() };
    Some((parent, limits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn orders() -> RunOrders {
        RunOrders {
            limits: RunLimits { processes: 7, ..RunLimits::default() },
            network: NetworkAccess::Ports(vec![443, 5000]),
            parent: getpid(),
            private: "/tmp/private".into(),
            access: FileAccess {
                readable: vec!["/repo\nwith a line".into(), "--program".into()],
                executable: vec!["/usr".into()],
                writable: vec!["/cache".into()],
                temporary: vec!["/tmp/download".into()],
            },
            program: "/bin/helm".into(),
            args: ["template", "--program", "x"].map(OsString::from).to_vec(),
        }
    }

    fn arguments(orders: &RunOrders, role: Role) -> Vec<OsString> {
        std::iter::once("sealwave".into()).chain(orders.arguments(role)).collect()
    }

    #[test]
    fn a_process_reads_what_its_parent_wrote() {
        for role in Role::ALL {
            for network in [NetworkAccess::None, NetworkAccess::Ports(vec![]), orders().network] {
                let orders = RunOrders { network, ..orders() };
                assert_eq!(RunOrders::parse(&arguments(&orders, role)), Some((role, orders)));
            }
        }
    }

    #[test]
    fn other_arguments_are_not_orders() {
        let good = arguments(&orders(), Role::Guard);
        for (index, wrong) in
            [(1, "guard"), (2, "1:2"), (2, "0:1:1:1:1:1"), (2, "1:1:1:1:1:x"), (3, "x"), (5, "--other")]
        {
            let mut args = good.clone();
            args[index] = wrong.into();
            assert_eq!(RunOrders::parse(&args), None, "{wrong}");
        }
        let program = good.iter().rposition(|arg| arg == "/bin/helm").unwrap();
        assert_eq!(RunOrders::parse(&good[..program]), None);
        assert_eq!(RunOrders::parse(&good[..1]), None);
    }
}
