//! `token`: an access token, whose JOSE header is the first line and whose claims are the rest,
//! signed here; if the first line is empty, the rest is presented as it is.

use serde_json::{Map, Value};

use super::hub::{self, HUB, ISSUER, NOW, OPEN, PUBLISHER, SUBSCRIBER, Watched};

const TOPICS: [&str; 2] = ["/a", "https://example.com/users/1"];

pub(crate) fn run(bytes: &[u8]) {
    let split = bytes.iter().position(|&byte| byte == b'\n').unwrap_or(bytes.len());
    let (header, claims) = (&bytes[..split], bytes.get(split + 1..).unwrap_or_default());
    if header.is_empty() {
        return unsigned(claims);
    }
    let rules = Rules::of(header, claims);

    let token = hub::sign(header, claims, PUBLISHER);
    for topic in TOPICS {
        let form = format!("topic={}", hub::encoded(topic));
        match hub::publish(form.as_bytes(), &token, &OPEN) {
            Ok(_) => assert!(rules.allows("publish", topic), "{topic}"),
            Err(answer) => assert!(matches!(answer.response.status().as_u16(), 401 | 403)),
        }
    }

    let token = hub::sign(header, claims, SUBSCRIBER);
    match hub::subscribe("match=*", Some(&token), &OPEN) {
        Ok(subscribe) => {
            assert!(rules.are_kept(), "a token is valid against a rule");
            let mut hub = Watched::new();
            let stream = hub.open(subscribe);
            let left = rules.expires.map(|expires| expires * 1000.0 - NOW.as_millis() as f64);
            if hub.holder.streams() == 0 {
                assert!(left.is_some_and(|left| left <= 1_000.0), "it ends too early");
                return;
            }
            let public = hub::update(TOPICS[0], false).expect("an update");
            assert_eq!(hub.append(public).0, [stream]);
            for topic in TOPICS {
                let private = hub::update(topic, true).expect("an update");
                if !hub.append(private).0.is_empty() {
                    assert!(rules.allows("subscribe", topic), "{topic}");
                }
            }
            let ends = hub.holder.poll_timeout().expect("a stream has a wake-up");
            let ends = ends.since(NOW).as_millis() as f64;
            assert!(left.is_none_or(|left| ends <= left), "it ends too late");
        }
        Err(answer) => {
            assert_eq!(answer.response.status(), 401);
            assert!(answer.response.headers().contains_key("www-authenticate"));
        }
    }
}

/// No one guesses a signature.
fn unsigned(token: &[u8]) {
    let Ok(token) = std::str::from_utf8(token) else { return };
    // A client cannot send a line break in a field.
    if http::HeaderValue::from_str(token).is_err() {
        return;
    }
    for admitted in [
        hub::publish(b"topic=a", token, &OPEN).map(|_| ()),
        hub::subscribe("match=a", Some(token), &OPEN).map(|_| ()),
    ] {
        let answer = admitted.expect_err("a token without a signature");
        assert!(matches!(answer.response.status().as_u16(), 400 | 401));
    }
}

/// What draft-08, "Token Validation", asks of these parts, written a second time.
struct Rules {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    expires: Option<f64>,
}

impl Rules {
    fn of(header: &[u8], claims: &[u8]) -> Self {
        let object = |json: &[u8]| serde_json::from_slice::<Map<String, Value>>(json);
        let claims = object(claims).unwrap_or_default();
        let expires = claims.get("exp").and_then(Value::as_f64);
        Self { header: object(header).unwrap_or_default(), claims, expires }
    }

    fn is_modern(&self) -> bool {
        let typ = self.header.get("typ").and_then(Value::as_str).unwrap_or_default();
        ["at+jwt", "application/at+jwt"].iter().any(|modern| typ.eq_ignore_ascii_case(modern))
    }

    fn are_kept(&self) -> bool {
        let now = NOW.as_millis() as f64 / 1000.0;
        let starts = self.claims.get("nbf").and_then(Value::as_f64);
        let named = |claim: &str, name: &str| match self.claims.get(claim) {
            Some(Value::Array(values)) if claim == "aud" => {
                values.iter().any(|value| value == name)
            }
            value => value.is_some_and(|value| value == name),
        };
        let always = self.header.get("alg").is_some_and(|alg| alg == "HS256")
            && !self.header.contains_key("crit")
            && self.expires.is_none_or(|expires| expires > now)
            && starts.is_none_or(|starts| starts < now + 0.001);
        let modern = self.expires.is_some() && named("iss", ISSUER) && named("aud", HUB);
        always && (modern || !self.is_modern())
    }

    /// Whether a valid token may grant this: never more than its texts name, as far as can be told
    /// without matching.
    fn allows(&self, action: &str, topic: &str) -> bool {
        let selects =
            |text: &str| text == "*" || text == topic || text.contains(['{', ':', '*', '(', '/']);
        let granted = if self.is_modern() {
            let details = self.claims.get("authorization_details").and_then(Value::as_array);
            details.into_iter().flatten().any(|detail| {
                let list = |name: &str| detail.get(name).and_then(Value::as_array);
                detail["type"] == "https://mercure.rocks/authorization-detail"
                    && list("actions").is_some_and(|actions| actions.iter().any(|it| it == action))
                    && list("topics").into_iter().flatten().any(|matcher| {
                        let text = matcher["match"].as_str().unwrap_or_default();
                        if matcher.get("match_type").is_some_and(|kind| kind == "urlpattern") {
                            selects(text)
                        } else {
                            text == "*" || text == topic
                        }
                    })
            })
        } else {
            let claim = ["mercure", "https://mercure.rocks/"]
                .iter()
                .find_map(|name| self.claims.get(*name));
            let selectors = claim.and_then(|claim| claim.get(action)).and_then(Value::as_array);
            selectors
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .any(|text| text == "*" || text == topic || text.contains('{'))
        };
        granted && self.are_kept()
    }
}
