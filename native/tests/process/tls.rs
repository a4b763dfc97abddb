//! HTTP/2, through TLS and without.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cinnabar_load::{Hub, Load, Tokens};
use http::Request;
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::server::{Folder, KEY, Server, TOKEN};

pub(crate) fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/process").join(name)
}

/// Reads a stream's beginning over HTTP/2.
async fn reads_a_stream(
    connection: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    url: &str,
) {
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(connection)).await.unwrap();
    tokio::spawn(connection);
    // More than the six that browsers open without HTTP/2.
    let mut bodies = Vec::new();
    for _ in 0..10 {
        let request = Request::get(url).body(Empty::<bytes::Bytes>::new()).unwrap();
        let mut response = sender.send_request(request).await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let first = response.frame().await.unwrap().unwrap().into_data().unwrap();
        assert!(first.starts_with(b":"));
        bodies.push(response);
    }
}

#[tokio::test]
async fn http_2_is_spoken_without_tls() {
    let folder = Folder::create();
    let server = Server::start(&folder.data(), &[]);
    let connection = TcpStream::connect(&server.address).await.unwrap();
    reads_a_stream(connection, "http://hub/.well-known/mercure?match=a").await;
}

#[tokio::test]
async fn tls_speaks_both_versions() {
    let folder = Folder::create();
    let (certificate, key) = (file("certificate.pem"), file("key.pem"));
    let files = [("TLS_CERT", certificate.to_str().unwrap()), ("TLS_KEY", key.to_str().unwrap())];
    let server = Server::start(&folder.data(), &files);
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&certificate).unwrap()).unwrap();
    for (version, name) in [("h2", &b"h2"[..]), ("http/1.1", b"http/1.1")] {
        let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots.clone())
            .with_no_client_auth();
        config.alpn_protocols = vec![name.to_vec()];
        let connection = TcpStream::connect(&server.address).await.unwrap();
        let connection = TlsConnector::from(Arc::new(config))
            .connect(ServerName::try_from("localhost").unwrap(), connection)
            .await
            .unwrap();
        assert_eq!(connection.get_ref().1.alpn_protocol(), Some(name));
        if version == "h2" {
            reads_a_stream(connection, "https://localhost/.well-known/mercure?match=a").await;
            continue;
        }
        let (mut sender, connection) = http1::handshake(TokioIo::new(connection)).await.unwrap();
        tokio::spawn(connection);
        let request = Request::get("/.well-known/mercure?match=a").header("Host", "localhost");
        let request = request.body(Empty::<bytes::Bytes>::new()).unwrap();
        let response = sender.send_request(request).await.unwrap();
        // The hub knows that it was reached through TLS.
        let link = response.headers()["link"].to_str().unwrap();
        assert!(link.starts_with("<https://localhost/"), "{link}");
    }
}

#[tokio::test]
async fn a_load_can_be_put_on_it_through_tls() {
    let folder = Folder::create();
    let (certificate, key) = (file("certificate.pem"), file("key.pem"));
    let variables = [
        ("TLS_CERT", certificate.to_str().unwrap()),
        ("TLS_KEY", key.to_str().unwrap()),
        ("MERCURE_SUBSCRIBER_JWT_KEY", KEY),
    ];
    let server = Server::start(&folder.data(), &variables);
    let roots = move || {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(certificate).unwrap()).unwrap();
        roots
    };
    let port = server.address.rsplit_once(':').unwrap().1;
    let url = format!("https://localhost:{port}/.well-known/mercure");
    let tokens = Tokens { publisher: TOKEN.to_owned(), subscriber: TOKEN.to_owned() };
    let hub = Hub::trusting(roots, &url, tokens, "match").unwrap();
    let load = Load { streams: 2, duration: Duration::ZERO, ..Load::default() };
    let run = move || cinnabar_load::run(&load, &hub, None, &|_| {}).unwrap();
    let figures = tokio::task::spawn_blocking(run).await.unwrap();
    assert!(figures.publications > 0);
    assert_eq!((figures.deliveries, figures.lost), (2 * figures.publications, 0));
}
