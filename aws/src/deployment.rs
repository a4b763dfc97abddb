//! What the hub's configuration needs to know about AWS. xtask includes this file to check and
//! document configurations without building the hub, so it uses nothing but [`cinnabar_core`].

use std::time::Duration;

use cinnabar_core::Platform;

/// AWS: Lambda functions, and a table in DynamoDB.
pub const PLATFORM: Platform = Platform {
    defaults: &[
        // By default, CloudFront waits 30 s for more of an origin's response.
        ("HEARTBEAT", "15s"),
        // A function lives 15 minutes at most, and is billed for a stream's whole life, even after
        // its reader is gone.
        ("STREAM_LIFETIME", "5m"),
        // An item of the table holds 400 kB.
        ("MAX_UPDATE_SIZE", "350kB"),
    ],
    // The table keeps updates by age, and does not count them. All functions share the streams.
    unread: &["HISTORY_SIZE", "RELAYS", "RELAY_REGIONS"],
    // Room for an update whose every byte is percent-encoded, and less than Lambda's limit of 6 MB.
    largest_body: 1_900_000,
    // Lambda breaks off a response at 200 MB; streams end well before that.
    response_size: 150_000_000,
    // Nothing that a stream has yet to read may be dropped while the stream lives.
    shortest_history_age: Duration::from_secs(600),
    // Each function has its own URL, which its subscribers or publishers may name as the audience.
    has_own_host: true,
    ..Platform::new("AWS")
};
