//! Days and durations, without a clock.

mod date;
pub mod duration;

pub use date::{Date, InvalidDate};
