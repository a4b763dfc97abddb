//! The kinds of readers, and what serves each of them.
//!
//! A browser's own `EventSource` parses streams as the standard says, and gives up for good after
//! any status but 200. The libraries that other readers use stop for good at other things, and may
//! take a position event for an update. So they are told apart by what a request shows of its sender.
//! (A cut may overtake the words that tell when to come back.)
//!
//! | kind | shown by | told its position | after a passing failure | its end | told when to come back |
//! |---|---|---|---|---|---|
//! | a browser's `EventSource` | `Sec-Fetch-Mode` and `-Site`, `no-cache`, an `Accept` of event streams alone, no token in `Authorization` | yes | 200 | a clean end | yes |
//! | what resembles one | `Sec-Fetch-Mode` and `no-cache` | no | 200 | a clean end | yes |
//! | a page's script | `Sec-Fetch-Mode` and `-Site`, an `Accept` of event streams alone | no | 503 | a cut | yes |
//! | any other `fetch` | `Sec-Fetch-Mode` | no | 503 | a clean end | yes |
//! | r3labs/sse for Go | `User-Agent: Go-http-client`, `no-cache`, an `Accept` of event streams alone | no | 503 | a cut | no |
//! | any other library | an `Accept` of event streams alone | no | 200 | a clean end | yes |
//! | anything else | | no | 503 | a clean end | yes |

use serde::{Deserialize, Serialize};

use crate::wire::request::Request;

/// Which readers are treated as a browser's own `EventSource`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NativeReaders {
    /// Those that look like one.
    Auto,
    Always,
    Never,
}

/// How a reader is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reader {
    /// It is told its position, as a browser's own `EventSource`.
    pub(crate) native: bool,
    /// A 200 that asks it to come back serves it better than a 503, which would be final.
    pub(crate) gives_up_on_errors: bool,
    /// It does not come back after a clean end, but does after a cut: that is how its stream ends,
    /// once it has taken everything.
    pub(crate) stops_at_clean_ends: bool,
    /// A line behind its last event, which a blank line does not follow, is not an event for it. So
    /// such a line can tell it when to come back.
    pub(crate) takes_last_words: bool,
}

impl Reader {
    pub(crate) fn of(request: &Request, native_readers: NativeReaders) -> Self {
        let reader = Kind::of(request).served();
        match native_readers {
            NativeReaders::Auto => reader,
            NativeReaders::Always => Self { native: true, ..reader },
            NativeReaders::Never => Self { native: false, ..reader },
        }
    }
}

/// The kinds of readers that can be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A browser's own. npm `eventsource` and event-source-polyfill look the same in a page, and
    /// read alike.
    EventSource,
    /// It lacks a sign of a browser's own. Node's `fetch` sends no `Sec-Fetch-Site`: what is built on
    /// it (npm `eventsource`, `eventsource-client`) may hand every event to one function, and so the
    /// position, too. In a page, it is a library that sends a token. npm `eventsource` stops at a 503.
    LikeEventSource,
    /// @microsoft/fetch-event-source, or what looks like it: it retries whatever fails, but takes a
    /// clean end for the last word. Not every platform can cut it.
    PageScript,
    /// In Node, a reading loop of one's own: a cut that nobody catches ends the process.
    Fetch,
    /// It retries a 503 by itself, and takes a clean end for the last word, even of a 200 that
    /// asks it to come back. It makes an event of whatever stands at the end.
    /// (donovanhide/eventsource looks the same, and comes back after all of these.) go-sse, which
    /// stops at a 503, misspells `Cache-Control`.
    R3labs,
    /// For most libraries a 503 is final, and for one of them (aiohttp-sse-client2) a cut. Browsers
    /// look like this on plain http, where they send no `Sec-Fetch-Mode`.
    Library,
    /// It is told the truth.
    Other,
}

impl Kind {
    fn of(request: &Request) -> Self {
        let has = |name| request.header(name).is_some();
        let says = |name, holds: fn(&str) -> bool| {
            request.header(name).is_some_and(|value| holds(&value.trim().to_ascii_lowercase()))
        };
        let no_cache = says("cache-control", |value| value.contains("no-cache"));
        let events_only = says("accept", |value| value == "text/event-stream");
        let in_page = has("sec-fetch-site");
        if has("sec-fetch-mode") {
            // `EventSource` cannot set `Authorization`; a browser adds a password by itself.
            let own_token = says("authorization", |value| value.starts_with("bearer"));
            return match (no_cache, events_only && in_page) {
                (true, true) if !own_token => Self::EventSource,
                (true, _) => Self::LikeEventSource,
                (false, true) => Self::PageScript,
                (false, false) => Self::Fetch,
            };
        }
        let go = says("user-agent", |value| value.starts_with("go-http-client"));
        match events_only {
            true if go && no_cache => Self::R3labs,
            true => Self::Library,
            false => Self::Other,
        }
    }

    fn served(self) -> Reader {
        let (native, gives_up_on_errors, stops_at_clean_ends) = match self {
            Self::EventSource => (true, true, false),
            Self::LikeEventSource | Self::Library => (false, true, false),
            Self::PageScript | Self::R3labs => (false, false, true),
            Self::Fetch | Self::Other => (false, false, false),
        };
        let takes_last_words = self != Self::R3labs;
        Reader { native, gives_up_on_errors, stops_at_clean_ends, takes_last_words }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Fields = [(&'static str, &'static str)];

    fn request(fields: &Fields) -> Request {
        let fields = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
        Request::new("GET", "https://hub.example/", fields)
    }

    fn kind(fields: &Fields) -> Kind {
        Kind::of(&request(fields))
    }

    const EVENTS: (&str, &str) = ("Accept", "text/event-stream");
    const NO_CACHE: (&str, &str) = ("Cache-Control", "no-cache");
    const MODE: (&str, &str) = ("Sec-Fetch-Mode", "cors");
    const SITE: (&str, &str) = ("Sec-Fetch-Site", "same-origin");
    const TOKEN: (&str, &str) = ("Authorization", "Bearer x");
    const GO: (&str, &str) = ("User-Agent", "Go-http-client/1.1");

    #[test]
    fn an_event_source_is_native() {
        let fields = [EVENTS, NO_CACHE, MODE, SITE];
        assert_eq!(kind(&fields), Kind::EventSource);
        let served = |native_readers| Reader::of(&request(&fields), native_readers);
        assert!(
            served(NativeReaders::Auto).native && served(NativeReaders::Auto).gives_up_on_errors
        );
        assert!(!served(NativeReaders::Never).native);
        assert!(Reader::of(&request(&[]), NativeReaders::Always).native);
    }

    #[test]
    fn each_sign_of_an_event_source_is_needed() {
        let fields = [EVENTS, NO_CACHE, MODE, SITE];
        let without = |left_out: usize| {
            let mut fields = fields.to_vec();
            fields.remove(left_out);
            kind(&fields)
        };
        let expected = [
            Kind::LikeEventSource, // another `Accept`
            Kind::PageScript,
            Kind::Library,
            Kind::LikeEventSource, // Node
        ];
        assert_eq!([0, 1, 2, 3].map(without), expected);
        assert_eq!(kind(&[EVENTS, NO_CACHE, MODE, SITE, TOKEN]), Kind::LikeEventSource);
        let password = ("Authorization", "Basic dXNlcjpwYXNz");
        assert_eq!(kind(&[EVENTS, NO_CACHE, MODE, SITE, password]), Kind::EventSource);
    }

    #[test]
    fn a_script_is_told_the_truth_and_cut_only_in_a_page() {
        assert_eq!(kind(&[EVENTS, MODE, SITE, TOKEN]), Kind::PageScript);
        assert_eq!(kind(&[EVENTS, MODE]), Kind::Fetch);
        assert_eq!(kind(&[("Accept", "*/*"), MODE, SITE]), Kind::Fetch);
        assert_eq!(kind(&[EVENTS, ("Cache-Control", "no-store"), MODE, SITE]), Kind::PageScript);
    }

    #[test]
    fn go_has_two_libraries() {
        assert_eq!(kind(&[EVENTS, NO_CACHE, GO]), Kind::R3labs);
        // go-sse
        assert_eq!(kind(&[EVENTS, ("Cache", "no-cache"), GO]), Kind::Library);
        assert_eq!(kind(&[("Accept", "*/*"), NO_CACHE, GO]), Kind::Other);
    }

    #[test]
    fn others_are_told_by_what_they_accept() {
        assert_eq!(kind(&[EVENTS]), Kind::Library);
        assert_eq!(kind(&[EVENTS, NO_CACHE]), Kind::Library);
        assert_eq!(kind(&[("Accept", " TEXT/event-stream ")]), Kind::Library);
        for accept in ["*/*", "text/event-stream, */*", "text/event-stream;q=1"] {
            assert_eq!(kind(&[("Accept", accept)]), Kind::Other, "{accept}");
        }
        assert_eq!(kind(&[]), Kind::Other);
    }

    #[test]
    fn a_reader_is_cut_only_where_it_is_told_of_failures() {
        let values = [EVENTS, NO_CACHE, MODE, SITE, TOKEN, GO];
        // Whatever a request shows.
        for shown in 0..1 << values.len() {
            let fields: Vec<_> = (0..values.len())
                .filter(|index| shown & (1 << index) != 0)
                .map(|index| values[index])
                .collect();
            let reader = Reader::of(&request(&fields), NativeReaders::Auto);
            assert!(!(reader.stops_at_clean_ends && reader.gives_up_on_errors), "{fields:?}");
        }
    }
}
