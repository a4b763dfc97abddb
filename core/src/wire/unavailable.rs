//! Passing failures: the holder of the log is full, restarting, or out of reach.
//!
//! A browser's `EventSource` never comes back after a status other than 200. So it is given a 200
//! whose stream asks it to come back, and ends; all others are told the truth, 503.

use std::time::Duration;

use http::{Method, StatusCode};

use crate::command::subscribe;
use crate::wire::answer::{Response, finish};
use crate::wire::cors::Cors;
use crate::wire::reader::Signs;
use crate::wire::refusal::Refusal;
use crate::wire::request::Request;
use crate::wire::sse;

/// How long a stream that asks its reader to come back stays open: some readers reconnect at
/// once, whatever they are told.
const HOLD: Duration = Duration::from_secs(1);

/// When the reader of a hub without a configuration is to come back.
const RETRY: Duration = Duration::from_secs(5);

/// The answer to a request that cannot be served just now.
#[derive(Clone, Debug)]
pub struct Unavailable {
    /// The answer; its body is to be sent at once.
    pub response: Response,
    /// How long to wait between the body and its end.
    pub hold: Duration,
}

impl Unavailable {
    /// 503 with `Retry-After`.
    pub(crate) fn refused(cors: &Cors) -> Self {
        Self { response: Refusal::Unavailable.into_answer(cors).response, hold: Duration::ZERO }
    }

    /// A stream that asks its reader to come back.
    pub(crate) fn come_back(response: Response) -> Self {
        Self { response, hold: HOLD }
    }
}

/// The answer on every path of a hub that cannot get at its configuration just now. It says
/// nothing that is not for all.
#[must_use]
pub fn unconfigured(request: &Request) -> Unavailable {
    let cors = Cors::open_to(request);
    if request.method() != Method::GET.as_str() || !Signs::of(request).gives_up_on_errors() {
        return Unavailable::refused(&cors);
    }
    let head = finish(StatusCode::OK, subscribe::stream_fields(), &cors);
    Unavailable::come_back(head.map(|()| sse::come_back(None, RETRY).to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(method: &str, fields: &[(&str, &str)]) -> Response {
        let fields = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
        unconfigured(&Request::new(method, "https://hub.example/x", fields)).response
    }

    #[test]
    fn without_a_configuration_an_event_source_comes_back_and_others_are_told() {
        let event_source = [
            ("accept", "text/event-stream"),
            ("cache-control", "no-cache"),
            ("sec-fetch-mode", "cors"),
        ];
        let asked = answer("GET", &event_source);
        assert_eq!(
            (asked.status(), asked.body().as_slice()),
            (StatusCode::OK, &b":\nretry: 5000\n\n"[..])
        );
        assert_eq!(asked.headers()["access-control-allow-origin"], "*");
        assert_eq!(answer("GET", &event_source[..1]).status(), StatusCode::OK);
        for told in [answer("POST", &event_source), answer("GET", &[("accept", "*/*")])] {
            assert_eq!(told.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert!(told.headers().contains_key("retry-after"));
        }
    }
}
