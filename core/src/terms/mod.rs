//! The specification's words, as types.

pub(crate) mod characters;
pub(crate) mod cursor;
pub(crate) mod event_id;
pub(crate) mod event_type;
pub(crate) mod generation;
pub(crate) mod hub_url;
pub(crate) mod subscription;
pub(crate) mod topic;
pub(crate) mod update;
