//! The limits that no configuration changes. Those that a deployment can change are variables (see
//! [`crate::config`]); all of them are the "implementation-defined maximums" of draft-08, "Resource
//! Limits".

/// Longest URL of a request, in bytes; past it: 414.
pub(crate) const MAX_URL_LENGTH: usize = 64 * 1024;

/// Longest body of a QUERY, in bytes; past it: 413. It can hold what a URL could; its sender may
/// not have shown a token.
pub(crate) const MAX_QUERY_BODY_LENGTH: usize = MAX_URL_LENGTH;

/// Longest topic, in bytes; past it: 413.
pub(crate) const MAX_TOPIC_LENGTH: usize = 4 * 1024;

/// Longest `id` or `type` of an update, in bytes; past it: 413. Ids travel in header fields.
pub(crate) const MAX_NAME_LENGTH: usize = 1024;

/// Longest topic matcher, in bytes; past it: 400 in a request, 401 in a token.
pub(crate) const MAX_MATCHER_LENGTH: usize = 4 * 1024;

/// Longest that the topic matchers of one request may be together, in bytes; past it: 400.
pub(crate) const MAX_MATCHERS_LENGTH: usize = 32 * 1024;

/// Most bytes that the compiled patterns of one request or token may keep together; past it: 400
/// in a request, 401 in a token.
pub(crate) const MAX_PATTERNS_SIZE: usize = 384 * 1024;

/// Most that the patterns and templates of one request may take together for each character of a
/// topic, in units of [`MAX_EFFORT`]; past it: 400. Patterns that are runs between texts, such as
/// `/users/:id/books/:book`, count as nothing, and with one for each further alternative if a part
/// may be missing (`{/:book}?`); others with four for each step of their programs, and a template
/// with one or three for each of its variables.
pub(crate) const MAX_PATTERNS_COST: usize = 2 * 1024;

/// The same for one token, whose issuer is trusted; past it: 401.
pub(crate) const MAX_TOKEN_PATTERNS_COST: usize = 8 * 1024;

/// Longest that the topics of an update, or its targets, may be together, in bytes; past it: 413.
pub(crate) const MAX_TOPICS_LENGTH: usize = 128 * 1024;

/// Largest that `MAX_UPDATE_SIZE` may be where updates go over links between hubs: with its topics, its
/// targets and a head, the message of such an update is no longer than a link takes.
pub(crate) const MAX_LINKED_UPDATE_SIZE: usize = 15 * 1024 * 1024;

/// How much effort is made at a time to tell which streams want updates, in units of about a
/// nanosecond ([`effort`](crate::matching::effort)). One thread serves all streams, and who
/// subscribes may have shown no token. So whatever the patterns and topics are, and however many:
///
/// - Updates that have become durable are offered to live streams with this much effort, and as
///   much again for grants. The cheapest matchers come first. The streams of which it could not be
///   told by then replay those updates.
/// - A page of a replay ends once it took this much. Only the stream's own matchers are tried, and
///   others run before the next page.
///
/// One matcher and one topic more are finished, and a page holds at least one update. That takes
/// at most [`MAX_PATTERNS_COST`] × [`MAX_TOPICS_LENGTH`], twice this much, for what a stream asks,
/// and [`MAX_TOKEN_PATTERNS_COST`] × [`MAX_TOPICS_LENGTH`] for what its token grants (three times
/// as much where topics are nothing but characters that a URL has percent-encoded).
pub(crate) const MAX_EFFORT: usize = 128 * 1024 * 1024;

/// Most bytes that the matchers of all streams of one holder may keep together, including those of
/// their tokens; past it, the holder is full.
pub(crate) const MAX_HOLDER_MATCHERS_SIZE: usize = 32 * 1024 * 1024;

/// Longest access token, in bytes; past it: 401.
pub(crate) const MAX_TOKEN_LENGTH: usize = 32 * 1024;

/// Most topic matchers in one access token; past it: 401.
pub(crate) const MAX_TOKEN_MATCHERS: usize = 1_000;

/// Longest set of keys, or metadata that leads to one, in bytes; a longer one is not taken.
pub(crate) const MAX_KEYS_LENGTH: usize = 1024 * 1024;

/// Longest payload of a subscription, as JSON, in bytes; past it: 401. Every event and document of the
/// subscription repeats it.
pub(crate) const MAX_PAYLOAD_LENGTH: usize = 4 * 1024;

/// Most updates in one page of history.
pub(crate) const PAGE_UPDATES: usize = 500;
