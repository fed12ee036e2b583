//! Finds out what renders a directory today, and which app file renders the same objects: the work of `sealwave init`.
//!
//! ```text
//! repository ► files of the directory, Applications       bounded reads within the repository
//! contents ► what the manifests are                        kinds, placeholders of other tools, plaintext Secrets
//! application, options, inline_values ► `Deployment`       what an Application of Argo CD renders
//! merge ► one list of sources for all environments
//! decide ► sources and environments
//! plan ► `Adoption`                                        the text of the app file, and what it does not cover
//! ```
//!
//! A repository is hostile: no link is followed, reads are bounded, and no text of a file gets into a message. Values that look
//! like credentials are left out of the app file and named by their keys. Nothing is written, and no program is run.

mod app_text;
mod application;
mod contents;
mod decide;
mod environments;
mod gap;
mod inline_values;
mod merge;
mod moves;
mod options;
mod plan;
mod repository;
mod set_syntax;
mod source_plan;

pub use plan::{Adoption, AdoptionRequest, DeployedEnvironment, NextSteps, adopt};
