//! The one table of names, defaults and meanings.

use super::Platform;

/// A configuration variable, as users see it.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// Its value when it is unset or empty; empty where there is none.
    pub default: &'static str,
    /// The same on AWS, where it differs.
    pub default_on_aws: Option<&'static str>,
    /// The one platform that reads it, where not all do.
    pub only_on: Option<Platform>,
    /// What it does, in Markdown.
    pub meaning: &'static str,
    /// Whether its value must never be shown.
    pub secret: bool,
}

const fn variable(name: &'static str, default: &'static str, meaning: &'static str) -> Variable {
    Variable { name, default, default_on_aws: None, only_on: None, meaning, secret: false }
}

const fn secret(name: &'static str, meaning: &'static str) -> Variable {
    Variable { secret: true, ..variable(name, "", meaning) }
}

/// Every variable that the hub reads.
pub const VARIABLES: &[Variable] = &[
    variable(
        "HUB_URL",
        "",
        "The public URL of the hub: the audience of 1.0 tokens, and the base of the reserved namespace. Unset: `/.well-known/mercure` at the host of each request; set it if the Worker answers on a wildcard route.",
    ),
    variable("AUDIENCES", "", "More audiences to accept in 1.0 tokens, separated by spaces."),
    variable(
        "HUB_ALIASES",
        "",
        "More paths at which the hub answers, such as `/hub`, separated by spaces.",
    ),
    variable(
        "PROTOCOL",
        "both",
        "Which generations of the protocol are served: `both`, `1.0` (draft-08) or `0.x`.",
    ),
    secret(
        "MERCURE_PUBLISHER_JWT_KEY",
        "What publishers' tokens are verified with: a shared secret, or a public key in PEM or as JWK. Required, unless an issuer has one.",
    ),
    variable(
        "MERCURE_PUBLISHER_JWT_ALG",
        "",
        "The algorithm of publishers' tokens: `HS256` (of a secret, if unset), `HS384`, `HS512`, `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`, `ES384` or `EdDSA`. A JWK may name its own.",
    ),
    secret(
        "MERCURE_SUBSCRIBER_JWT_KEY",
        "What subscribers' tokens are verified with. Required unless `ANONYMOUS=1`, or an issuer has one.",
    ),
    variable("MERCURE_SUBSCRIBER_JWT_ALG", "", "The algorithm of subscribers' tokens."),
    secret(
        "MERCURE_TRUSTED_ISSUERS",
        "The `iss` that 1.0 tokens must carry, if the keys above verify them; or a JSON list of issuers, each with its keys (see [Tokens](#tokens)). Unset: 1.0 tokens are refused.",
    ),
    variable("ANONYMOUS", "0", "`1`: subscribers need no token; they get public updates only."),
    variable(
        "CORS_ORIGINS",
        "",
        "Origins whose pages may read the hub's answers, separated by spaces. `*` allows all, without cookies.",
    ),
    variable(
        "PUBLISH_ORIGINS",
        "",
        "Origins whose pages may publish with a cookie, beside the hub's own, separated by spaces.",
    ),
    variable(
        "COOKIE_NAME",
        "__Secure-mercure_access_token",
        "The cookie that may carry a token, beside `mercureAuthorization`.",
    ),
    variable(
        "QUERY_AUTHORIZATION",
        "1",
        "`1`: a 0.x token may come in the query parameter `authorization`, as some clients send it. URLs end up in logs; turn it off if yours do not need it.",
    ),
    variable(
        "TARGETS",
        "0",
        "`1`: the field `target` of the protocol's first years counts: who publishes needs a grant for every topic and every target, and who reads a targeted update needs one for a target, and none for a topic (draft-08 wants the latter). Targets are matched as topics are, so their names should differ. Otherwise the field is ignored, and what is meant for some goes to all.",
    ),
    variable(
        "PUBLISH_UNGRANTED",
        "0",
        "`1`: a 0.x publisher needs no grant for public updates, as in the protocol's first years.",
    ),
    variable(
        "HEARTBEAT",
        "25s",
        "The longest silence of a stream before the hub writes a comment.",
    )
    .on_aws("15s"),
    variable(
        "STREAM_LIFETIME",
        "1h",
        "How long a stream lives, give or take 20 %; then its reader reconnects and resumes. `0`: a stream ends as soon as it has all there is, and its reader polls.",
    )
    .on_aws("5m"),
    variable("HISTORY_SIZE", "10000", "How many updates are kept for subscribers that resume.")
        .only_on(Platform::Cloudflare),
    variable("HISTORY_AGE", "24h", "How long updates are kept."),
    variable("REPLAY_MAX", "10000", "How many updates are replayed to one subscriber at most."),
    variable(
        "MAX_REQUEST_BODY_SIZE",
        "1MiB",
        "The largest body of a publication; at most 1900kB, since a row of the log holds 2 MB.",
    ),
    variable("MAX_UPDATE_SIZE", "2MiB", "The largest update, as framed for an event stream.")
        .on_aws("350kB"),
    variable("MAX_TOPICS", "1000", "The most topics of one update."),
    variable("MAX_MATCHERS", "300", "The most topic matchers of one subscriber."),
    variable("MAX_STREAMS", "4000", "The most streams at a time."),
    variable(
        "OUTBOX_SIZE",
        "256KiB",
        "How much may wait for one slow reader before its stream goes back to replaying.",
    ),
    variable(
        "OUTBOXES_SIZE",
        "32MiB",
        "How much may wait for all slow readers; past it those that wait longest are cut, and resume.",
    ),
    variable(
        "NATIVE_READERS",
        "auto",
        "Which readers are told their position while nothing is published: `auto` (those that look like a browser's `EventSource`), `always`, `never`.",
    ),
    variable(
        "SERVES",
        "both",
        "What this deployment serves of the hub: `publish`, `subscribe`, or `both`.",
    ),
    secret(
        "ORIGIN_SECRET",
        "If set, requests without the header `X-Origin-Verify: <secret>` get 403: the way around a content delivery network is closed.",
    ),
    variable(
        "POLL_FAST",
        "100ms",
        "How long streams wait between two looks at the log while updates flow.",
    )
    .only_on(Platform::Aws),
    variable("POLL_SLOW", "1s", "The same while nothing is published.").only_on(Platform::Aws),
];
