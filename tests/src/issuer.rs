//! An issuer that publishes keys, on a free loopback port: it answers whatever a case wants, and counts
//! who asks.
//!
//! Its keys are of Ed25519, which needs no randomness to sign.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};

use crate::children::lock;
use crate::token::base64;

/// A key pair, by the name that its issuer gives it.
pub(crate) struct Key {
    id: &'static str,
    key: SigningKey,
}

impl Key {
    /// The key with this `kid`; another one for another.
    pub(crate) fn new(id: &'static str) -> Self {
        let mut seed = [7; 32];
        seed[..id.len()].copy_from_slice(id.as_bytes());
        Self { id, key: SigningKey::from_bytes(&seed) }
    }

    /// The public key, as it is published.
    pub(crate) fn jwk(&self) -> Value {
        let x = base64(self.key.verifying_key().as_bytes());
        json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": self.id, "x": x})
    }

    /// A 1.0 token with these claims, which names this key.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_as(&json!({"alg": "EdDSA", "typ": "at+jwt", "kid": self.id}), claims)
    }

    /// A token with this header.
    pub(crate) fn sign_as(&self, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", base64(header.to_string()), base64(claims.to_string()));
        let signature = self.key.sign(signed.as_bytes());
        format!("{signed}.{}", base64(signature.to_bytes()))
    }
}

/// What is at a path.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) fields: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// How long it takes.
    pub(crate) delay: Duration,
}

impl Answer {
    pub(crate) fn of(body: impl Into<Vec<u8>>) -> Self {
        Self { status: 200, fields: Vec::new(), body: body.into(), delay: Duration::ZERO }
    }

    /// A set of these keys, and of some that no hub can use.
    pub(crate) fn keys(keys: &[&Key]) -> Self {
        let mut set = vec![
            json!({"kty": "AKP", "alg": "ML-DSA-65", "kid": "later", "pub": "AQAB"}),
            json!({"kty": "OKP", "crv": "Ed448", "kid": "other", "x": "AQAB"}),
            json!({"kty": "RSA", "use": "enc", "kid": "encryption", "n": "AQAB", "e": "AQAB"}),
        ];
        set.extend(keys.iter().map(|key| key.jwk()));
        Self::of(json!({"keys": set}).to_string())
    }
}

/// An issuer, for as long as the process lives.
pub(crate) struct Issuer {
    port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// What is there, by path; nobody answers elsewhere.
    answers: Mutex<BTreeMap<String, Answer>>,
    /// The paths that were asked for.
    asked: Mutex<Vec<String>>,
}

impl Issuer {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                // A hub may stop reading at any time; that is not a failure.
                thread::spawn(move || _ = state.serve(connection));
            }
        });
        Self { port, state }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// From now on, this is at a path.
    pub(crate) fn answer(&self, path: &str, answer: Answer) {
        lock(&self.state.answers).insert(path.to_owned(), answer);
    }

    /// From now on, nobody answers at any path.
    pub(crate) fn stop(&self) {
        lock(&self.state.answers).clear();
    }

    /// How often a path was asked for.
    pub(crate) fn asked(&self, path: &str) -> usize {
        lock(&self.state.asked).iter().filter(|asked| *asked == path).count()
    }
}

impl State {
    fn serve(&self, mut connection: TcpStream) -> io::Result<()> {
        let mut lines = BufReader::new(connection.try_clone()?).lines();
        let request = lines.next().transpose()?.unwrap_or_default();
        while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
        let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
        let answer = lock(&self.answers).get(&path).cloned();
        lock(&self.asked).push(path);
        let Some(Answer { status, fields, body, delay }) = answer else { return Ok(()) };
        thread::sleep(delay);
        let mut head = format!("HTTP/1.1 {status} X\r\nConnection: close\r\n");
        for (name, value) in fields {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("Content-Length: {}\r\n\r\n", body.len());
        connection.write_all(head.as_bytes())?;
        connection.write_all(&body)
    }
}
