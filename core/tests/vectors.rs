//! Vectors: what draft-08 asks of requests, tokens and frames, as JSON that could test any hub, run
//! here through the core's public API.
//!
//! A file in `vectors/` says in `scene` what its vectors share, and lists them as `name`, `given`
//! and `expected`. To add a rule, add a vector: no code changes. The module with the file's name
//! says what the members mean.

// All of this is tests, but only `#[cfg(test)]` tells clippy so.
#[cfg(test)]
mod vectors {
    mod challenge;
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
