//! The command line.

use clap::{Parser, ValueEnum};

/// A black-box suite for hubs of the Mercure protocol.
///
/// Cases whose configuration a running hub (--url) does not have are ignored, and say so.
#[derive(Parser, Clone, Debug)]
#[command(args_override_self = true)]
#[group(id = "suite")]
pub(crate) struct Arguments {
    /// A hub that already runs, with anonymous subscribers on: the URL to publish and subscribe at.
    #[arg(long, conflicts_with = "launch", required_unless_present = "launch")]
    pub(crate) url: Option<String>,

    /// Start hubs with this shell command line, with `--port N --data FOLDER` appended; it must
    /// `exec` the server. The configuration is in environment variables, beside which the server gets
    /// only `PATH`, `HOME` and the like; to give it others, begin with `env NAME=value`.
    #[arg(long)]
    pub(crate) launch: Option<String>,

    /// HS256 key of publishers' tokens.
    #[arg(long, default_value = "publisher-key-of-the-conformance-suite")]
    pub(crate) publisher_key: String,

    /// HS256 key of subscribers' tokens.
    #[arg(long, default_value = "subscriber-key-of-the-conformance-suite")]
    pub(crate) subscriber_key: String,

    /// The `iss` that the hub trusts in tokens of protocol 1.0.
    #[arg(long, default_value = "https://issuer.example")]
    pub(crate) issuer: String,

    /// The resource identifier of the hub [default: its URL].
    #[arg(long)]
    pub(crate) audience: Option<String>,

    /// What the platform takes away from the hub; may be given several times.
    #[arg(long, value_enum)]
    pub(crate) without: Vec<Capability>,

    #[command(flatten)]
    pub(crate) limits: Limits,

    /// How often the hub is killed while publishers publish.
    #[arg(long, default_value_t = 5)]
    pub(crate) kills: usize,

    /// How many megabytes are published past a reader that reads nothing; with less than 100, what
    /// the hub keeps for it can't be told from what it needs anyway, and memory is not judged.
    #[arg(long, default_value_t = 100)]
    pub(crate) stalled_megabytes: usize,

    #[command(flatten)]
    harness: libtest_mimic::Arguments,
}

/// The limits a hub is expected to keep; the defaults are those of its configuration.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Limits {
    /// Bytes of a publication's body.
    #[arg(long, default_value_t = 1 << 20)]
    pub(crate) max_request_body_size: usize,

    /// Bytes of an update on the wire.
    #[arg(long, default_value_t = 2 << 20)]
    pub(crate) max_update_size: usize,

    /// Topics of a publication.
    #[arg(long, default_value_t = 1_000)]
    pub(crate) max_topics: usize,

    /// Matchers of a subscription.
    #[arg(long, default_value_t = 300)]
    pub(crate) max_matchers: usize,
}

/// What a platform can take away from a hub, whatever the hub does.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Capability {
    /// Cookies reach the hub.
    Cookies,
    /// `WWW-Authenticate` reaches the client under its own name.
    WwwAuthenticate,
    /// The hub learns that a client has gone.
    Disconnects,
    /// The method QUERY reaches the hub.
    Query,
    /// The client's bytes reach the hub as they were sent: HTTP/1.0, broken requests, raw UTF-8.
    RawRequests,
    /// The transport chunks of a stream are the hub's own writes.
    Chunks,
    /// The hub keeps so many updates, and not all that are young enough.
    HistorySize,
    /// The hub answers for every path of its host, `/healthz` among them.
    WholeHost,
    /// The hub serves in child processes, which its platform ends and replaces as it likes.
    Environments,
}

impl Arguments {
    /// What is meant for the harness that runs the cases.
    pub(crate) fn harness(&self) -> libtest_mimic::Arguments {
        let mut harness = self.harness.clone();
        // Cases wait far more than they compute, so there are more of them at a time than cores.
        harness.test_threads = harness.test_threads.or(Some(12));
        harness
    }
}
