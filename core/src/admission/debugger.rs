//! The debugger: a page that looks at the hub as its clients do, and what the hub tells it of itself.
//!
//! The page is one file, `debugger.html`, which any platform can serve as it is. It derives the hub's
//! URL from its own address, so that nothing has to be filled in, and may do no more than run its own
//! script, show its own style, and talk to its own origin: its policy has the hashes of both.
//!
//! What it is told is no secret, but nobody's business either: which tokens the hub expects, and what
//! pages of an origin may do. A page cannot find out the latter by itself, as browsers alone say which
//! origin a request comes from.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::admission::route::Routed;
use crate::config::LEGACY_COOKIE;
use crate::terms::generation::Generation;
use crate::terms::hub_url::HubUrl;
use crate::time::Timestamp;
use crate::wire::answer::{self, Answer};
use crate::wire::cors::{self, Cors};
use crate::wire::request::Request;

const PAGE: &str = include_str!("debugger.html");

/// The parameter that names an origin to tell of.
const ORIGIN: &str = "origin";

/// What the page may do.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = |element| STANDARD.encode(Sha256::digest(content(PAGE, element)));
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; img-src data:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
        hash("script"),
        hash("style")
    );
    // It cannot fail: base64 is ASCII. If it did, the page could do nothing.
    HeaderValue::try_from(policy)
        .unwrap_or(const { HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'") })
});

/// What stands between the tags of the only element with this name.
fn content<'a>(page: &'a str, element: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("<{element}>")).unwrap_or_default();
    rest.split_once(&format!("</{element}>")).unwrap_or_default().0
}

/// The page.
pub(super) fn page(routed: &Routed<'_>) -> Answer {
    answer::page(PAGE, &POLICY, &routed.cors)
}

/// What the hub is, and what it expects of its clients.
#[derive(Serialize)]
struct Facts<'a> {
    /// The time here, in milliseconds: a clock that is wrong makes tokens expire early.
    now: u64,
    hub: &'a str,
    publishes: bool,
    subscribes: bool,
    generations: Vec<&'static str>,
    /// The `aud` of 1.0 tokens.
    audiences: Vec<String>,
    /// Their `iss`.
    issuers: Vec<&'a str>,
    anonymous: bool,
    /// The cookies that may carry a token; the first of them counts.
    cookies: Vec<&'a str>,
    query_authorization: bool,
    subscriptions: bool,
    targets: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<Pages>,
}

/// What pages of an origin may do.
#[derive(Serialize)]
struct Pages {
    origin: String,
    /// Read answers.
    read: bool,
    /// Read answers to requests with cookies.
    read_with_cookies: bool,
    /// Publish, with a token in a cookie.
    publish_with_cookies: bool,
}

/// The answer to the page, which may ask about an origin.
pub(super) fn facts(routed: &Routed<'_>, now: Timestamp) -> Answer {
    let Routed { request, config, hub, cors, .. } = routed;
    let origin = request.query().find(|pair| pair.name() == Ok(ORIGIN));
    let origin = origin.and_then(|pair| pair.value().ok().map(str::to_owned));
    let legacy_cookie = config.legacy_cookie.then_some(LEGACY_COOKIE);
    let facts = Facts {
        now: now.as_millis(),
        hub: hub.as_str(),
        publishes: config.serves.publishes(),
        subscribes: config.serves.subscribes(),
        generations: [(Generation::V0, "0.x"), (Generation::V1, "1.0")]
            .into_iter()
            .filter_map(|(generation, name)| config.protocol.contains(generation).then_some(name))
            .collect(),
        audiences: audiences(routed),
        issuers: config.issuers.trusted.iter().map(|issuer| issuer.identifier.as_str()).collect(),
        anonymous: config.anonymous,
        cookies: std::iter::once(config.cookie_name.as_str()).chain(legacy_cookie).collect(),
        query_authorization: config.takes_tokens_in_urls(),
        subscriptions: config.subscriptions,
        targets: config.targets,
        origin: origin.map(|origin| pages_of(origin, routed)),
    };
    // It cannot fail: texts and lists always serialize.
    answer::private_json(serde_json::to_vec(&facts).unwrap_or_default(), cors)
}

/// Every `aud` that makes a token one for this hub.
fn audiences(routed: &Routed<'_>) -> Vec<String> {
    let Routed { config, hub, .. } = routed;
    let own = routed.own_url();
    let at = |url: &HubUrl| {
        let aliases = config.hub_aliases.iter().map(|alias| format!("{}{alias}", url.origin()));
        std::iter::once(url.to_string()).chain(aliases).collect::<Vec<_>>()
    };
    let urls = [Some(hub), own.as_ref()].into_iter().flatten().flat_map(at);
    urls.chain(config.audiences.iter().cloned()).collect()
}

/// What pages of an origin may do, by the rules that their requests are held to.
fn pages_of(origin: String, routed: &Routed<'_>) -> Pages {
    let Routed { config, hub, .. } = routed;
    let request = Request::new("GET", hub.as_str(), [(ORIGIN, origin.as_bytes())]);
    let cors = Cors::of(&request, &config.cors_origins);
    let is_own = origin == hub.origin();
    Pages {
        read: is_own || matches!(cors, Cors::Open | Cors::Origin(_)),
        read_with_cookies: is_own || matches!(cors, Cors::Origin(_)),
        publish_with_cookies: cors::may_publish(&request, &config.publish_origins, hub),
        origin,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::tests::{config, sign};
    use crate::{Admission, Config, Step, admit};

    const HUB: &str = "/.well-known/mercure";
    const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

    fn answer(
        config: &Config,
        method: &str,
        path: &str,
        fields: &[(&str, &str)],
    ) -> http::Response<Vec<u8>> {
        let fields = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
        let request = Request::new(method, &format!("https://hub.example{path}"), fields);
        match admit(&request, config, NOW, &[7; 32]) {
            Step::Done(Admission::Answer(answer)) => answer.response,
            other => panic!("not answered at once: {other:?}"),
        }
    }

    fn facts(config: &Config, query: &str) -> Value {
        let response = answer(config, "GET", &format!("{HUB}/debug/facts{query}"), &[]);
        assert_eq!(
            (response.status().as_u16(), &response.headers()["cache-control"]),
            (200, &HeaderValue::from_static("no-store"))
        );
        serde_json::from_slice(response.body()).unwrap()
    }

    #[test]
    fn the_page_is_behind_each_path_of_the_hub() {
        let on = config(&[("DEBUGGER", "1"), ("HUB_ALIASES", "/hub")]);
        for hub in [HUB, "/hub"] {
            for path in ["/debug/", "/debug"] {
                for method in ["GET", "HEAD"] {
                    let response = answer(&on, method, &format!("{hub}{path}"), &[]);
                    assert_eq!(response.status(), 200);
                    assert_eq!(response.body(), PAGE.as_bytes());
                }
            }
            assert_eq!(answer(&on, "GET", &format!("{hub}/debug/facts"), &[]).status(), 200);
        }
        for path in ["/debug", "/.well-known/debug", "/hub/debugger", "/hub/debug/x"] {
            assert_eq!(answer(&on, "GET", path, &[]).status(), 404, "{path}");
        }
        let refused = answer(&on, "POST", &format!("{HUB}/debug/"), &[]);
        assert_eq!(
            (refused.status().as_u16(), &refused.headers()["allow"]),
            (405, &HeaderValue::from_static("GET, HEAD, OPTIONS"))
        );
    }

    #[test]
    fn there_is_none_unless_it_is_asked_for() {
        for variables in [&[][..], &[("DEBUGGER", "0")]] {
            let off = config(variables);
            for path in ["/debug/", "/debug", "/debug/facts"] {
                for method in ["GET", "HEAD", "POST", "OPTIONS"] {
                    let response = answer(&off, method, &format!("{HUB}{path}"), &[]);
                    assert_eq!(response.status(), 404, "{method} {path}");
                }
            }
        }
    }

    #[test]
    fn the_page_may_do_no_more_than_what_is_in_it() {
        let on = config(&[("DEBUGGER", "1")]);
        let headers = answer(&on, "GET", &format!("{HUB}/debug/"), &[]).headers().clone();
        let policy = headers["content-security-policy"].to_str().unwrap();
        for element in ["script", "style"] {
            assert_eq!(PAGE.matches(&format!("<{element}")).count(), 1, "{element}");
            let content = content(PAGE, element);
            assert!(content.len() > 1_000, "{element}");
            let hash = STANDARD.encode(Sha256::digest(content));
            assert!(policy.contains(&format!("{element}-src 'sha256-{hash}';")), "{policy}");
        }
        assert!(policy.starts_with("default-src 'none'; "), "{policy}");
        assert!(policy.contains("; connect-src 'self'; "), "{policy}");
        assert!(policy.contains("; frame-ancestors 'none'; "), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(headers["content-type"], "text/html; charset=utf-8");
        assert_eq!(headers["cache-control"], "no-store");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["referrer-policy"], "no-referrer");
    }

    #[test]
    fn the_page_is_small_and_needs_nothing_else() {
        assert!(PAGE.len() < 48_000, "{}", PAGE.len());
        let markup = PAGE.replace(content(PAGE, "script"), "").replace(content(PAGE, "style"), "");
        let attributes: Vec<&str> = markup.split_whitespace().collect();
        for word in attributes {
            let is_of_policy = word.starts_with("on") && word.contains('=');
            assert!(!is_of_policy && !word.starts_with("style="), "{word} is against the policy");
            let fetched = word.starts_with("src=") || word.starts_with("href=\"http");
            assert!(!fetched, "{word} would be fetched");
        }
        assert!(!content(PAGE, "style").contains("url("));
    }

    #[test]
    fn the_page_is_told_what_the_hub_expects() {
        let told = facts(&config(&[("DEBUGGER", "1")]), "");
        assert_eq!(
            told,
            json!({
                "now": 1_767_225_600_000_u64,
                "hub": "https://hub.example/.well-known/mercure",
                "publishes": true,
                "subscribes": true,
                "generations": ["0.x", "1.0"],
                "audiences": ["https://hub.example/.well-known/mercure"],
                "issuers": [],
                "anonymous": false,
                "cookies": ["__Secure-mercure_access_token", "mercureAuthorization"],
                "query_authorization": true,
                "subscriptions": false,
                "targets": false,
            })
        );
        let told = facts(
            &config(&[
                ("DEBUGGER", "1"),
                ("HUB_ALIASES", "/hub"),
                ("AUDIENCES", "urn:hub"),
                ("PROTOCOL", "1.0"),
                ("MERCURE_TRUSTED_ISSUERS", "https://issuer.example"),
                ("SERVES", "publish"),
                ("COOKIE_NAME", "token"),
            ]),
            "",
        );
        let hub = "https://hub.example/.well-known/mercure";
        assert_eq!(told["audiences"], json!([hub, "https://hub.example/hub", "urn:hub"]));
        assert_eq!(told["issuers"], json!(["https://issuer.example"]));
        assert_eq!(told["generations"], json!(["1.0"]));
        assert_eq!(told["cookies"], json!(["token"]));
        assert_eq!(told["query_authorization"], false);
        assert_eq!((&told["publishes"], &told["subscribes"]), (&json!(true), &json!(false)));
    }

    #[test]
    fn the_page_is_told_what_pages_of_an_origin_may_do() {
        let may = |variables: &[(&str, &str)], origin: &str| {
            let variables = [&[("DEBUGGER", "1")], variables].concat();
            let told = facts(&config(&variables), &format!("?origin={origin}"))["origin"].clone();
            assert_eq!(told["origin"], origin);
            let is = |name: &str| told[name].as_bool().unwrap();
            (is("read"), is("read_with_cookies"), is("publish_with_cookies"))
        };
        let listed = [("CORS_ORIGINS", "https://www.example.com")];
        assert_eq!(may(&listed, "https://www.example.com"), (true, true, false));
        assert_eq!(may(&listed, "https://example.com"), (false, false, false));
        assert_eq!(may(&[("CORS_ORIGINS", "*")], "https://any.example"), (true, false, false));
        let publishes = [("PUBLISH_ORIGINS", "https://www.example.com")];
        assert_eq!(may(&publishes, "https://www.example.com"), (false, false, true));
        assert_eq!(may(&[], "https://hub.example"), (true, true, true));
        assert_eq!(may(&[], "no\u{20}origin"), (false, false, false));
    }

    #[test]
    fn what_is_wrong_with_a_token_is_said() {
        let expired = sign("subscribe", &json!({"mercure": {}, "exp": 1}));
        let authorization = format!("Bearer {expired}");
        let fields = [("authorization", authorization.as_str())];
        let body = |variables: &[(&str, &str)]| {
            let path = format!("{HUB}?match=a");
            let response = answer(&config(variables), "GET", &path, &fields);
            assert_eq!(response.status(), 401);
            let challenge = response.headers()["www-authenticate"].to_str().unwrap().to_owned();
            assert!(challenge.starts_with("Bearer error=\"invalid_token\", "), "{challenge}");
            String::from_utf8(response.into_body()).unwrap()
        };
        assert_eq!(
            body(&[("DEBUGGER", "1")]),
            "The access token is not valid here: its `exp` has passed."
        );
        assert_eq!(
            body(&[]),
            "The access token is not valid here; get a new one. The hub's log has the reason."
        );
    }
}
