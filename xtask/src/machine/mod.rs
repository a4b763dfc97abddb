//! This machine: its programs, its processes, its files.

pub(crate) mod cargo;
pub(crate) mod environment;
pub(crate) mod process;
pub(crate) mod tools;
pub(crate) mod workspace;
