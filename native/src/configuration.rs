//! The process's configuration: its environment.

use std::collections::BTreeMap;

use cinnabar_core::Config;

use crate::deployment::PLATFORM;

/// The files of the certificate and its key, if the process ends TLS itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The chain of certificates, in PEM.
    pub chain: String,
    /// The private key, in PEM.
    pub key: String,
}

/// Reads the configuration of the hub, and where its certificate is.
///
/// # Errors
///
/// Every mistake at once, a line each.
pub fn read(
    mut variables: BTreeMap<String, String>,
) -> Result<(Config, Option<Certificate>), String> {
    let certificate = take_certificate(&mut variables);
    match (Config::read(&PLATFORM, variables), certificate) {
        (Ok(config), Ok(certificate)) => Ok((config, certificate)),
        (Ok(_), Err(mistake)) => Err(mistake),
        (Err(mistakes), Ok(_)) => Err(mistakes.to_string()),
        (Err(mistakes), Err(mistake)) => Err(format!("{mistakes}\n{mistake}")),
    }
}

/// Takes the variables that say where the certificate is.
///
/// # Errors
///
/// One of them is missing.
pub fn take_certificate(
    variables: &mut BTreeMap<String, String>,
) -> Result<Option<Certificate>, String> {
    match (variables.remove("TLS_CERT"), variables.remove("TLS_KEY")) {
        (None, None) => Ok(None),
        (Some(chain), Some(key)) => Ok(Some(Certificate { chain, key })),
        (Some(_), None) => {
            Err("TLS_KEY: is not set; set it to the file of the certificate's private key".into())
        }
        (None, Some(_)) => {
            Err("TLS_CERT: is not set; set it to the file of the key's certificate".into())
        }
    }
}

/// The environment's variables, without the empty ones.
#[must_use]
pub fn environment() -> BTreeMap<String, String> {
    // All of the hub's variables are text; ignore any that are not.
    let text = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    text.filter(|(_, value)| !value.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_certificate_comes_with_its_key() {
        let key = "a publisher's key of thirty-two bytes";
        let hub = [("MERCURE_PUBLISHER_JWT_KEY", key), ("ANONYMOUS", "1")];
        let (_, certificate) = read(variables(&hub)).unwrap();
        assert_eq!(certificate, None);
        for (given, missing) in [("TLS_CERT", "TLS_KEY"), ("TLS_KEY", "TLS_CERT")] {
            let mistakes = read(variables(&[hub[0], hub[1], (given, "a.pem")])).unwrap_err();
            assert!(mistakes.starts_with(&format!("{missing}: ")), "{mistakes}");
            let mistakes = read(variables(&[("HEARTBEAT", "soon"), (given, "a.pem")])).unwrap_err();
            assert!(mistakes.contains("HEARTBEAT: ") && mistakes.contains(missing), "{mistakes}");
        }
    }
}
