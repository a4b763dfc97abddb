//! How a token is presented, in `Authorization` or in a cookie, and which one counts.

use serde_json::json;

use crate::arguments::Capability;
use crate::case::{Case, case};
use crate::form;
use crate::http::{Request, Response};
use crate::hub::{Hub, fresh};
use crate::launch::Variables;
use crate::token::{Generation, base64, header_v0, sign};

pub(crate) const CASES: &[Case] = &[
    case!(the_scheme_is_compared_in_any_case),
    case!(a_malformed_authorization_is_400_whatever_the_cookies),
    case!(a_password_for_somebody_else_is_no_token),
    case!(a_token_is_found_behind_a_password).needing(&[Capability::Cookies]),
    case!(what_is_no_token_is_invalid),
    case!(an_invalid_token_is_401_although_none_is_needed),
    case!(both_cookies_are_read).needing(&[Capability::Cookies]),
    case!(the_header_counts_before_cookies).needing(&[Capability::Cookies]),
    case!(the_new_cookie_counts_before_the_old).needing(&[Capability::Cookies]),
    case!(the_first_of_two_cookies_counts_without_quotes).needing(&[Capability::Cookies]),
    case!(the_name_of_the_cookie_is_configured on RENAMED).needing(&[Capability::Cookies]),
    case!(each_role_has_its_key),
];

const RENAMED: Variables =
    &[("COOKIE_NAME", "hub_token"), ("AUDIENCES", "https://public.example/.well-known/mercure")];

const COOKIE: &str = "__Secure-mercure_access_token";
const OLD_COOKIE: &str = "mercureAuthorization";

fn subscription(hub: &Hub) -> Request {
    hub.subscription(&[("match", "a")])
}

fn valid(hub: &Hub) -> String {
    hub.subscriber(Generation::V0, &["*"])
}

#[track_caller]
fn opens(request: &Request) {
    request.open();
}

#[track_caller]
fn invalid(request: &Request) -> Response {
    request.send().expect_challenge(401, Some("invalid_token"))
}

// RFC 9110, section 11.1
fn the_scheme_is_compared_in_any_case(hub: &Hub) {
    for scheme in ["Bearer", "bearer", "BEARER"] {
        opens(&subscription(hub).header("Authorization", format!("{scheme} {}", valid(hub))));
        let token = hub.anyone();
        hub.publication(&[("topic", &fresh("a"))])
            .header("Authorization", format!("{scheme} {token}"))
            .send()
            .expect_status(200);
    }
}

// draft-08, "Error Responses": the presentation of the token is malformed
fn a_malformed_authorization_is_400_whatever_the_cookies(hub: &Hub) {
    let good = valid(hub);
    for value in [
        "Bearer".to_owned(),
        "Token dXNlcjpwYXNzd29yZA==".to_owned(),
        good.clone(),
        format!("Bearer:{good}"),
        format!("Bearer {good} {good}"),
        format!("Bearer {good}, Bearer {good}"),
        format!("Bearer \"{good}\""),
        "Bearer é".to_owned(),
    ] {
        subscription(hub)
            .header("Authorization", &value)
            .cookie(COOKIE, &good)
            .send()
            .expect_challenge(400, Some("invalid_request"));
        hub.publication(&[("topic", &fresh("a"))])
            .header("Authorization", &value)
            .cookie(COOKIE, &hub.anyone())
            .header("Origin", hub.endpoint.origin())
            .send()
            .expect_challenge(400, Some("invalid_request"));
    }
    subscription(hub)
        .bearer(&good)
        .bearer(&good)
        .send()
        .expect_challenge(400, Some("invalid_request"));
}

const PASSWORDS: [&str; 4] = [
    "Basic dXNlcjpwYXNzd29yZA==",
    "Digest username=\"user\", realm=\"a, b\", nonce=\"c\", uri=\"/\", response=\"d\"",
    "Negotiate YTpi",
    "NTLM YTpi",
];

// Browsers send the password that a proxy in front of the hub asked for with every request.
fn a_password_for_somebody_else_is_no_token(hub: &Hub) {
    for password in PASSWORDS {
        opens(&subscription(hub).header("Authorization", password));
        hub.publication(&[("topic", &fresh("a"))])
            .header("Authorization", password)
            .send()
            .expect_challenge(401, None);
        let query = [("match", "a"), ("authorization", "bad")];
        invalid(&hub.subscription(&query).header("Authorization", password));
    }
}

fn a_token_is_found_behind_a_password(hub: &Hub) {
    for password in PASSWORDS {
        invalid(&subscription(hub).header("Authorization", password).cookie(COOKIE, "bad"));
        hub.publication(&[("topic", &fresh("a"))])
            .header("Authorization", password)
            .cookie(COOKIE, &hub.anyone())
            .header("Origin", hub.endpoint.origin())
            .send()
            .expect_status(200);
    }
}

fn what_is_no_token_is_invalid(hub: &Hub) {
    let key = &hub.keys.publisher;
    let good = hub.anyone();
    let (signed, signature) = good.rsplit_once('.').expect("a token has three parts");
    let claims = json!({"mercure": {"publish": ["*"]}});
    let other_bit = if signature.starts_with('A') { "B" } else { "A" };
    for token in [
        "x".to_owned(),
        "a.b".to_owned(),
        "..".to_owned(),
        "a.b.c".to_owned(),
        format!("{good}.x"),
        format!("{good}="),
        signed.to_owned(),
        format!("{signed}."),
        format!("{signed}.{}", &signature[1..]),
        format!("{signed}.{other_bit}{}", &signature[1..]),
        sign(&header_v0(), &claims, "another key, which no hub knows of"),
        sign(&header_v0(), &json!([]), key),
        sign(&header_v0(), &json!(null), key),
        sign(&json!("HS256"), &claims, key),
        sign(&json!({"typ": "JWT"}), &claims, key),
        // The signature is not of the algorithm that the header names.
        sign(&json!({"alg": "none"}), &claims, key),
        sign(&json!({"alg": "HS384", "typ": "JWT"}), &claims, key),
        sign(&json!({"alg": "HS512", "typ": "JWT"}), &claims, key),
        sign(&json!({"alg": "RS256", "typ": "JWT"}), &claims, key),
        sign(&json!({"alg": "hs256", "typ": "JWT"}), &claims, key),
        sign(&json!({"alg": ["HS256"], "typ": "JWT"}), &claims, key),
        sign(&json!({"alg": "HS256", "crit": ["x"], "x": 1}), &claims, key),
        // RFC 7515, section 4.1.9: a type is a string.
        sign(&json!({"alg": "HS256", "typ": ["at+jwt"]}), &claims, key),
        sign(&json!({"alg": "HS256", "typ": null}), &claims, key),
        crate::token::sign_bytes(
            header_v0().to_string(),
            r#"{"mercure":{"publish":["*"]},"name":"Jos\ud83d"}"#,
            key,
        ),
        format!("{}.{}.", base64(json!({"alg": "none"}).to_string()), base64(claims.to_string())),
        crate::token::sign_bytes("{", claims.to_string(), key),
        crate::token::sign_bytes(header_v0().to_string(), "{\"mercure\":", key),
        crate::token::sign_bytes(header_v0().to_string(), b"{\"mercure\":\"\xFF\"}", key),
    ] {
        invalid(&hub.publication(&[("topic", &fresh("a"))]).bearer(&token));
    }
    // draft-08, "Token Validation": key material in the token itself is never used
    let own_key = "a key that the token brings along with it";
    let header = json!({
        "alg": "HS256",
        "jwk": {"kty": "oct", "k": base64(own_key)},
        "jku": "https://example.com/jwks.json",
    });
    let token = sign(&header, &claims, own_key);
    invalid(&hub.publication(&[("topic", &fresh("a"))]).bearer(&token));
}

// "Statuses": even if anonymous subscribers are allowed, and even from a cookie
fn an_invalid_token_is_401_although_none_is_needed(hub: &Hub) {
    opens(&subscription(hub));
    invalid(&subscription(hub).bearer("a.b.c"));
    invalid(&subscription(hub).native().bearer("a.b.c"));
    if hub.has(Capability::Cookies) {
        invalid(&subscription(hub).cookie(COOKIE, "a.b.c"));
        invalid(&subscription(hub).cookie(OLD_COOKIE, "a.b.c"));
    }
}

fn both_cookies_are_read(hub: &Hub) {
    let topic = fresh("private");
    for (name, generation) in [
        (COOKIE, Generation::V1),
        (OLD_COOKIE, Generation::V0),
        // The cookie's name says nothing about the token's kind.
        (COOKIE, Generation::V0),
        (OLD_COOKIE, Generation::V1),
    ] {
        let mut stream = hub
            .subscription(&[("match", &topic)])
            .cookie(name, &hub.subscriber(generation, &[&topic]))
            .open();
        hub.publish(&[("topic", &topic), ("private", "on"), ("data", "secret")]);
        stream.expect_data("secret");
    }
}

// draft-08, "Presenting the Access Token"
fn the_header_counts_before_cookies(hub: &Hub) {
    let good = valid(hub);
    opens(&subscription(hub).bearer(&good).cookie(COOKIE, "bad"));
    invalid(&subscription(hub).bearer("bad").cookie(COOKIE, &good));
}

fn the_new_cookie_counts_before_the_old(hub: &Hub) {
    let good = valid(hub);
    let cookies = |new: &str, old: &str| {
        subscription(hub).header("Cookie", format!("{OLD_COOKIE}={old}; {COOKIE}={new}; a=b"))
    };
    opens(&cookies(&good, "bad"));
    // The hub does not fall back to the next one.
    invalid(&cookies("bad", &good));
}

fn the_first_of_two_cookies_counts_without_quotes(hub: &Hub) {
    let good = valid(hub);
    let cookies = |value: String| subscription(hub).header("Cookie", value);
    opens(&cookies(format!("{COOKIE}={good}; {COOKIE}=bad")));
    invalid(&cookies(format!("{COOKIE}=bad; {COOKIE}={good}")));
    opens(&cookies(format!("a=b;{COOKIE}=\"{good}\";c")));
    opens(&cookies(format!("x{COOKIE}=bad; {}=bad", COOKIE.to_lowercase())));
}

fn the_name_of_the_cookie_is_configured(hub: &Hub) {
    invalid(&subscription(hub).cookie("hub_token", "bad"));
    opens(&subscription(hub).cookie("hub_token", &valid(hub)));
    opens(&subscription(hub).cookie(COOKIE, "bad"));
    // Nor is that of another hub at the same domain.
    opens(&subscription(hub).cookie(OLD_COOKIE, "bad"));
    hub.publication(&[("topic", &fresh("a"))])
        .cookie(OLD_COOKIE, &hub.anyone())
        .header("Origin", hub.endpoint.origin())
        .send()
        .expect_challenge(401, None);

    // Clients name the public URL even when they post to an internal one.
    let mut claims = hub.claims_v1(json!([]));
    for audience in ["https://public.example/.well-known/mercure", &hub.keys.audience] {
        claims["aud"] = json!(audience);
        let token = sign(&crate::token::header_v1(), &claims, &hub.keys.subscriber);
        opens(&subscription(hub).bearer(&token));
    }
}

fn each_role_has_its_key(hub: &Hub) {
    let claims = json!({"mercure": {"publish": ["*"], "subscribe": ["*"]}});
    let publication = hub.publication_of(form::pairs(&[("topic", &fresh("a"))]));
    invalid(&publication.clone().bearer(&hub.subscriber_v0(claims.clone())));
    publication.bearer(&hub.publisher_v0(claims.clone())).send().expect_status(200);
    invalid(&subscription(hub).bearer(&hub.publisher_v0(claims.clone())));
    opens(&subscription(hub).bearer(&hub.subscriber_v0(claims)));
}
