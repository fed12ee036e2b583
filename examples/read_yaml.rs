//! Reads the documents of a file one after another and discards them: the baseline for `validate`.
#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use std::error::Error;

use sealwave_core::document::Sources;
use sealwave_core::yaml::{self, Limits};

/// The allocator of sealwave, so that both are measured under the same conditions.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("which file?")?;
    let text = fs_err::read(&path)?;
    let source = Sources::default().add(path);
    let documents = yaml::documents(&text, source, &Limits::default()).flatten().count();
    println!("{documents}");
    Ok(())
}
