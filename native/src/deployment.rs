//! What the hub's configuration needs to know of a process of one's own. xtask includes this file
//! to check and document configurations without building the hub, so it uses nothing but
//! [`cinnabar_core`].

use cinnabar_core::Platform;

/// A process of one's own.
pub const PLATFORM: Platform = Platform {
    defaults: &[
        // A stream takes some ten kilobytes, and a machine has more of them than an isolate.
        ("MAX_STREAMS", "20000"),
        ("OUTBOXES_SIZE", "256MiB"),
    ],
    // The log calls its streams, and is not polled.
    unread: &["RELAYS", "RELAY_REGIONS", "POLL_FAST", "POLL_SLOW"],
    notes: &[
        (
            "HUB_URL",
            "set it if 1.0 tokens are accepted, which otherwise may be for whatever host a request names",
        ),
        ("MAX_UPDATE_SIZE", "at most `15MiB` with `FEED_SECRET`"),
    ],
    has_feed: true,
    ..Platform::new("your own server")
};
