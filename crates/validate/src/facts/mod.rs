//! Facts about objects that several rules use: what exists and is required, names, credentials, templates.
//!
//! Facts know no rule and report nothing.

pub(crate) mod app_settings;
pub(crate) mod applications;
pub(crate) mod checked_object;
pub(crate) mod credential;
pub(crate) mod embedded;
pub(crate) mod embedded_pods;
pub(crate) mod environment_names;
pub(crate) mod fields;
pub(crate) mod go_template;
pub(crate) mod grants;
pub(crate) mod inventory;
pub(crate) mod later_stage;
pub(crate) mod leftover;
pub(crate) mod metadata;
pub(crate) mod name_syntax;
pub(crate) mod neighbors;
pub(crate) mod operator_view;
pub(crate) mod placement;
pub(crate) mod pods;
pub(crate) mod ports;
pub(crate) mod presence;
pub(crate) mod resource_names;
pub(crate) mod rollout;
pub(crate) mod rule_context;
pub(crate) mod scene;
pub(crate) mod secret_items;
pub(crate) mod secret_text;
pub(crate) mod selectors;
pub(crate) mod shared_paths;
pub(crate) mod unread_names;
