use std::time::Duration;

use http::{Response, StatusCode};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use super::*;

const BEGIN: Timestamp = Timestamp::from_millis(1_767_225_600_000);
const SET: &str = "https://auth.example/jwks";
const MESSAGE: &str = "header.claims";

const MINUTE: u64 = 60;

/// A private key, and where its public one is.
const PRIVATE: &[u8] = include_bytes!("../../../tests/vectors/keys/ed25519.pem");
const X: &str = "AYGosms0F2LIl0uR9eAskcbZFcQIVSD1nMoyPcdqTV0";

fn set(ids: &[&str]) -> Value {
    let key = |id: &&str| json!({"kty": "OKP", "crv": "Ed25519", "x": X, "kid": id});
    json!({"keys": ids.iter().map(key).collect::<Vec<_>>()})
}

/// A ring, its clock, and an issuer.
struct Simulation {
    ring: KeyRing,
    source: KeySource,
    now: Timestamp,
    /// What is answered at a URL; nobody is there if nothing is.
    answers: Vec<(String, Response<Vec<u8>>)>,
    /// The URLs that were fetched.
    fetched: Vec<String>,
    log: Vec<LogLine>,
    kept: Option<Vec<u8>>,
}

impl Simulation {
    fn of(source: KeySource) -> Self {
        let ring = KeyRing::new([&source, &source]);
        let (answers, fetched, log) = (Vec::new(), Vec::new(), Vec::new());
        Self { ring, source, now: BEGIN, answers, fetched, log, kept: None }
    }

    fn new() -> Self {
        Self::of(KeySource::at(SET, None).unwrap())
    }

    fn pass(&mut self, seconds: u64) {
        self.now = self.now.plus(Duration::from_secs(seconds));
    }

    fn answer(&mut self, url: &str, response: Response<Vec<u8>>) {
        self.stop(url);
        self.answers.push((url.to_owned(), response));
    }

    fn publish(&mut self, url: &str, body: &Value) {
        self.answer(url, Response::new(body.to_string().into_bytes()));
    }

    fn stop(&mut self, url: &str) {
        self.answers.retain(|(at, _)| at != url);
    }

    fn verify(&self, key_id: Option<&str>) -> Result<(), Unverified> {
        self.verify_since(self.now, key_id)
    }

    fn verify_since(&self, since: Timestamp, key_id: Option<&str>) -> Result<(), Unverified> {
        let key = EncodingKey::from_ed_pem(PRIVATE).unwrap();
        let algorithm = Algorithm::EdDSA;
        let signature = jsonwebtoken::crypto::sign(MESSAGE.as_bytes(), &key, algorithm).unwrap();
        let signed = Signed { key_id, algorithm, message: MESSAGE, signature: &signature };
        Lookup { ring: &self.ring, since }.verify(&self.source, &signed, self.now)
    }

    /// Makes all fetches that are wanted.
    fn fetch(&mut self) {
        while let Some(fetch) = self.ring.poll_fetch(self.now) {
            let url = fetch.request().uri().to_string();
            let found = self.answers.iter().find(|(at, _)| *at == url);
            let answer = found.map(|(_, response)| response.clone());
            let answer = answer.ok_or(FetchFailure::Unanswered("nobody is there".to_owned()));
            self.fetched.push(url);
            let heard = self.ring.handle_fetched(&fetch, answer, self.now);
            self.log.extend(heard.log);
            self.kept = heard.keep.or(self.kept.take());
        }
    }

    /// What becomes of a token, once all was fetched that it waited for.
    fn settle(&mut self, key_id: Option<&str>) -> Result<(), Unverified> {
        let since = self.now;
        for _ in 0..4 {
            let verified = self.verify_since(since, key_id);
            self.fetch();
            self.now = self.now.plus(Duration::from_millis(1));
            if verified != Err(Unverified::Waits) {
                return verified;
            }
        }
        panic!("a token waits for ever")
    }

    fn last_line(&self) -> &str {
        &self.log.last().unwrap().text
    }
}

#[test]
fn the_first_token_waits_for_keys_and_the_next_does_not() {
    let mut hub = Simulation::new();
    hub.publish(SET, &set(&["a"]));
    assert_eq!(hub.verify(Some("a")), Err(Unverified::Waits));
    // One fetch, however many wait for it.
    assert_eq!(hub.verify(None), Err(Unverified::Waits));
    assert!(hub.ring.is_fetching(hub.now));
    hub.fetch();
    assert!(!hub.ring.is_fetching(hub.now));
    assert_eq!(hub.verify(Some("a")), Ok(()));
    assert_eq!(hub.verify(None), Ok(()));
    assert_eq!(hub.fetched, [SET]);
    assert_eq!(hub.log.len(), 1);
    assert!(hub.last_line().starts_with("1 of the keys at https://auth.example/jwks can"));
}

#[test]
fn keys_are_fetched_before_a_token_needs_them_if_a_shell_can() {
    let mut hub = Simulation::new();
    hub.publish(SET, &set(&["a"]));
    hub.ring.want_all(hub.now);
    hub.fetch();
    assert_eq!(hub.verify(Some("a")), Ok(()));
    hub.ring.want_all(hub.now);
    assert!(!hub.ring.is_fetching(hub.now));
}

#[test]
fn keys_are_fetched_again_well_before_their_time_has_passed_and_nobody_waits() {
    let mut hub = Simulation::new();
    hub.publish(SET, &set(&["a"]));
    assert_eq!(hub.settle(Some("a")), Ok(()));
    hub.pass(29 * MINUTE);
    assert_eq!(hub.verify(Some("a")), Ok(()));
    assert!(!hub.ring.is_fetching(hub.now));
    hub.pass(MINUTE);
    assert_eq!(hub.verify(Some("a")), Ok(()));
    assert!(hub.ring.is_fetching(hub.now));
    hub.fetch();
    assert_eq!(hub.fetched.len(), 2);
    // What has not changed is not told again.
    assert_eq!(hub.log.len(), 1);
}

#[test]
fn a_key_that_was_taken_back_is_refused_once_the_time_of_the_keys_has_passed() {
    let mut hub = Simulation::new();
    hub.publish(SET, &set(&["a"]));
    assert_eq!(hub.settle(Some("a")), Ok(()));
    hub.publish(SET, &set(&["b"]));
    // A hub without requests fetches nothing, so the next one waits.
    hub.pass(60 * MINUTE);
    assert_eq!(hub.verify(Some("a")), Err(Unverified::Waits));
    hub.fetch();
    assert_eq!(hub.settle(Some("a")), Err(Unverified::NoKey));
    assert_eq!(hub.settle(Some("b")), Ok(()));
}

#[test]
fn a_clock_that_is_set_back_keeps_no_keys_for_ever() {
    let mut hub = Simulation::new();
    hub.publish(SET, &set(&["a"]));
    assert_eq!(hub.settle(Some("a")), Ok(()));
    hub.now = BEGIN.minus(Duration::from_secs(1));
    assert_eq!(hub.verify(Some("a")), Err(Unverified::Waits));
}

#[test]
fn a_new_key_is_looked_for_and_forged_ones_cost_a_fetch_in_five_minutes() {
    let mut hub = Simulation::new();
    hub.publish(SET, &set(&["a"]));
    assert_eq!(hub.settle(Some("a")), Ok(()));
    hub.publish(SET, &set(&["a", "b"]));
    hub.pass(1);
    assert_eq!(hub.settle(Some("b")), Ok(()));
    assert_eq!(hub.fetched.len(), 2);
    for second in 0..299 {
        assert_eq!(hub.settle(Some(&format!("forged {second}"))), Err(Unverified::NoKey));
        assert_eq!(hub.settle(Some("a")), Ok(()));
        hub.pass(1);
    }
    assert_eq!(hub.fetched.len(), 2);
    hub.pass(1);
    assert_eq!(hub.settle(Some("forged")), Err(Unverified::NoKey));
    assert_eq!(hub.fetched.len(), 3);
}

#[test]
fn what_was_fetched_since_a_token_came_is_not_fetched_once_more_for_it() {
    let mut hub = Simulation::new();
    hub.publish(SET, &set(&["a"]));
    assert_eq!(hub.settle(Some("forged")), Err(Unverified::NoKey));
    assert_eq!(hub.fetched, [SET]);
    // A key that is published later is found nevertheless.
    hub.publish(SET, &set(&["a", "b"]));
    assert_eq!(hub.settle(Some("b")), Ok(()));
    assert_eq!(hub.fetched.len(), 2);
    // What was asked for before the token came may lack its key.
    let mut hub = Simulation::new();
    hub.publish(SET, &set(&["a"]));
    assert_eq!(hub.verify(Some("a")), Err(Unverified::Waits));
    let first = hub.ring.poll_fetch(hub.now).unwrap();
    hub.pass(1);
    let came = hub.now;
    assert_eq!(hub.verify_since(came, Some("b")), Err(Unverified::Waits));
    let before = Response::new(set(&["a"]).to_string().into_bytes());
    hub.ring.handle_fetched(&first, Ok(before), hub.now);
    hub.publish(SET, &set(&["b"]));
    assert_eq!(hub.verify_since(came, Some("b")), Err(Unverified::Waits));
    hub.fetch();
    assert_eq!(hub.verify_since(came, Some("b")), Ok(()));
}

#[test]
fn a_bad_signature_of_a_known_key_has_nothing_fetched() {
    let mut hub = Simulation::new();
    let mut keys = set(&["a"]);
    keys["keys"][0]["x"] = json!("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    hub.publish(SET, &keys);
    assert_eq!(hub.settle(Some("a")), Err(Unverified::Signature));
    assert_eq!(hub.fetched.len(), 1);
    // Without a `kid`, it may be of a new one.
    assert_eq!(hub.settle(None), Err(Unverified::Signature));
    assert_eq!(hub.settle(None), Err(Unverified::Signature));
    assert_eq!(hub.fetched.len(), 2);
}

#[test]
fn while_the_issuer_is_away_the_last_keys_serve() {
    let mut hub = Simulation::new();
    hub.publish(SET, &set(&["a"]));
    assert_eq!(hub.settle(Some("a")), Ok(()));
    hub.stop(SET);
    hub.pass(60 * MINUTE);
    // The first waits to hear that it is away; the others do not.
    assert_eq!(hub.settle(Some("a")), Ok(()));
    assert!(hub.log.last().unwrap().is_warning);
    assert!(hub.last_line().ends_with("the last ones that were fetched still serve"));
    for _ in 0..1_000 {
        hub.pass(MINUTE);
        assert_eq!(hub.verify(Some("a")), Ok(()));
        hub.fetch();
    }
    // A key that is not known may be the issuer's, once it is back.
    assert_eq!(hub.settle(Some("b")), Err(Unverified::Unavailable));
    hub.publish(SET, &set(&["b"]));
    hub.pass(MINUTE);
    assert_eq!(hub.settle(Some("b")), Ok(()));
    assert_eq!(hub.settle(Some("a")), Err(Unverified::NoKey));
}

#[test]
fn an_issuer_that_is_away_is_asked_more_and_more_seldom() {
    let mut hub = Simulation::new();
    let mut after = Vec::new();
    for second in 0..300 {
        let before = hub.fetched.len();
        assert_eq!(hub.settle(Some("a")), Err(Unverified::Unavailable));
        if hub.fetched.len() > before {
            after.push(second);
        }
        hub.pass(1);
    }
    assert_eq!(after, [0, 2, 6, 14, 30, 62, 122, 182, 242]);
    assert!(hub.last_line().contains("no token can be checked"));
    hub.publish(SET, &set(&["a"]));
    hub.pass(MINUTE);
    assert_eq!(hub.settle(Some("a")), Ok(()));
}

#[test]
fn a_fetch_that_is_never_heard_of_is_made_again() {
    let mut hub = Simulation::new();
    hub.publish(SET, &set(&["a"]));
    assert_eq!(hub.verify(None), Err(Unverified::Waits));
    let lost = hub.ring.poll_fetch(hub.now).unwrap();
    hub.pass(9);
    assert_eq!(hub.verify(None), Err(Unverified::Waits));
    assert!(hub.ring.poll_fetch(hub.now).is_none());
    hub.pass(1);
    assert_eq!(hub.settle(None), Ok(()));
    // And what it hears of the first one then, it no longer believes.
    let late = Response::new(set(&[]).to_string().into_bytes());
    let heard = hub.ring.handle_fetched(&lost, Ok(late), hub.now);
    assert!(heard.log.is_none() && heard.keep.is_none());
    assert_eq!(hub.verify(None), Ok(()));
}

#[test]
fn what_is_no_set_of_keys_is_named() {
    let redirect = Response::builder().status(302).header("location", "https://evil.example/x");
    let keys = |count: usize| json!({"keys": vec![json!({}); count]}).to_string().into_bytes();
    for (response, reason) in [
        (redirect.body(Vec::new()).unwrap(), "redirects to \"https://evil.example/x\""),
        (Response::builder().status(500).body(keys(1)).unwrap(), "its status is 500"),
        (Response::builder().status(204).body(keys(1)).unwrap(), "its status is 204"),
        (Response::new(b"<html>".to_vec()), "not a JWK Set"),
        (Response::new(keys(101)), "it holds 101 keys"),
        (Response::new(vec![b' '; (1 << 20) + 1]), "larger than 1048576 bytes"),
    ] {
        let mut hub = Simulation::new();
        hub.answer(SET, response);
        assert_eq!(hub.settle(None), Err(Unverified::Unavailable), "{reason}");
        assert!(hub.last_line().contains(reason), "{reason} in {}", hub.last_line());
        assert_eq!(hub.fetched, [SET]);
    }
    let failure = FetchFailure::TooLarge.to_string();
    assert!(failure.contains("larger than 1048576 bytes"));
}

#[test]
fn a_set_without_a_usable_key_is_believed_and_pointed_out() {
    let mut hub = Simulation::new();
    hub.publish(SET, &json!({"keys": [{"kty": "AKP"}, {"kty": "RSA", "use": "enc"}]}));
    assert_eq!(hub.settle(Some("a")), Err(Unverified::NoKey));
    assert!(hub.log[0].is_warning && hub.log[0].text.contains("; 2 were passed over"));
}

const METADATA: &str = "https://auth.example/.well-known/oauth-authorization-server";
const OPENID: &str = "https://auth.example/.well-known/openid-configuration";

fn issuer() -> Simulation {
    Simulation::of(KeySource::of_issuer("https://auth.example", None).unwrap())
}

fn not_found() -> Response<Vec<u8>> {
    Response::builder().status(StatusCode::NOT_FOUND).body(Vec::new()).unwrap()
}

#[test]
fn an_issuers_metadata_leads_to_its_keys() {
    for place in [METADATA, OPENID] {
        let mut hub = issuer();
        hub.answer(METADATA, not_found());
        hub.publish(place, &json!({"issuer": "https://auth.example", "jwks_uri": SET}));
        hub.publish(SET, &set(&["a"]));
        assert_eq!(hub.settle(Some("a")), Ok(()), "{place}");
        let before = hub.fetched.len();
        // The metadata is not asked for again while it leads to keys.
        hub.pass(30 * MINUTE);
        assert_eq!(hub.settle(Some("a")), Ok(()));
        assert_eq!(hub.fetched[before..], [SET]);
        // Once it does not, it is.
        let moved = "https://auth.example/moved";
        hub.answer(SET, not_found());
        hub.publish(place, &json!({"issuer": "https://auth.example", "jwks_uri": moved}));
        hub.publish(moved, &set(&["b"]));
        hub.pass(30 * MINUTE);
        assert_eq!(hub.settle(Some("a")), Ok(()));
        hub.pass(MINUTE);
        assert_eq!(hub.settle(Some("b")), Ok(()), "{:?}", hub.log);
    }
}

#[test]
fn metadata_that_is_wrong_leads_nowhere() {
    for (metadata, reason) in [
        (json!({"issuer": "https://auth.example/", "jwks_uri": SET}), "not of this issuer"),
        (json!({"jwks_uri": SET}), "the metadata of nobody"),
        (json!({"issuer": "https://auth.example"}), "no `jwks_uri`"),
        (json!({"issuer": "https://auth.example", "jwks_uri": 1}), "no `jwks_uri`"),
        (
            json!({"issuer": "https://auth.example", "jwks_uri": "https://evil.example/jwks"}),
            "at another host",
        ),
        (
            json!({"issuer": "https://auth.example", "jwks_uri": "http://169.254.169.254/"}),
            "not https",
        ),
        (json!("x"), "the metadata of nobody"),
    ] {
        let mut hub = issuer();
        hub.publish(METADATA, &metadata);
        hub.publish(OPENID, &metadata);
        assert_eq!(hub.settle(Some("a")), Err(Unverified::Unavailable), "{metadata}");
        assert!(hub.last_line().contains(reason), "{reason} in {}", hub.last_line());
        assert_eq!(hub.fetched, [METADATA, OPENID]);
    }
}

#[test]
fn a_new_process_begins_with_what_another_kept() {
    let mut hub = Simulation::new();
    hub.publish(SET, &set(&["a"]));
    assert_eq!(hub.settle(Some("a")), Ok(()));
    assert_eq!(hub.settle(Some("forged")), Err(Unverified::NoKey));
    let kept = hub.kept.take().unwrap();

    // Somebody else's fetch for a forged key counts, too.
    let mut new = Simulation::new();
    new.pass(MINUTE);
    assert_eq!(new.verify(Some("forged")), Err(Unverified::Waits));
    let fetch = new.ring.poll_fetch(new.now).unwrap();
    assert_eq!(fetch.name(), SET);
    assert!(new.ring.handle_kept(&fetch, &kept, new.now));
    assert_eq!(new.settle(Some("forged")), Err(Unverified::NoKey));
    assert_eq!(new.settle(Some("a")), Ok(()));
    assert_eq!(new.fetched.len(), 0);
    // What is kept is news once.
    new.pass(30 * MINUTE);
    assert_eq!(new.verify(Some("a")), Ok(()));
    let fetch = new.ring.poll_fetch(new.now).unwrap();
    assert!(!new.ring.handle_kept(&fetch, &kept, new.now));

    // What is old is asked for again, and serves if nobody answers.
    let mut late = Simulation::new();
    late.pass(600 * MINUTE);
    assert_eq!(late.verify(Some("a")), Err(Unverified::Waits));
    let fetch = late.ring.poll_fetch(late.now).unwrap();
    assert!(late.ring.handle_kept(&fetch, &kept, late.now));
    assert_eq!(late.settle(Some("a")), Ok(()));
    assert_eq!(late.fetched, [SET]);

    for wrong in [&b""[..], b"{}", &kept[..kept.len() - 1]] {
        let new = Simulation::new();
        assert_eq!(new.verify(None), Err(Unverified::Waits));
        let fetch = new.ring.poll_fetch(new.now).unwrap();
        assert!(!new.ring.handle_kept(&fetch, wrong, new.now));
    }
}

#[test]
fn a_failure_of_long_ago_is_no_reason_to_use_old_keys() {
    let mut hub = Simulation::new();
    hub.publish(SET, &set(&["a"]));
    assert_eq!(hub.settle(Some("a")), Ok(()));
    // In the background, while the process was asleep.
    hub.pass(31 * MINUTE);
    hub.stop(SET);
    assert_eq!(hub.settle(Some("a")), Ok(()));
    // The key was taken back meanwhile.
    hub.publish(SET, &set(&["b"]));
    hub.pass(24 * 60 * MINUTE);
    assert_eq!(hub.settle(Some("a")), Err(Unverified::NoKey));
}

#[test]
fn an_issuer_may_publish_elsewhere_and_leave_old_keys_behind() {
    const ELSEWHERE: &str = "https://auth.example/new-jwks";
    let mut hub = issuer();
    let metadata = |uri: &str| json!({"issuer": "https://auth.example", "jwks_uri": uri});
    hub.publish(METADATA, &metadata(SET));
    hub.publish(SET, &set(&["a"]));
    assert_eq!(hub.settle(Some("a")), Ok(()));
    hub.publish(METADATA, &metadata(ELSEWHERE));
    hub.publish(ELSEWHERE, &set(&["b"]));
    assert_eq!(hub.settle(Some("b")), Ok(()));
}
