//! The command line.

use clap::{Parser, ValueEnum};

/// A black-box suite for hubs of the Mercure protocol.
///
/// With a running hub (--url), cases that need another configuration are ignored, and say so.
#[derive(Parser, Clone, Debug)]
#[command(args_override_self = true)]
#[group(id = "suite")]
pub(crate) struct Arguments {
    /// The URL of a running hub that allows anonymous subscribers.
    #[arg(long, conflicts_with = "launch", required_unless_present = "launch")]
    pub(crate) url: Option<String>,

    /// Start hubs with this shell command line, with `--port N --data FOLDER` appended; it must
    /// `exec` the server. The configuration is in environment variables, beside which the server
    /// gets only `PATH`, `HOME` and the like; to give it others, begin with `env NAME=value`.
    #[arg(long)]
    pub(crate) launch: Option<String>,

    /// Start hubs of another kind with this one, likewise, to follow those of --launch and be followed by
    /// them.
    #[arg(long, requires = "launch")]
    pub(crate) launch_beside: Option<String>,

    /// The HS256 key for publishers' tokens.
    #[arg(long, default_value = "publisher-key-of-the-conformance-suite")]
    pub(crate) publisher_key: String,

    /// The HS256 key for subscribers' tokens.
    #[arg(long, default_value = "subscriber-key-of-the-conformance-suite")]
    pub(crate) subscriber_key: String,

    /// The `iss` that the hub trusts in 1.0 tokens.
    #[arg(long, default_value = "https://issuer.example")]
    pub(crate) issuer: String,

    /// The resource identifier of the hub [default: its URL].
    #[arg(long)]
    pub(crate) audience: Option<String>,

    /// What the platform takes away from the hub; can be given several times.
    #[arg(long, value_enum)]
    pub(crate) without: Vec<Capability>,

    #[command(flatten)]
    pub(crate) limits: Limits,

    /// How often the hub is killed, or an object of it aborted, while publishers publish.
    #[arg(long, default_value_t = 5)]
    pub(crate) kills: usize,

    /// How many megabytes are published past a reader that reads nothing. With fewer than 100, what
    /// the hub keeps for that reader cannot be told from what it needs anyway, and memory is not
    /// checked.
    #[arg(long, default_value_t = 100)]
    pub(crate) stalled_megabytes: usize,

    #[command(flatten)]
    harness: libtest_mimic::Arguments,
}

/// The limits that a hub is expected to enforce; the defaults are those of its configuration.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Limits {
    /// Bytes in the body of a publication.
    #[arg(long, default_value_t = 1 << 20)]
    pub(crate) max_request_body_size: usize,

    /// Bytes in an update on the wire.
    #[arg(long, default_value_t = 2 << 20)]
    pub(crate) max_update_size: usize,

    /// Topics in a publication.
    #[arg(long, default_value_t = 1_000)]
    pub(crate) max_topics: usize,

    /// Matchers in a subscription.
    #[arg(long, default_value_t = 300)]
    pub(crate) max_matchers: usize,
}

/// Something that a platform can take away from a hub, whatever the hub does.
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
    /// The client's bytes reach the hub unchanged: HTTP/1.0, broken requests, raw UTF-8.
    RawRequests,
    /// The transport chunks of a stream are the hub's own writes.
    Chunks,
    /// The hub can end a stream by a cut, as if the connection had broken.
    Cuts,
    /// The hub limits its history by number as well as by age.
    HistorySize,
    /// The hub answers for every path of its host, `/healthz` among them.
    WholeHost,
    /// Variables may be bound to JSON, those that `JSON_BINDINGS` names.
    JsonBindings,
    /// The hub serves from child processes, which its platform ends and replaces as it likes.
    Environments,
    /// A hub whose configuration is broken runs, and answers 500.
    Misconfigured,
    /// A hub that is asked to end ends its streams first.
    GracefulEnd,
    /// Processes of the hub leave one another what they have fetched.
    SharedCache,
    /// The hub may follow others, and be followed.
    Feed,
    /// `POST /abort/NAME` aborts an object of the hub, and streams name the one that holds them: at hubs
    /// that are served for tests alone.
    Aborts,
}

impl Arguments {
    /// The arguments of the harness that runs the cases.
    pub(crate) fn harness(&self) -> libtest_mimic::Arguments {
        let mut harness = self.harness.clone();
        // Cases wait far more than they compute, so more of them run at a time than there are
        // cores.
        harness.test_threads = harness.test_threads.or(Some(12));
        harness
    }
}
