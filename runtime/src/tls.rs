//! Whom this process trusts when it calls others.

use std::sync::Arc;

use hyper_rustls::ConfigBuilderExt as _;
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use tracing::warn;

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
