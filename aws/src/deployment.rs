//! What the hub's configuration needs to know of AWS. xtask includes this file, so that it checks
//! and documents configurations without building the hub: it uses [`cinnabar_core`] alone.

use std::time::Duration;

use cinnabar_core::Platform;

/// AWS: Lambda functions, and a table in DynamoDB.
pub const PLATFORM: Platform = Platform {
    defaults: &[
        // Unless it is told otherwise, CloudFront waits 30 s for more of an origin's response.
        ("HEARTBEAT", "15s"),
        // A function lives 15 minutes at most, and is billed for all of a stream's life, even for the
        // time after its reader has gone.
        ("STREAM_LIFETIME", "5m"),
        // An item of the table holds 400 kB.
        ("MAX_UPDATE_SIZE", "350kB"),
    ],
    // The table keeps updates for a time, and does not count them.
    unread: &["HISTORY_SIZE"],
    // Room for an update whose every byte is percent-encoded, and below the 6 MB that Lambda takes.
    largest_body: 1_900_000,
    // Lambda breaks off a response at 200 MB; streams end well before that.
    response_size: 150_000_000,
    // Nothing that a stream has yet to read may be dropped while it lives.
    shortest_history_age: Duration::from_secs(600),
    // Each function has a URL, which its subscribers or publishers may name as the audience.
    has_own_host: true,
    ..Platform::new("AWS")
};
