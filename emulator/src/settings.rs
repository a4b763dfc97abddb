//! How a function is configured.

use std::ffi::OsString;
use std::time::Duration;

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) name: &'static str,
    /// The function's binary and its arguments.
    pub(crate) command: Vec<OsString>,
    pub(crate) timeout: Duration,
    /// The reserved concurrency: invocations at a time, over all environments.
    pub(crate) concurrency: usize,
    /// Invocations at a time in one environment.
    pub(crate) environment_concurrency: usize,
    /// Whether an environment is frozen while it has no invocation.
    pub(crate) freezes: bool,
}

impl Settings {
    /// The ARN that invocations name.
    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:lambda:us-east-1:000000000000:function:{}", self.name)
    }
}
