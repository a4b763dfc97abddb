//! What the hub's configuration needs to know of Cloudflare. xtask includes this file, so that it
//! checks and documents configurations without building the hub: it uses nothing but
//! [`cinnabar_core`].

use cinnabar_core::Platform;

/// Cloudflare: a Worker, and its Durable Object.
pub(crate) const PLATFORM: Platform = Platform {
    // Cloudflare sets it, whatever a client sends.
    defaults: &[("ADDRESS_HEADER", "CF-Connecting-IP")],
    // The object is told of each update, and looks for none.
    unread: &["POLL_FAST", "POLL_SLOW"],
    notes: &[(
        "HUB_URL",
        "set it if 1.0 tokens are accepted, which otherwise may be for whatever host was asked, or if the Worker answers on a wildcard route: otherwise clients can use up the 64 hosts for which URL patterns are matched",
    )],
    // A row of the object's SQLite holds 2 MB.
    largest_body: 1_900_000,
    has_feed: true,
    checks_websockets: true,
    ..Platform::new("Cloudflare")
};
