//! Keys that an issuer publishes, through TLS.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::{aws_lc, sign};
use jsonwebtoken::{Algorithm, EncodingKey};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::server::{Folder, Server};
use crate::tls::file;

const SET: &str = r#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AYGosms0F2LIl0uR9eAskcbZFcQIVSD1nMoyPcdqTV0"}]}"#;

fn token() -> String {
    let _ = aws_lc::DEFAULT_PROVIDER.install_default();
    let key = include_bytes!("../../../core/tests/vectors/keys/ed25519.pem");
    let key = EncodingKey::from_ed_pem(key).unwrap();
    let encode = |part: &str| URL_SAFE_NO_PAD.encode(part);
    let claims = encode(r#"{"mercure":{"publish":["*"]}}"#);
    let message = format!("{}.{claims}", encode(r#"{"alg":"EdDSA"}"#));
    let signature = sign(message.as_bytes(), &key, Algorithm::EdDSA).unwrap();
    format!("{message}.{signature}")
}

/// Publishes the set through TLS. Returns its URL.
async fn issuer() -> String {
    let (chain, key) = (file("certificate.pem"), file("key.pem"));
    let [chain, key] = [chain, key].map(|file| file.to_str().unwrap().to_owned());
    let certificate = cinnabar_native::configuration::Certificate { chain, key };
    let tls: Arc<TlsAcceptor> = Arc::new(cinnabar_native::tls::acceptor(&certificate).unwrap());
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (connection, _) = listener.accept().await.unwrap();
            let tls = Arc::clone(&tls);
            tokio::spawn(async move {
                // A hub that does not trust the certificate ends here.
                let Ok(mut connection) = tls.accept(connection).await else { return };
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    connection.read_buf(&mut request).await.unwrap();
                }
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", SET.len());
                connection.write_all((head + SET).as_bytes()).await.unwrap();
                let _ = connection.shutdown().await;
            });
        }
    });
    format!("https://localhost:{port}/jwks")
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_fetched_from_those_whose_certificate_is_trusted() {
    let url = issuer().await;
    let (token, folder) = (token(), Folder::create());
    let keys = [("MERCURE_PUBLISHER_JWT_KEY", ""), ("MERCURE_PUBLISHER_JWKS_URI", &url)];
    let certificate = file("certificate.pem");
    let trusted = ("SSL_CERT_FILE", certificate.to_str().unwrap());
    for (variables, status) in [(vec![trusted], 200), (vec![], 503)] {
        let server = Server::start(&folder.data(), &[&keys[..], &variables].concat());
        let answer = server.send(&format!(
            "POST /.well-known/mercure HTTP/1.1\r\nAuthorization: Bearer {token}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\nConnection: close\r\nHost: hub\r\n\r\ntopic=a"
        ));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
}
