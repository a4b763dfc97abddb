//! The hubs that run on this machine: how each is configured, built and started.

pub(crate) mod aws;
pub(crate) mod dev_vars;
pub(crate) mod door;
pub(crate) mod dynamodb;
pub(crate) mod emulator;
pub(crate) mod followed;
pub(crate) mod native;
pub(crate) mod platforms;
pub(crate) mod template;
pub(crate) mod worker;
pub(crate) mod workerd;
