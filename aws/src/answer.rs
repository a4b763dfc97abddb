//! From the core's responses to Lambda's.

use std::time::Duration;

use bytes::Bytes;
use cinnabar_core::{Response, Unavailable};
use http::{HeaderMap, HeaderValue, StatusCode};
use lambda_runtime::{MetadataPrelude, StreamResponse};

use crate::body::{Body, Reader};

/// A response on its way to Lambda: all are streamed, for a function answers in one way.
pub type Answer = StreamResponse<Body>;

/// A response with all of its body.
pub(crate) fn whole(response: Response) -> Answer {
    let (parts, body) = response.into_parts();
    let body = Some(Bytes::from(body)).filter(|body| !body.is_empty());
    answer(parts.status, &parts.headers, Body::Whole(body))
}

/// A response whose body is a stream.
pub(crate) fn streamed(head: &http::Response<()>, reader: Reader) -> Answer {
    answer(head.status(), head.headers(), Body::Stream(reader))
}

/// The answer for a passing failure, whose end may have to wait.
pub(crate) fn unavailable(unavailable: Unavailable) -> Answer {
    if unavailable.hold == Duration::ZERO {
        return whole(unavailable.response);
    }
    let (parts, body) = unavailable.response.into_parts();
    let body = Body::Held(Some(body.into()), unavailable.hold, None);
    answer(parts.status, &parts.headers, body)
}

fn answer(status_code: StatusCode, fields: &HeaderMap, stream: Body) -> Answer {
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
        let mut response = Response::new(Vec::new());
        let value = HeaderValue::from_bytes("é".as_bytes()).unwrap();
        response.headers_mut().insert("x-name", value);
        for value in ["a", "b"] {
            response.headers_mut().append("vary", HeaderValue::from_static(value));
        }
        let prelude = serde_json::to_value(whole(response).metadata_prelude).unwrap();
        assert_eq!(prelude["headers"], serde_json::json!({"vary": "a, b"}));
        assert_eq!(prelude["statusCode"], 200);
    }
}
