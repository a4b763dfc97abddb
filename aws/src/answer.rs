//! From the core's answers to Lambda's responses.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use lambda_runtime::{MetadataPrelude, StreamResponse};

use crate::body::{Body, Reader};

/// A response on its way to Lambda: all are streamed, for a function answers in one way.
pub type Answer = StreamResponse<Body>;

/// An answer of the core's, but for its line of the log.
pub(crate) fn whole(answer: cinnabar_core::Answer) -> Answer {
    let (parts, body) = answer.response.into_parts();
    let body = Some(Bytes::from(body)).filter(|body| !body.is_empty());
    let body = if answer.hold > Duration::ZERO {
        Body::Held(body, answer.hold, None)
    } else {
        Body::Whole(body)
    };
    respond(parts.status, &parts.headers, body)
}

/// A response whose body is a stream.
pub(crate) fn streamed(head: &http::Response<()>, reader: Reader) -> Answer {
    respond(head.status(), head.headers(), Body::Stream(reader))
}

fn respond(status_code: StatusCode, fields: &HeaderMap, stream: Body) -> Answer {
    let metadata_prelude =
        MetadataPrelude { status_code, headers: prelude(fields), cookies: Vec::new() };
    StreamResponse { metadata_prelude, stream }
}

/// The fields as the runtime can pass them on, in JSON: one value a name, and ASCII alone. It
/// would turn any other value into an empty list, so such a field is left out.
fn prelude(fields: &HeaderMap) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for name in fields.keys() {
        let values: Vec<&str> =
            fields.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
        if let (false, Ok(value)) = (values.is_empty(), HeaderValue::from_str(&values.join(", "))) {
            headers.insert(name, value);
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_what_json_can_hold() {
        let mut response = cinnabar_core::Response::new(Vec::new());
        let value = HeaderValue::from_bytes("é".as_bytes()).unwrap();
        response.headers_mut().insert("x-name", value);
        for value in ["a", "b"] {
            response.headers_mut().append("vary", HeaderValue::from_static(value));
        }
        let prelude = serde_json::to_value(whole(response.into()).metadata_prelude).unwrap();
        assert_eq!(prelude["headers"], serde_json::json!({"vary": "a, b"}));
        assert_eq!(prelude["statusCode"], 200);
    }
}
