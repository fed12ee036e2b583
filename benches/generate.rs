//! Measures one run of the pipeline on a large app, stage by stage.
//!
//! Prints the best of several rounds. Asserts nothing.
#![allow(clippy::print_stdout, reason = "printing is what a benchmark is for")]

use std::cell::RefCell;
use std::time::{Duration, Instant};

use sealwave_pipeline::{
    self, ClusterCapabilities, Discovery, ManifestFormat, RenderContext, RunPlan, SealMode, Stage,
    ValueSource,
};
use sealwave_programs::{RunHost, Toolbox};
use sealwave_secrets::crypto::ChecksumKey;
use sealwave_secrets::settings::{EnvironmentBackends, OperatorTools};
use sealwave_testkit::bench_input;

const ROUNDS: usize = 9;

fn main() {
    let dir = tempfile::TempDir::new().expect("a directory for the app");
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs_err::create_dir_all(path.parent().expect("below the app")).expect("a directory");
        fs_err::write(path, text).expect("a file of the app");
    };
    write(
        "sealwave.yaml",
        "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: bench\nenvironments: {dev: {}}\n",
    );
    write("base/all.yaml", &bench_input::manifest(60, 2_000_000));
    let discovery = sealwave_pipeline::discover(dir.path(), None).expect("an app");
    let mut best: Vec<(String, Duration)> = Vec::new();
    for _ in 0..ROUNDS {
        for (index, (name, time)) in round(&discovery).into_iter().enumerate() {
            match best.get_mut(index) {
                Some((_, so_far)) => *so_far = time.min(*so_far),
                None => best.push((name, time)),
            }
        }
    }
    println!("2 MB in 60 objects");
    for (name, time) in best {
        println!("{name:<10} {:>8.2} ms", time.as_secs_f64() * 1000.0);
    }
}

fn round(discovery: &Discovery) -> Vec<(String, Duration)> {
    let marks: RefCell<Vec<(String, Instant)>> = RefCell::default();
    let mark = |name: String| marks.borrow_mut().push((name, Instant::now()));
    let host = RunHost { temporary: std::env::temp_dir(), guard: None };
    let toolbox = Toolbox::new(OperatorTools::default(), None, host);
    let plan = RunPlan {
        context: RenderContext {
            environment: "dev".to_owned(),
            app: "bench".to_owned(),
            namespace: None,
            cluster: "dev".to_owned(),
            revision: String::new(),
            capabilities: ClusterCapabilities::default(),
        },
        source: ValueSource::Withhold { known: None, default_provider: None },
        backends: EnvironmentBackends::default(),
        kept_checksums: None,
        sealing: SealMode::Redacted,
        checksums: ChecksumKey::preview(),
        today: None,
        toolbox: &toolbox,
    };
    let enter = |stage: Stage| mark(format!("{stage:?}").to_lowercase());
    let sealed = sealwave_pipeline::run(discovery, &plan, &mut Vec::new(), &enter).expect("a good app");
    mark("emit".to_owned());
    let bytes = sealwave_pipeline::emit(&sealed, ManifestFormat::Json).expect("a small output");
    assert!(!bytes.is_empty());
    let end = Instant::now();
    let marks = marks.into_inner();
    let ends = marks.iter().skip(1).map(|(_, time)| *time).chain([end]);
    marks.iter().zip(ends).map(|((name, start), end)| (name.clone(), end.duration_since(*start))).collect()
}
