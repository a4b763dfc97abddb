//! How a request becomes an event: payload format 2.0, as function URLs send it.
//!
//! ```text
//! GET /.well-known/mercure?match=a      {"version": "2.0", "rawPath": "/.well-known/mercure",
//! Cookie: a=1; b=2                  ──▶   "rawQueryString": "match=a", "cookies": ["a=1", "b=2"],
//! Accept: text/event-stream               "headers": {"accept": "text/event-stream", …}, …}
//! ```

use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, header};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// What the front knows about a request beyond the request itself.
pub(crate) struct Arrival {
    pub(crate) id: Uuid,
    pub(crate) trace: String,
    pub(crate) from: IpAddr,
    pub(crate) port: u16,
    pub(crate) time: SystemTime,
}

impl Arrival {
    pub(crate) fn new(from: IpAddr, port: u16, time: SystemTime) -> Self {
        let id = Uuid::new_v4();
        let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let random = Uuid::new_v4().simple().to_string();
        let trace = format!("Root=1-{seconds:08x}-{}", random.get(..24).unwrap_or_default());
        Self { id, trace, from, port, time }
    }
}

/// The event of a request.
pub(crate) fn event(request: &Parts, body: &[u8], arrival: &Arrival) -> Bytes {
    let path = request.uri.path();
    let query = request.uri.query().unwrap_or_default();
    let host = text(&request.headers, header::HOST.as_str());
    let now = arrival.time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers(&request.headers, arrival),
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "local",
            "domainName": host,
            "domainPrefix": host.split('.').next(),
            "http": {
                "method": request.method.as_str(),
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": arrival.from.to_string(),
                "userAgent": text(&request.headers, header::USER_AGENT.as_str()),
            },
            "requestId": arrival.id.to_string(),
            "routeKey": "$default",
            "stage": "$default",
            "time": time(arrival.time),
            "timeEpoch": u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
        },
        "isBase64Encoded": false,
    });
    if let Value::Object(event) = &mut event {
        let cookies = cookies(&request.headers);
        if !cookies.is_empty() {
            event.insert("cookies".to_owned(), cookies.into());
        }
        if !query.is_empty() {
            event.insert("queryStringParameters".to_owned(), parameters(query).into());
        }
        if !body.is_empty() {
            let (body, encoded) = encode(&request.headers, body);
            event.insert("body".to_owned(), body.into());
            event.insert("isBase64Encoded".to_owned(), encoded.into());
        }
    }
    Bytes::from(event.to_string())
}

/// Header fields: names in lower case, the values of a name joined. Cookies are kept elsewhere.
fn headers(fields: &HeaderMap, arrival: &Arrival) -> Map<String, Value> {
    let mut headers: Map<String, Value> = fields
        .keys()
        .filter(|name| **name != header::COOKIE && !is_for_this_connection(name.as_str()))
        .map(|name| (name.as_str().to_owned(), text(fields, name.as_str()).into()))
        .collect();
    for (name, value) in [
        ("x-forwarded-for", arrival.from.to_string()),
        ("x-forwarded-port", arrival.port.to_string()),
        ("x-forwarded-proto", "http".to_owned()),
        ("x-amzn-trace-id", arrival.trace.clone()),
    ] {
        headers.insert(name.to_owned(), value.into());
    }
    // As the template's CloudFront does: here too, one host serves both functions.
    if let Ok(secret) = std::env::var("ORIGIN_SECRET") {
        headers.insert("x-origin-verify".to_owned(), secret.into());
    }
    headers
}

fn is_for_this_connection(name: &str) -> bool {
    ["connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"].contains(&name)
}

/// All values of a field, joined with commas.
fn text(fields: &HeaderMap, name: &str) -> String {
    let values: Vec<_> = fields
        .get_all(name)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    values.join(",")
}

fn cookies(fields: &HeaderMap) -> Vec<String> {
    fields
        .get_all(header::COOKIE)
        .iter()
        .flat_map(|value| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            value.split(';').map(|cookie| cookie.trim().to_owned()).collect::<Vec<_>>()
        })
        .filter(|cookie| !cookie.is_empty())
        .collect()
}

/// Parameters, decoded, the values of a name joined. This loses information; the hub does not use
/// it.
fn parameters(query: &str) -> Map<String, Value> {
    let mut parameters = Map::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match parameters.get_mut(name.as_ref()) {
            Some(Value::String(values)) => {
                values.push(',');
                values.push_str(&value);
            }
            _ => {
                parameters.insert(name.into_owned(), value.into_owned().into());
            }
        }
    }
    parameters
}

/// The body, and whether it is in base64, as everything is that is not text, forms included.
fn encode(fields: &HeaderMap, body: &[u8]) -> (String, bool) {
    let kind = text(fields, header::CONTENT_TYPE.as_str()).to_ascii_lowercase();
    let is_text = kind.starts_with("text/")
        || ["application/json", "application/javascript", "application/xml"]
            .iter()
            .any(|text| kind.starts_with(text));
    match std::str::from_utf8(body) {
        Ok(body) if is_text => (body.to_owned(), false),
        _ => (STANDARD.encode(body), true),
    }
}

/// A time in the form `12/Mar/2020:19:03:58 +0000`.
fn time(time: SystemTime) -> String {
    // In the form `Thu, 12 Mar 2020 19:03:58 GMT`.
    let date = httpdate::fmt_http_date(time);
    let words: Vec<&str> = date.split(' ').collect();
    match words.as_slice() {
        [_, day, month, year, clock, _] => format!("{day}/{month}/{year}:{clock} +0000"),
        _ => date,
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use http::Request;

    use super::*;

    fn event_of(request: http::request::Builder, body: &[u8]) -> Value {
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let time = UNIX_EPOCH + Duration::from_millis(1_583_348_638_390);
        let arrival = Arrival::new(Ipv4Addr::LOCALHOST.into(), 8787, time);
        serde_json::from_slice(&event(&parts, body, &arrival)).unwrap()
    }

    #[test]
    fn path_and_query_stay_as_they_came() {
        let event = event_of(Request::get("/a%2Fb/%C3%A9?match=a%20b&match=c&x="), b"");
        assert_eq!(event["rawPath"], "/a%2Fb/%C3%A9");
        assert_eq!(event["rawQueryString"], "match=a%20b&match=c&x=");
        assert_eq!(event["queryStringParameters"], json!({"match": "a b,c", "x": ""}));
        assert_eq!(event["requestContext"]["http"]["method"], "GET");
        assert_eq!(event["requestContext"]["timeEpoch"], 1_583_348_638_390_u64);
        assert_eq!(event["requestContext"]["time"], "04/Mar/2020:19:03:58 +0000");
        assert_eq!(event["isBase64Encoded"], false);
        assert_eq!(event.get("body"), None);
    }

    #[test]
    fn fields_are_joined_and_cookies_apart() {
        let request = Request::get("/")
            .header("Host", "localhost:8787")
            .header("Accept", "a")
            .header("accept", "b")
            .header("Cookie", "one=1; two=2;")
            .header("Cookie", "three=3")
            .header("Last-Event-ID", "caf\u{e9}".as_bytes())
            .header("Connection", "close");
        let event = event_of(request, b"");
        assert_eq!(event["headers"]["accept"], "a,b");
        assert_eq!(event["headers"]["last-event-id"], "café");
        assert_eq!(event["cookies"], json!(["one=1", "two=2", "three=3"]));
        for absent in ["cookie", "connection"] {
            assert_eq!(event["headers"].get(absent), None);
        }
        assert_eq!(event["requestContext"]["domainName"], "localhost:8787");
        assert_eq!(event["headers"]["x-forwarded-for"], "127.0.0.1");
    }

    #[test]
    fn bodies_are_in_base64_unless_they_are_text() {
        let form = Request::post("/").header("Content-Type", "application/x-www-form-urlencoded");
        let form = event_of(form, b"topic=a");
        assert_eq!(
            (&form["body"], &form["isBase64Encoded"]),
            (&json!("dG9waWM9YQ=="), &json!(true))
        );
        let text = Request::post("/").header("Content-Type", "text/plain; charset=utf-8");
        let text = event_of(text, "é".as_bytes());
        assert_eq!((&text["body"], &text["isBase64Encoded"]), (&json!("é"), &json!(false)));
        let broken = Request::post("/").header("Content-Type", "application/json");
        assert_eq!(event_of(broken, b"\xff")["body"], "/w==");
    }
}
