//! Presence: who is subscribed to what (draft-08, "Active Subscriptions").
//!
//! | to find | look in |
//! |---|---|
//! | how a case asks and listens | [`asking`] |
//! | what is announced, and to whom | `events`, `payloads`, `forgery` |
//! | what the three kinds of URLs answer | `documents`, `pages`, `authorization`, `origins` |
//! | what 0.x hubs did, and hubs of one generation | `older`, `restricted` |
//! | a whole client | `echo` |
//! | the truth after the death of a hub | `faults`, with clients of [`crowd`] |
//! | who is at hubs that follow another | `following` |

mod asking;
mod authorization;
mod crowd;
mod documents;
mod echo;
mod events;
mod faults;
mod following;
mod forgery;
mod older;
mod origins;
mod pages;
mod payloads;
mod restricted;

use crate::case::Case;

pub(super) const CASES: &[&[Case]] = &[
    events::CASES,
    payloads::CASES,
    forgery::CASES,
    documents::CASES,
    pages::CASES,
    authorization::CASES,
    origins::CASES,
    older::CASES,
    restricted::CASES,
    echo::CASES,
    faults::CASES,
    following::CASES,
];
