//! Compares the time from a commit until Argo CD has refreshed all apps: sealwave, Kustomize and plain directories.
//!
//! All kinds of apps have the same objects, which are deployed once and then only compared. Each round measures every setup once,
//! in turn, so that other work on the machine affects all alike; the ratios are of one round, and the table has their medians.

mod app_files;
mod fleet;
mod log_times;
mod plugin;
mod sample;
mod setup;
mod table;

use std::sync::Arc;

use fleet::Fleets;
use plugin::Plugin;
use sample::Sample;
use setup::{SETUPS, Setup};

use crate::harness::{Refresh, Stack};

/// The amount of work.
struct Size {
    /// Apps of each kind.
    apps: usize,
    /// Files in the repository that belong to no app.
    files: usize,
    rounds: usize,
}

impl Size {
    fn from_environment() -> Self {
        let number = |name: &str, default: usize| match std::env::var(name) {
            Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is not a number")),
            Err(_) => default,
        };
        Self {
            apps: number("BENCH_APPS", 60),
            files: number("BENCH_FILES", 2000),
            rounds: number("BENCH_ROUNDS", 5),
        }
    }
}

/// The measurements of one setup in one round.
struct Measured {
    setup: &'static Setup,
    /// A hard refresh of all apps.
    hard: Sample,
    /// A normal refresh of all apps after a commit in one.
    normal: Option<Sample>,
    /// The fastest hard refresh of one app alone.
    alone: log_times::LogTimes,
}

/// Measures all setups, and returns the tables.
pub fn overhead(stack: &Arc<Stack>) -> String {
    let size = Size::from_environment();
    let plugin = Plugin::prepare(stack);
    let fleets = Fleets::deploy(stack, &plugin, &size);
    // It lists all pods five times a second; these apps have no pods.
    stack.kubelet.stop();
    let rounds: Vec<Vec<Measured>> = (1..=size.rounds)
        .map(|round| {
            let measure = |setup| {
                eprintln!("round {round} of {}: {}", size.rounds, setup::title(setup));
                measure(stack, &plugin, &fleets, setup)
            };
            SETUPS.iter().map(measure).collect()
        })
        .collect();
    table::tables(&size, &rounds)
}

fn measure(stack: &Arc<Stack>, plugin: &Plugin, fleets: &Fleets, setup: &'static Setup) -> Measured {
    let fleet = fleets.of(setup.renderer);
    let sidecar = plugin.start(setup.discover);
    stack.argocd.restart_repo_server(setup.repo_server());
    fleet.annotate(setup.generate_paths);
    // The first request clones the repository.
    fleet.refresh_one(Refresh::Hard);
    let measure = |how| {
        fleet.commit();
        Sample::take(stack, &sidecar, || fleet.refresh_all(how))
    };
    Measured {
        setup,
        hard: measure(Refresh::Hard),
        normal: setup.measures_normal_refresh().then(|| measure(Refresh::Normal)),
        alone: log_times::of_fastest_refresh(stack, &sidecar, fleet),
    }
}
