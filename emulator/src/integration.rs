//! How a function's bytes become an answer, as function URLs do it.
//!
//! A streamed answer begins with its status and header fields as JSON, then eight zero bytes; a
//! buffered one is all JSON, body included.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::{Map, Value};

/// The content type of a streamed answer with a prelude.
pub(crate) const CONTENT_TYPE: &str = "application/vnd.awslambda.http-integration-response";

/// The longest prelude.
const MAX_PRELUDE: usize = 16 * 1024;

const SEPARATOR: &[u8] = &[0; 8];

/// Fields that come out under another name, because AWS sets or forbids them itself.
const REMAPPED: &[HeaderName] = &[
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::DATE,
    header::HOST,
    header::SERVER,
    header::USER_AGENT,
    header::WWW_AUTHENTICATE,
];

/// Fields that do not come out at all.
const DROPPED: &[HeaderName] = &[header::TRANSFER_ENCODING, header::TRAILER, header::UPGRADE];

/// Why a function's bytes are not an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed(&'static str);

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

/// Collects a prelude from the pieces of a stream.
#[derive(Default)]
pub(crate) struct Prelude {
    bytes: BytesMut,
}

impl Prelude {
    /// Takes a piece; once the prelude is complete, returns the head and the beginning of the body.
    pub(crate) fn push(
        &mut self,
        piece: &[u8],
    ) -> Result<Option<(Response<()>, Bytes)>, Malformed> {
        // The separator may have begun in the previous piece.
        let from = self.bytes.len().saturating_sub(SEPARATOR.len() - 1);
        self.bytes.extend_from_slice(piece);
        let unseen = self.bytes.get(from..).unwrap_or_default();
        let end = unseen.windows(SEPARATOR.len()).position(|window| window == SEPARATOR);
        let Some(end) = end.map(|end| from + end) else {
            return if self.bytes.len() > MAX_PRELUDE {
                Err(Malformed("the prelude does not end"))
            } else {
                Ok(None)
            };
        };
        let prelude = self.bytes.split_to(end);
        let _ = self.bytes.split_to(SEPARATOR.len());
        let Ok(Value::Object(prelude)) = serde_json::from_slice(&prelude) else {
            return Err(Malformed("the prelude is not a JSON object"));
        };
        let head = head(&prelude)?;
        Ok(Some((head, self.bytes.split().freeze())))
    }
}

/// Reads a buffered answer.
pub(crate) fn buffered(bytes: Bytes) -> Result<Response<Bytes>, Malformed> {
    let json: Option<Value> = serde_json::from_slice(&bytes).ok();
    let Some(Value::Object(answer)) = json.filter(|json| json.get("statusCode").is_some()) else {
        // Anything else is the body itself.
        let mut response = Response::new(bytes);
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        return Ok(response);
    };
    let body = match answer.get("body") {
        Some(Value::String(body)) if answer.get("isBase64Encoded") == Some(&Value::Bool(true)) => {
            STANDARD.decode(body).map_err(|_| Malformed("the body is not base64"))?.into()
        }
        Some(Value::String(body)) => Bytes::from(body.clone()),
        None | Some(Value::Null) => Bytes::new(),
        Some(body) => Bytes::from(body.to_string()),
    };
    Ok(head(&answer)?.map(|()| body))
}

fn head(answer: &Map<String, Value>) -> Result<Response<()>, Malformed> {
    let status = answer
        .get("statusCode")
        .map_or(Some(200), |code| code.as_u64().and_then(|code| u16::try_from(code).ok()))
        .and_then(|code| StatusCode::from_u16(code).ok())
        .ok_or(Malformed("`statusCode` is not a status"))?;
    let mut response = Response::new(());
    *response.status_mut() = status;
    let fields = response.headers_mut();
    for (name, value) in answer.get("headers").and_then(Value::as_object).into_iter().flatten() {
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| Malformed("`headers` has an invalid name"))?;
        if DROPPED.contains(&name) {
            continue;
        }
        let name = if REMAPPED.contains(&name) { remapped(&name)? } else { name };
        let values = match value {
            Value::Array(values) => values.as_slice(),
            one => std::slice::from_ref(one),
        };
        for value in values {
            fields.append(&name, field(value)?);
        }
    }
    for cookie in answer.get("cookies").and_then(Value::as_array).into_iter().flatten() {
        fields.append(header::SET_COOKIE, field(cookie)?);
    }
    if !fields.contains_key(header::CONTENT_TYPE) {
        fields.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    Ok(response)
}

fn remapped(name: &HeaderName) -> Result<HeaderName, Malformed> {
    HeaderName::try_from(format!("x-amzn-remapped-{name}"))
        .map_err(|_| Malformed("a field's name is too long"))
}

fn field(value: &Value) -> Result<HeaderValue, Malformed> {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    HeaderValue::from_bytes(text.as_bytes()).map_err(|_| Malformed("a field's value is invalid"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRELUDE: &[u8] = br#"{"statusCode":401,"headers":{"www-authenticate":"Bearer","link":["<a>","<b>"]},"cookies":["a=1","b=2"]}"#;

    #[test]
    fn a_prelude_ends_wherever_pieces_do() {
        let stream = [PRELUDE, SEPARATOR, b"body"].concat();
        for size in 1..=stream.len() {
            let mut prelude = Prelude::default();
            let mut body = Vec::new();
            let mut head = None;
            for piece in stream.chunks(size) {
                if head.is_some() {
                    body.extend_from_slice(piece);
                } else if let Some((response, rest)) = prelude.push(piece).unwrap() {
                    head = Some(response);
                    body.extend_from_slice(&rest);
                }
            }
            let head = head.unwrap();
            assert_eq!(head.status(), 401);
            assert_eq!(body, b"body");
        }
    }

    #[test]
    fn some_fields_come_out_under_another_name() {
        let stream = [PRELUDE, SEPARATOR].concat();
        let (head, _) = Prelude::default().push(&stream).unwrap().unwrap();
        let fields = head.headers();
        assert_eq!(fields["x-amzn-remapped-www-authenticate"], "Bearer");
        assert!(!fields.contains_key("www-authenticate"));
        assert_eq!(fields.get_all("link").iter().count(), 2);
        assert_eq!(fields.get_all("set-cookie").iter().count(), 2);
    }

    #[test]
    fn bytes_that_are_not_a_prelude_are_refused() {
        let push = |bytes: &[u8]| Prelude::default().push(bytes).map(|_| ());
        assert!(push(&[b"[]", SEPARATOR].concat()).is_err());
        assert!(push(&[br#"{"statusCode":99}"#, SEPARATOR].concat()).is_err());
        assert!(push(&[b' '; MAX_PRELUDE + 1]).is_err());
        assert!(push(b"{").is_ok());
    }

    #[test]
    fn a_buffered_answer_is_json_or_a_body() {
        let answer = buffered(Bytes::from_static(
            br#"{"statusCode":201,"headers":{"x-a":1},"body":"aGk=","isBase64Encoded":true}"#,
        ))
        .unwrap();
        assert_eq!((answer.status().as_u16(), answer.body().as_ref()), (201, &b"hi"[..]));
        assert_eq!(answer.headers()["x-a"], "1");
        let plain = buffered(Bytes::from_static(b"\"hello\"")).unwrap();
        assert_eq!((plain.status().as_u16(), plain.body().as_ref()), (200, &b"\"hello\""[..]));
    }
}
