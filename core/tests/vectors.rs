//! Vectors: what the law asks of requests, tokens and frames, as JSON that any hub could be held
//! to, run here through the core's public API.
//!
//! A file of `vectors/` says in `scene` what all of its vectors share, and lists them as `name`,
//! `given` and `expected`. To add a rule, add a vector: no code changes. The module of the same
//! name says what the members mean.

// Tests, all of it: in this crate only `#[cfg(test)]` tells clippy so.
#[cfg(test)]
mod vectors {
    mod check;
    mod clients;
    mod cors;
    mod coverage;
    mod framing;
    mod parameters;
    mod publish;
    mod request;
    mod security;
    mod stream;
    mod text;
    mod token;
    mod tokens;
}
