//! What is fuzzed: for each target, a function that takes any bytes, and panics if a promise of the
//! hub is broken.
//!
//! Each module says how its bytes are read. They are text wherever the hub reads text, so that
//! inputs can be read and written by hand.

mod command;
mod configuration;
mod event;
mod feed;
mod hub;
mod hub_url;
mod publication;
mod request;
mod selection;
mod stream;
mod streams;
mod template;
mod token;
mod url_pattern;

/// A target, with the name of its fuzzer and its corpus.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&[u8]),
}

/// All targets, in order of their names.
pub(crate) const TARGETS: [Target; 10] = [
    Target { name: "command", run: command::run },
    Target { name: "configuration", run: configuration::run },
    Target { name: "feed", run: feed::run },
    Target { name: "hub_url", run: hub_url::run },
    Target { name: "publication", run: publication::run },
    Target { name: "request", run: request::run },
    Target { name: "streams", run: streams::run },
    Target { name: "template", run: template::run },
    Target { name: "token", run: token::run },
    Target { name: "url_pattern", run: url_pattern::run },
];
