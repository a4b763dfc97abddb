//! What every log must do, as tests that each log must pass.
//!
//! A shell wraps its log as a [`Log`] and runs [`check`] against its real database. What a log may
//! do in more than one way (drop updates by size or by age; leave positions without an update) is
//! left to the log. What the [`Holder`](crate::Holder) relies on is not.

mod cases;
mod followers;
mod given;
mod log;
mod presence;

pub use cases::check;
pub use log::{Log, Outcome};
pub use presence::everybody;
