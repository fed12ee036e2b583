//! The CPU time that a program and its children took, as the kernel counts it.

use std::ops::{AddAssign, Sub};

use super::process::Process;

/// Ticks per second in `/proc/PID/stat`: `USER_HZ`, which is the same on all common platforms.
const TICKS: f64 = 100.0;

/// CPU time in seconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct CpuTime {
    /// That of the program itself.
    pub own: f64,
    /// That of the children that have ended, with theirs.
    pub children: f64,
}

impl CpuTime {
    /// Returns the time that a running program has taken so far.
    pub fn of(process: &Process) -> Self {
        let text = fs_err::read_to_string(format!("/proc/{}/stat", process.id())).expect("a running program");
        // The second field is the name in parentheses, which may contain spaces.
        let fields: Vec<&str> = text.rsplit_once(')').expect("a name").1.split_whitespace().collect();
        let seconds = |field: usize| fields[field - 3].parse::<f64>().expect("a number") / TICKS;
        Self { own: seconds(14) + seconds(15), children: seconds(16) + seconds(17) }
    }

    /// Returns the time of the program and its children.
    pub fn total(self) -> f64 {
        self.own + self.children
    }
}

impl AddAssign for CpuTime {
    fn add_assign(&mut self, other: Self) {
        self.own += other.own;
        self.children += other.children;
    }
}

impl Sub for CpuTime {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self { own: self.own - other.own, children: self.children - other.children }
    }
}
