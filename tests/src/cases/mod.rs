//! The cases, by subject.
//!
//! A case is named after the rule it shows, and cites where the rule is from: a section of
//! draft-dunglas-mercure-08, or a decision of the project where the draft leaves one. What must
//! *not* arrive is shown by what arrives instead ([`silence`]): no case waits to see that nothing
//! happens.

mod bindings;
mod clients;
mod cors;
mod csrf;
mod debugger;
mod discovery;
mod errors;
mod fields;
pub(crate) mod following;
mod frames;
mod health;
mod hostile;
mod hub_url;
mod keys;
mod lifetime;
mod limits;
mod metadata;
mod negotiation;
mod patterns;
mod presence;
mod private;
mod protocol;
mod publish;
mod published_keys;
mod query;
mod quotas;
mod readers;
mod relays;
mod resume;
mod silence;
mod subscribe;
mod talks;
mod targets;
mod tokens;
mod tokens_v0;
mod tokens_v1;

use crate::case::Case;
use crate::{browser, endurance, examples, libraries};

/// Every case.
pub(crate) fn all() -> impl Iterator<Item = Case> {
    [
        // First, since they take longest, and wait for most of it.
        libraries::CASES,
        examples::CASES,
        publish::CASES,
        fields::CASES,
        limits::CASES,
        quotas::CASES,
        subscribe::CASES,
        query::CASES,
        negotiation::CASES,
        patterns::CASES,
        frames::CASES,
        readers::CASES,
        relays::CASES,
        lifetime::CASES,
        private::CASES,
        tokens::CASES,
        tokens_v0::CASES,
        tokens_v1::CASES,
        keys::CASES,
        published_keys::CASES,
        protocol::CASES,
        targets::CASES,
        resume::CASES,
        hub_url::CASES,
        bindings::CASES,
        discovery::CASES,
        metadata::CASES,
        debugger::CASES,
        cors::CASES,
        csrf::CASES,
        errors::CASES,
        health::CASES,
        following::CASES,
        hostile::CASES,
        clients::CASES,
        talks::CASES,
        browser::CASES,
        endurance::CASES,
    ]
    .into_iter()
    .chain(presence::CASES.iter().copied())
    .flatten()
    .copied()
}
