//! What is known of the client behind a stream.
//!
//! A browser's own `EventSource` parses streams as the standard says, and never reconnects after a
//! status other than 200. The libraries that other readers use may take a blank line, a lone
//! `retry:` or a network chunk for an event. So the two are told apart, by header fields that
//! scripts in a browser cannot set.

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

/// How a reader is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reader {
    /// It is a browser's own `EventSource`: it is told its position.
    pub(crate) native: bool,
    /// A 200 that asks it to come back serves it better than a 503, which would be final.
    pub(crate) gives_up_on_errors: bool,
}

impl Reader {
    pub(crate) fn of(request: &Request, native_readers: NativeReaders) -> Self {
        let signs = Signs::of(request);
        // `EventSource` cannot set `Authorization`.
        let own_token = request.header_values("authorization").next().is_some();
        let native = match native_readers {
            NativeReaders::Always => true,
            NativeReaders::Never => false,
            NativeReaders::Auto => {
                signs.in_browser && signs.no_cache && signs.events_only && !own_token
            }
        };
        Self { native, gives_up_on_errors: signs.gives_up_on_errors() }
    }
}

/// What a request shows of its sender.
pub(crate) struct Signs {
    in_browser: bool,
    no_cache: bool,
    events_only: bool,
}

impl Signs {
    pub(crate) fn of(request: &Request) -> Self {
        Self {
            in_browser: request.header("sec-fetch-mode").is_some(),
            no_cache: request
                .header("cache-control")
                .is_some_and(|value| value.to_ascii_lowercase().contains("no-cache")),
            events_only: request
                .header("accept")
                .is_some_and(|value| value.trim().eq_ignore_ascii_case("text/event-stream")),
        }
    }

    /// See [`Reader`].
    pub(crate) fn gives_up_on_errors(&self) -> bool {
        if self.in_browser { self.no_cache } else { self.events_only }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(fields: &[(&str, &str)], native_readers: NativeReaders) -> Reader {
        let fields = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
        Reader::of(&Request::new("GET", "https://hub.example/", fields), native_readers)
    }

    const EVENT_SOURCE: [(&str, &str); 3] = [
        ("Sec-Fetch-Mode", "cors"),
        ("Cache-Control", "no-cache"),
        ("Accept", "text/event-stream"),
    ];

    #[test]
    fn an_event_source_is_native() {
        let expected = Reader { native: true, gives_up_on_errors: true };
        assert_eq!(reader(&EVENT_SOURCE, NativeReaders::Auto), expected);
        assert!(!reader(&EVENT_SOURCE, NativeReaders::Never).native);
        assert!(reader(&[], NativeReaders::Always).native);
    }

    #[test]
    fn each_sign_is_needed() {
        for left_out in 0..EVENT_SOURCE.len() {
            let mut fields = EVENT_SOURCE.to_vec();
            fields.remove(left_out);
            assert!(!reader(&fields, NativeReaders::Auto).native, "{fields:?}");
        }
        let mut with_token = EVENT_SOURCE.to_vec();
        with_token.push(("Authorization", "Bearer x"));
        assert!(!reader(&with_token, NativeReaders::Auto).native);
    }

    #[test]
    fn who_gives_up_on_errors() {
        let gives_up =
            |fields: &[(&str, &str)]| reader(fields, NativeReaders::Auto).gives_up_on_errors;
        // On plain http, browsers send no `Sec-Fetch-Mode`.
        assert!(gives_up(&EVENT_SOURCE[1..]));
        assert!(gives_up(&[("Accept", "text/event-stream")]));
        assert!(!gives_up(&[("Accept", "*/*")]));
        // A wrapper of `fetch` takes a clean end for final.
        assert!(!gives_up(&[("Sec-Fetch-Mode", "cors"), ("Accept", "text/event-stream")]));
    }
}
