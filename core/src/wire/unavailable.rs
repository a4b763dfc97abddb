//! What a hub answers when it cannot serve: because the holder of the log is full, restarting or
//! out of reach, or because the hub has no configuration.
//!
//! A browser's `EventSource` never reconnects after a status other than 200. So for a passing
//! failure it is given a 200 whose stream asks it to come back, and ends; everybody else is told
//! the truth, 503.

use std::time::Duration;

use http::{Method, StatusCode};

use crate::wire::answer::{Answer, finish, stream_fields};
use crate::wire::cors::Cors;
use crate::wire::reader::{NativeReaders, Reader};
use crate::wire::refusal::Refusal;
use crate::wire::request::Request;
use crate::wire::{retry, sse};

/// 503 with `Retry-After`.
pub(crate) fn unavailable(cors: &Cors) -> Answer {
    Refusal::Unavailable.into_answer(cors)
}

/// A stream with this head that asks its reader to come back after `retry`, and ends after `hold`; a
/// native reader is told again the cursor that it came with.
pub(crate) fn come_back(
    head: http::Response<()>,
    cursor: Option<&str>,
    retry: Duration,
    hold: Duration,
) -> Answer {
    let response = head.map(|()| sse::come_back(cursor, retry).to_vec());
    Answer { hold, ..response.into() }
}

/// The answer to a hub that may follow this one, which cannot lead just now.
#[must_use]
pub fn link_unavailable() -> Answer {
    // No page follows a hub.
    unavailable(&Cors::none())
}

/// The answer to a hub that would follow this one, and came by a connection that cannot become a WebSocket.
#[must_use]
pub fn link_impossible() -> Answer {
    Refusal::NotAWebSocket.into_answer(&Cors::none())
}

/// The answer on every path of a hub whose configuration is broken. The reason is for the log.
#[must_use]
pub fn misconfigured() -> Answer {
    Refusal::Misconfigured.into_answer(&Cors::none())
}

/// The answer on every path of a hub that cannot load its configuration just now. Pages of every
/// origin may read it, since it reveals nothing private. `entropy` must be fresh random bytes.
#[must_use]
pub fn unconfigured(request: &Request, entropy: &[u8; 8]) -> Answer {
    passing(request, &Cors::open_to(request), entropy)
}

/// The answer to a request of which so little is known that all depends on who sent it: to an
/// `EventSource`, a stream that asks it to come back.
pub(crate) fn passing(request: &Request, cors: &Cors, entropy: &[u8; 8]) -> Answer {
    let reader = Reader::of(request, NativeReaders::Auto);
    if request.method() != Method::GET.as_str() || !reader.gives_up_on_errors {
        return unavailable(cors);
    }
    let [a, b, c, d, rest @ ..] = *entropy;
    let head = finish(StatusCode::OK, stream_fields(), cors);
    come_back(head, None, retry::wait(false, [a, b, c, d]), retry::hold(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(method: &str, fields: &[(&str, &str)]) -> Answer {
        let fields = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
        let request = Request::new(method, "https://hub.example/x", fields);
        unconfigured(&request, &[0, 0, 0, 7, 0, 0, 0, 9])
    }

    #[test]
    fn without_a_configuration_an_event_source_comes_back_and_others_are_told() {
        let event_source = [
            ("accept", "text/event-stream"),
            ("cache-control", "no-cache"),
            ("sec-fetch-mode", "cors"),
            ("sec-fetch-site", "cross-site"),
        ];
        let Answer { response, hold, log } = answer("GET", &event_source);
        assert_eq!(
            (response.status(), response.body().as_slice()),
            (StatusCode::OK, &b":\nretry: 2007\n"[..])
        );
        assert_eq!(response.headers()["access-control-allow-origin"], "*");
        assert_eq!((hold, log), (Duration::from_millis(2_009), None));
        assert_eq!(answer("GET", &event_source[..1]).response.status(), StatusCode::OK);
        for told in [answer("POST", &event_source), answer("GET", &[("accept", "*/*")])] {
            assert_eq!(told.response.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert!(told.response.headers().contains_key("retry-after"));
            assert_eq!(told.hold, Duration::ZERO);
        }
    }
}
