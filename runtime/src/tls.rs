//! Whom this process trusts when it calls others.

use std::sync::Arc;

use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use tracing::warn;

/// What a client of HTTP connects with.
pub type Connector = HttpsConnector<HttpConnector>;

/// Connects to whom this system trusts. Plain http is for those whose URL the core has allowed to be so.
#[must_use]
pub fn connector() -> Connector {
    HttpsConnectorBuilder::new().with_tls_config(tls()).https_or_http().enable_http1().build()
}

/// A client's configuration that trusts what this system does.
#[must_use]
pub fn tls() -> ClientConfig {
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    #[expect(clippy::expect_used, reason = "the provider has cipher suites of these versions")]
    let builder = builder.with_safe_default_protocol_versions().expect("versions of TLS");
    let with_roots = builder.clone().with_native_roots().unwrap_or_else(|error| {
        warn!("this system has no certificates to trust, so nothing can be reached over https: {error}");
        builder.with_root_certificates(RootCertStore::empty())
    });
    with_roots.with_no_client_auth()
}
