//! The one table of names, defaults and meanings.

/// A configuration variable, as users see it.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// Its value when it is unset or empty, unless a platform has another; empty if there is none.
    pub default: &'static str,
    /// What it does, in Markdown.
    pub meaning: &'static str,
    /// Whether its value must never be shown.
    pub secret: bool,
    /// Whether it is a list, whose items are separated by spaces.
    pub list: bool,
}

const fn variable(name: &'static str, default: &'static str, meaning: &'static str) -> Variable {
    Variable { name, default, meaning, secret: false, list: false }
}

const fn secret(name: &'static str, meaning: &'static str) -> Variable {
    Variable { secret: true, ..variable(name, "", meaning) }
}

const fn list(name: &'static str, meaning: &'static str) -> Variable {
    Variable { list: true, ..variable(name, "", meaning) }
}

/// Every variable that the hub reads.
pub const VARIABLES: &[Variable] = &[
    variable(
        "HUB_URL",
        "",
        "The public URL of the hub: the audience of 1.0 tokens, and the base of the reserved namespace. Unset: `/.well-known/mercure` at the host of each request.",
    ),
    list("AUDIENCES", "More audiences to accept in 1.0 tokens, separated by spaces."),
    list(
        "HUB_ALIASES",
        "More paths at which the hub answers, such as `/hub`, separated by spaces.",
    ),
    variable(
        "PROTOCOL",
        "both",
        "Which generations of the protocol are served: `both`, `1.0` (draft-08) or `0.x`.",
    ),
    secret(
        "MERCURE_PUBLISHER_JWT_KEY",
        "The key that verifies publishers' tokens: a shared secret, or a public key in PEM or as JWK. Required unless an issuer has one.",
    ),
    variable(
        "MERCURE_PUBLISHER_JWT_ALG",
        "",
        "The algorithm of publishers' tokens: `HS256` (a secret's, if unset), `HS384`, `HS512`, `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`, `ES384` or `EdDSA` (also called `Ed25519`). It is what your library writes into tokens (see [Tokens](#tokens)). A JWK may name its own.",
    ),
    secret(
        "MERCURE_PUBLISHER_JWT_KEY_PREVIOUS",
        "The publishers' key before the one above, which verifies tokens as well until they have expired (see [Changing keys](#changing-keys)).",
    ),
    variable(
        "MERCURE_PUBLISHER_JWKS_URI",
        "",
        "Instead of a key: the URL at which the public keys of publishers' tokens are published as a JWK Set (see [Keys by URL](#keys-by-url)). `_ALG`, if it is set, is then the only algorithm.",
    ),
    secret(
        "MERCURE_SUBSCRIBER_JWT_KEY",
        "The key that verifies subscribers' tokens. Required unless `ANONYMOUS=1` or an issuer has one.",
    ),
    variable("MERCURE_SUBSCRIBER_JWT_ALG", "", "The algorithm of subscribers' tokens."),
    secret("MERCURE_SUBSCRIBER_JWT_KEY_PREVIOUS", "The subscribers' key before the one above."),
    variable(
        "MERCURE_SUBSCRIBER_JWKS_URI",
        "",
        "Instead of a key: the URL at which the public keys of subscribers' tokens are published.",
    ),
    secret(
        "MERCURE_TRUSTED_ISSUERS",
        "The `iss` that 1.0 tokens must have, if the keys above verify them; or a JSON list of issuers, each with its keys (see [Tokens](#tokens)). Unset: 1.0 tokens are refused.",
    ),
    variable("ANONYMOUS", "0", "`1`: subscribers need no token; they get public updates only."),
    list(
        "CORS_ORIGINS",
        "Origins whose pages may read the hub's answers, separated by spaces, commas or semicolons (see [Origins](#origins)). `*` allows all, without cookies.",
    ),
    list(
        "PUBLISH_ORIGINS",
        "Origins whose pages may publish with a cookie, besides the hub's own; listed likewise, without `*`.",
    ),
    variable(
        "COOKIE_NAME",
        "__Secure-mercure_access_token",
        "The cookie that may carry a token. Besides it, `mercureAuthorization` may, unless you choose another name here: then the cookies of other hubs at your domain do not count.",
    ),
    variable(
        "QUERY_AUTHORIZATION",
        "1",
        "`1`: a 0.x token may come in the query parameter `authorization`, as some clients send it. URLs end up in logs; turn it off if your clients do not need it.",
    ),
    variable(
        "TARGETS",
        "0",
        "`1`: the field `target` of the protocol's first years counts: publishers need a grant for every topic and every target, and readers of a targeted update need one for a target, but none for a topic (draft-08 requires the latter). Targets are matched as topics are, so their names should differ. `0`: the field is ignored, and updates meant for a few go to everybody.",
    ),
    variable(
        "PUBLISH_UNGRANTED",
        "0",
        "`1`: a 0.x publisher needs no grant for public updates, as in the protocol's first years.",
    ),
    variable(
        "SUBSCRIPTIONS",
        "0",
        "`1`: subscribers with a grant are told of subscriptions as they begin and end, and may list them (see [Presence](#presence)). Each subscription then costs two more updates.",
    ),
    variable(
        "DEBUGGER",
        "0",
        "`1`: a page at the hub's path and `/debug/` subscribes, publishes, and says what is wrong (see [The debugger](#the-debugger)). Whoever sends a token that is refused is then told why, so turn it on while you develop.",
    ),
    variable(
        "HEARTBEAT",
        "25s",
        "The longest silence of a stream before the hub writes a comment.",
    ),
    variable(
        "STREAM_LIFETIME",
        "1h",
        "How long a stream lives, give or take 20 %; then its reader reconnects and resumes. `0`: a stream ends as soon as it has caught up, and its reader polls, every 4 to 6 s.",
    ),
    variable("HISTORY_SIZE", "10000", "How many updates are kept for subscribers that resume."),
    variable("HISTORY_AGE", "24h", "How long updates are kept."),
    variable("REPLAY_MAX", "10000", "The most updates that are replayed to one subscriber."),
    variable("MAX_REQUEST_BODY_SIZE", "1MiB", "The largest body of a publication."),
    variable("MAX_UPDATE_SIZE", "2MiB", "The largest update, as framed for an event stream."),
    variable("MAX_TOPICS", "1000", "The most topics of one update."),
    variable("MAX_MATCHERS", "300", "The most topic matchers of one subscriber."),
    variable("MAX_STREAMS", "4000", "The most streams at a time."),
    variable(
        "RELAYS",
        "0",
        "How many objects hold the streams, each up to `MAX_STREAMS` of them, while one holds the log (see [More streams](#more-streams)). `0`: the one that holds the log. A hub that follows another has at least one.",
    ),
    list(
        "RELAY_REGIONS",
        "The regions in which there are `RELAYS` relays each, such as `weur enam apac`: a subscriber goes to the nearest (see [More streams](#more-streams)). Unset: the platform chooses where relays are.",
    ),
    variable(
        "MAX_STREAMS_PER_TOKEN",
        "",
        "The most streams at a time with tokens of one subject (`iss` and `sub`) or, where a token names none, with one token. Unset: no limit (see [Limits of one client](#limits-of-one-client)).",
    ),
    variable(
        "MAX_STREAMS_PER_ADDRESS",
        "",
        "The most streams at a time from one address of IPv4, or one /64 network of IPv6. Everybody in an office may have the same. Unset: no limit.",
    ),
    variable(
        "MAX_PUBLICATIONS_PER_SECOND",
        "",
        "The most publications a second with tokens of one subject, or with one token. Unset: no limit.",
    ),
    variable(
        "ADDRESS_HEADER",
        "",
        "The header in which a proxy in front of the hub names the client's address, such as `X-Real-IP`; of a list, the last counts. Set it only if nobody can bypass that proxy. Unset: the address of the connection.",
    ),
    variable(
        "OUTBOX_SIZE",
        "256KiB",
        "How much may wait for one slow reader before its stream goes back to replaying.",
    ),
    variable(
        "OUTBOXES_SIZE",
        "32MiB",
        "How much may wait for all slow readers together; beyond that, those that have waited longest are cut off, and resume.",
    ),
    variable(
        "NATIVE_READERS",
        "auto",
        "Which readers are told their position while nothing is published: `auto` (those that look like a browser's `EventSource`), `always` or `never`.",
    ),
    variable(
        "SERVES",
        "both",
        "Which part of the hub this deployment serves: `publish`, `subscribe` or `both`.",
    ),
    secret(
        "ORIGIN_SECRET",
        "If set, requests without the header `X-Origin-Verify: <secret>` get 403, so nobody can bypass the CDN in front of the hub (see [Health](#health-and-robots)).",
    ),
    secret(
        "FEED_SECRET",
        "What a hub and those that follow it have in common: at least 32 bytes. On the hub that is followed, it opens `/feed` behind the hub's path to those that show it (see [Followers](#followers)). They get every update, private ones as well.",
    ),
    variable(
        "FOLLOW",
        "",
        "The URL of another hub, which this one follows: it serves that hub's streams, and keeps no updates of its own. Over `https`; `http` is for this machine alone.",
    ),
    variable(
        "FOLLOW_PUBLISH",
        "refuse",
        "What a hub that follows another does with publications: `refuse`, and say where to publish; or `forward` them to that hub, with the publisher's own token.",
    ),
    variable(
        "POLL_FAST",
        "100ms",
        "How long streams wait between two reads of the log while updates flow.",
    ),
    variable("POLL_SLOW", "1s", "The same, while nothing is published."),
];
