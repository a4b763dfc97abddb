//! TLS, for those who have no proxy in front: browsers speak HTTP/2 through it alone, and open no
//! more than six streams without.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::configuration::Certificate;

/// Ends TLS with this certificate.
///
/// # Errors
///
/// What is wrong with its files.
pub fn acceptor(certificate: &Certificate) -> Result<TlsAcceptor, String> {
    let unreadable = |variable: &str, file: &str, error: pem::Error| {
        format!("{variable}: {file} holds no PEM that can be read ({error}); name another file")
    };
    let chain = CertificateDer::pem_file_iter(Path::new(&certificate.chain))
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unreadable("TLS_CERT", &certificate.chain, error))?;
    let key = PrivateKeyDer::from_pem_file(Path::new(&certificate.key))
        .map_err(|error| unreadable("TLS_KEY", &certificate.key, error))?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| format!("TLS_CERT and TLS_KEY cannot be used: {error}"))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
