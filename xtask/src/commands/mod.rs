//! The commands, a file for each.

pub(crate) mod bench;
pub(crate) mod build;
pub(crate) mod contract;
pub(crate) mod dev;
mod documentation;
pub(crate) mod package;
pub(crate) mod plan;
pub(crate) mod readme;
mod requirements;
pub(crate) mod serve;
mod stack;
mod suite;
pub(crate) mod test;
