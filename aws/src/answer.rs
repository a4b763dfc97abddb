//! From the hub's responses to Lambda's.

use cinnabar_runtime::{Body, answer};
use http::{HeaderMap, HeaderValue, Response};
use lambda_runtime::{MetadataPrelude, StreamResponse};

/// A response on its way to Lambda. All are streamed, since a function can only answer in one way.
pub type Answer = StreamResponse<Body>;

/// The response of an answer. Where a streamed response has no body, others have seen it stay open
/// until the function's time was over.
pub(crate) fn whole(answer: cinnabar_core::Answer) -> Response<Body> {
    answer::whole(answer.with_body())
}

/// Turns a response into Lambda's form.
pub(crate) fn streamed(response: Response<Body>) -> Answer {
    let (parts, stream) = response.into_parts();
    let metadata_prelude = MetadataPrelude {
        status_code: parts.status,
        headers: prelude(&parts.headers),
        cookies: Vec::new(),
    };
    StreamResponse { metadata_prelude, stream }
}

/// The fields as Lambda can pass them on, in JSON: one value per name, and only ASCII. It would
/// turn any other value into an empty list, so such a field is left out.
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

    #[tokio::test]
    async fn every_answer_has_a_body() {
        let mut empty = Response::new(Vec::new());
        *empty.status_mut() = http::StatusCode::NO_CONTENT;
        let mut answer = streamed(whole(empty.into()));
        assert_eq!(answer.metadata_prelude.status_code, 200);
        assert_eq!(answer.stream.next().await.unwrap(), "\n");
    }

    #[test]
    fn fields_are_what_json_can_hold() {
        let mut response = Response::new(Body::whole(Vec::new()));
        let value = HeaderValue::from_bytes("é".as_bytes()).unwrap();
        response.headers_mut().insert("x-name", value);
        for value in ["a", "b"] {
            response.headers_mut().append("vary", HeaderValue::from_static(value));
        }
        let prelude = serde_json::to_value(streamed(response).metadata_prelude).unwrap();
        assert_eq!(prelude["headers"], serde_json::json!({"vary": "a, b"}));
        assert_eq!(prelude["statusCode"], 200);
    }
}
