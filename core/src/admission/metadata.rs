//! What the hub says of itself as a protected resource (RFC 9728; draft-08, "Protected Resource
//! Metadata"): to anybody, without a token, at the path that derives from the hub's.

use serde::Serialize;

use crate::admission::route::Routed;
use crate::authorization::grant::DETAIL_TYPE;
use crate::wire::answer::{Answer, public_json};

/// The document. Members that say nothing are left out (RFC 9728, section 3.2).
#[derive(Serialize)]
struct Metadata<'a> {
    /// The `aud` of tokens for this hub, and what the document's URL was derived from.
    resource: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authorization_servers: Vec<&'a str>,
    authorization_details_types_supported: [&'static str; 1],
    /// Those of RFC 6750 alone: a cookie is none, nor is the query parameter of the 0.x protocol.
    bearer_methods_supported: [&'static str; 1],
    mercure_cookie: &'a str,
    // `mercure_matcher_types_supported` is left out: the hub has the two types of the draft.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    mercure_subscriptions: bool,
}

/// The answer to whoever asks for the document.
pub(super) fn document(routed: &Routed<'_>) -> Answer {
    let Routed { config, cors, .. } = routed;
    let resource = routed.resource();
    let metadata = Metadata {
        resource: &resource,
        authorization_servers: config.issuers.authorization_servers().collect(),
        authorization_details_types_supported: [DETAIL_TYPE],
        bearer_methods_supported: ["header"],
        mercure_cookie: &config.cookie_name,
        mercure_subscriptions: config.subscriptions,
    };
    // It cannot fail: texts and lists always serialize.
    public_json(serde_json::to_vec(&metadata).unwrap_or_default(), cors)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::tests::config;
    use crate::{Admission, Config, Request, Step, Timestamp, admit};

    const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);
    const PATH: &str = "/.well-known/oauth-protected-resource/.well-known/mercure";

    /// The answer to a request for this path without a token.
    fn answer(config: &Config, method: &str, path: &str) -> http::Response<Vec<u8>> {
        let fields = [("origin", b"https://any.example".as_slice()), ("cookie", b"a=b")];
        let request = Request::new(method, &format!("https://hub.example{path}"), fields);
        match admit(&request, config, NOW, &[7; 32]) {
            Step::Done(Admission::Answer(answer)) => answer.response,
            other => panic!("not answered at once: {other:?}"),
        }
    }

    fn document(config: &Config, path: &str) -> Value {
        let response = answer(config, "GET", path);
        assert_eq!(response.status(), 200);
        serde_json::from_slice(response.body()).unwrap()
    }

    #[test]
    fn the_document_says_what_the_hub_accepts() {
        assert_eq!(
            document(&config(&[]), PATH),
            json!({
                "resource": "https://hub.example/.well-known/mercure",
                "authorization_details_types_supported": ["https://mercure.rocks/authorization-detail"],
                "bearer_methods_supported": ["header"],
                "mercure_cookie": "__Secure-mercure_access_token",
            })
        );
        let named = config(&[("COOKIE_NAME", "hub_token")]);
        assert_eq!(document(&named, PATH)["mercure_cookie"], "hub_token");
        let tells = config(&[("SUBSCRIPTIONS", "1")]);
        assert_eq!(document(&tells, PATH)["mercure_subscriptions"], true);
    }

    #[test]
    fn each_path_of_the_hub_is_a_resource() {
        let config = config(&[
            ("HUB_URL", "https://public.example/the/hub"),
            ("HUB_ALIASES", "/.well-known/mercure /events"),
        ]);
        for path in ["/the/hub", "/.well-known/mercure", "/events"] {
            let metadata = format!("/.well-known/oauth-protected-resource{path}");
            // RFC 9728, section 3.3: the URL that the document's was derived from.
            let resource = format!("https://public.example{path}");
            assert_eq!(document(&config, &metadata)["resource"], resource);
            let refused = answer(&config, "GET", path);
            let challenge =
                format!("Bearer resource_metadata=\"https://public.example{metadata}\"");
            assert_eq!(refused.headers()["www-authenticate"], challenge.as_str());
        }
        for path in ["", "/", "/hub", "/the", "/the/hub/x"] {
            let path = format!("/.well-known/oauth-protected-resource{path}");
            assert_eq!(answer(&config, "GET", &path).status(), 404, "{path}");
        }
    }

    #[test]
    fn anybody_may_read_and_keep_it() {
        let config = config(&[("CORS_ORIGINS", "https://www.example.com")]);
        let response = answer(&config, "GET", PATH);
        assert_eq!(response.headers()["content-type"], "application/json");
        assert_eq!(response.headers()["cache-control"], "public, max-age=3600");
        assert_eq!(response.headers()["access-control-allow-origin"], "*");
        assert!(!response.headers().contains_key("vary"));
        assert_eq!(answer(&config, "HEAD", PATH).headers(), response.headers());
        let preflight = answer(&config, "OPTIONS", PATH);
        assert_eq!(preflight.headers()["access-control-allow-origin"], "*");
        assert_eq!(preflight.headers()["access-control-allow-methods"], "GET, HEAD, OPTIONS");
        assert_eq!(answer(&config, "POST", PATH).status(), 405);
    }

    /// Its absence is how clients know such a hub.
    #[test]
    fn a_hub_of_0_x_has_none() {
        let config = config(&[("PROTOCOL", "0.x")]);
        assert_eq!(answer(&config, "GET", PATH).status(), 404);
        let refused = answer(&config, "GET", "/.well-known/mercure?topic=a");
        assert_eq!(refused.headers()["www-authenticate"], "Bearer");
    }

    #[test]
    fn servers_that_issue_tokens_are_named() {
        let key = "k".repeat(32);
        let issuers = json!([
            {"issuer": "https://auth.example", "key": key, "authorization_server": true},
            {"issuer": "https://www.example.com", "key": key},
            {"issuer": "https://found.example"},
            {"issuer": "https://keys.example", "jwks_uri": "https://keys.example/jwks"},
            {"issuer": "https://old.example", "key": key, "authorization_server": true, "tokens": ["0.x"]},
        ]);
        let config = config(&[("MERCURE_TRUSTED_ISSUERS", &issuers.to_string())]);
        assert_eq!(
            document(&config, PATH)["authorization_servers"],
            json!(["https://auth.example", "https://found.example"])
        );
    }
}
