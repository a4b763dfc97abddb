//! Challenges, as the vectors have them.

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;

/// The challenge of an answer, if it has one, without what those of a hub of 1.0 say last: where the
/// hub's metadata is.
pub(super) fn challenge(headers: &HeaderMap) -> Option<String> {
    let challenge = headers.get(WWW_AUTHENTICATE)?.to_str().expect("ASCII");
    let Some((challenge, metadata)) = challenge.split_once("resource_metadata=") else {
        return Some(challenge.to_owned());
    };
    let url = metadata.trim_matches('"');
    assert_eq!(metadata, format!("\"{url}\""), "one quoted URL stands last");
    assert!(url.contains("/.well-known/oauth-protected-resource/"), "{url}");
    Some(challenge.trim_end_matches([' ', ',']).to_owned())
}
