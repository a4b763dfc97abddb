//! What every log must do, as tests that each log passes.
//!
//! A shell wraps its log as a [`Log`] and runs [`check`] against its real database. What a log may
//! do in more than one way (drop updates at a size, or when they expire; leave numbers without an
//! update) is left to it; what the [`Holder`](crate::Holder) relies on is not.

mod cases;
mod given;
mod log;

pub use cases::check;
pub use log::{Log, Outcome};
