//! Where keys are published: a URL, or an issuer's metadata that names one.

use jsonwebtoken::{Algorithm, AlgorithmFamily};
use url::{Host, Url};

/// The well-known path of an authorization server's metadata (RFC 8414, section 3).
const METADATA: &str = "/.well-known/oauth-authorization-server";

/// The same of OpenID Connect Discovery 1.0, section 4, which RFC 8414, section 5, keeps in use.
const OPENID_METADATA: &str = "/.well-known/openid-configuration";

/// Where an issuer publishes its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeySource {
    place: Place,
    /// The algorithm that its tokens must be signed with, if the configuration names one.
    algorithm: Option<Algorithm>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// A JWK Set (RFC 7517, section 5).
    Set(Url),
    /// The issuer of this identifier, whose metadata says where its set is.
    Issuer { identifier: String, url: Url },
}

impl KeySource {
    /// Keys at this URL.
    ///
    /// # Errors
    ///
    /// What is wrong with it, to be read after its name.
    pub(crate) fn at(text: &str, algorithm: Option<Algorithm>) -> Result<Self, String> {
        Self::new(Place::Set(url(text)?), algorithm)
    }

    /// Keys that the metadata of this issuer leads to.
    ///
    /// # Errors
    ///
    /// What is wrong with its identifier, to be read after "its identifier".
    pub(crate) fn of_issuer(
        identifier: &str,
        algorithm: Option<Algorithm>,
    ) -> Result<Self, String> {
        let url = url(identifier)?;
        // RFC 8414, section 2.
        if url.query().is_some() {
            return Err("has a query, with which no metadata can be found".into());
        }
        Self::new(Place::Issuer { identifier: identifier.to_owned(), url }, algorithm)
    }

    fn new(place: Place, algorithm: Option<Algorithm>) -> Result<Self, String> {
        match algorithm {
            Some(secret) if secret.family() == AlgorithmFamily::Hmac => Err(format!(
                "is to hold keys for {secret:?}, which takes a shared secret, and everybody can read what is published; name the algorithm of public keys, such as ES256, or none"
            )),
            _ => Ok(Self { place, algorithm }),
        }
    }

    /// The algorithm that its tokens must be signed with, if only one is allowed.
    pub(crate) fn algorithm(&self) -> Option<Algorithm> {
        self.algorithm
    }

    /// The URL of the set, if it is configured and not discovered.
    pub(super) fn set(&self) -> Option<&Url> {
        match &self.place {
            Place::Set(url) => Some(url),
            Place::Issuer { .. } => None,
        }
    }

    /// The identifier of the issuer whose metadata leads to the set.
    pub(super) fn issuer(&self) -> Option<&str> {
        match &self.place {
            Place::Set(_) => None,
            Place::Issuer { identifier, .. } => Some(identifier),
        }
    }

    /// Where its metadata may be, in the order in which to look.
    pub(super) fn metadata(&self) -> Vec<Url> {
        let Place::Issuer { url, .. } = &self.place else { return Vec::new() };
        let path = url.path().trim_end_matches('/');
        let at = |path: String| {
            let mut metadata = url.clone();
            metadata.set_path(&path);
            metadata
        };
        vec![at(format!("{METADATA}{path}")), at(format!("{path}{OPENID_METADATA}"))]
    }

    /// The URL of a set that metadata names.
    ///
    /// # Errors
    ///
    /// What is wrong with it, to be read after "its `jwks_uri`".
    pub(super) fn named(&self, text: &str) -> Result<Url, String> {
        let named = url(text)?;
        match &self.place {
            // draft-08, "Security Considerations": whoever changes the metadata must not be able to
            // have the hub call whatever host they like.
            Place::Issuer { url, .. } if url.origin() != named.origin() => Err(format!(
                "is at another host ({}); if it is right, configure it as the issuer's `jwks_uri`",
                named.origin().ascii_serialization()
            )),
            _ => Ok(named),
        }
    }

    /// How people refer to it.
    pub(crate) fn shown(&self) -> String {
        match &self.place {
            Place::Set(url) => url.to_string(),
            Place::Issuer { identifier, .. } => format!("the metadata of {identifier}"),
        }
    }

    /// Whether anybody on the way can change what is fetched.
    pub(crate) fn is_plain(&self) -> bool {
        let (Place::Set(url) | Place::Issuer { url, .. }) = &self.place;
        url.scheme() == "http"
    }
}

/// The URL of something that the hub fetches to trust it: https alone, but for what a developer runs
/// on the hub's own machine.
fn url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text)
        .map_err(|_| "is not a URL; write it like https://auth.example.com/jwks.json")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "holds a user name or a password; keys are published, so write it without".into()
        );
    }
    if url.fragment().is_some() {
        return Err("has a fragment (`#…`); write it without".into());
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_on_this_machine(&url) => Ok(url),
        _ => Err("is not https, so anybody on the way could put in keys of their own; write https (http is for localhost alone)".into()),
    }
}

/// Whether only programs on the hub's own machine can be reached by this URL, or can reach it.
pub(crate) fn is_on_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_by_https_or_from_this_machine() {
        for text in [
            "https://auth.example/jwks",
            "https://auth.example:8443/a/b?c=d",
            "http://localhost:3000/jwks",
            "http://a.localhost/",
            "http://127.0.0.1:1/",
            "http://[::1]/",
        ] {
            let source = KeySource::at(text, None).unwrap();
            assert_eq!(source.is_plain(), text.starts_with("http:"), "{text}");
        }
        for (text, what) in [
            ("http://auth.example/jwks", "not https"),
            ("http://localhost.example/", "not https"),
            ("http://10.0.0.1/", "not https"),
            ("file:///etc/passwd", "not https"),
            ("/jwks", "not a URL"),
            ("auth.example", "not a URL"),
            ("https://user@auth.example/", "user name"),
            ("https://auth.example/#a", "fragment"),
        ] {
            let mistake = KeySource::at(text, None).unwrap_err();
            assert!(mistake.contains(what), "{text}: {mistake}");
        }
    }

    #[test]
    fn a_published_key_is_no_secret() {
        for algorithm in [Algorithm::HS256, Algorithm::HS512] {
            let mistake = KeySource::at("https://a.example", Some(algorithm)).unwrap_err();
            assert!(mistake.contains("shared secret"), "{mistake}");
        }
        assert!(KeySource::at("https://a.example", Some(Algorithm::ES256)).is_ok());
    }

    #[test]
    fn metadata_is_where_two_specifications_have_it() {
        let metadata = |identifier| {
            let urls = KeySource::of_issuer(identifier, None).unwrap().metadata();
            urls.iter().map(Url::to_string).collect::<Vec<_>>()
        };
        for identifier in ["https://a.example", "https://a.example/"] {
            assert_eq!(
                metadata(identifier),
                [
                    "https://a.example/.well-known/oauth-authorization-server",
                    "https://a.example/.well-known/openid-configuration",
                ]
            );
        }
        assert_eq!(
            metadata("https://a.example/realms/x"),
            [
                "https://a.example/.well-known/oauth-authorization-server/realms/x",
                "https://a.example/realms/x/.well-known/openid-configuration",
            ]
        );
        assert!(KeySource::of_issuer("https://a.example/?b", None).is_err());
        assert!(KeySource::of_issuer("a.example", None).is_err());
    }

    #[test]
    fn metadata_names_no_other_host() {
        let source = KeySource::of_issuer("https://a.example/x", None).unwrap();
        assert!(source.named("https://a.example/jwks").is_ok());
        for other in ["https://b.example/jwks", "https://a.example:444/", "https://x.a.example/"] {
            assert!(source.named(other).unwrap_err().contains("another host"), "{other}");
        }
        assert!(source.named("http://a.example/jwks").unwrap_err().contains("not https"));
    }
}
