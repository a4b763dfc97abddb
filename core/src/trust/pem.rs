//! Public keys in PEM (RFC 7468).

use crate::trust::encodings::{base64, on_one_line};
use crate::trust::not_a_secret;
use crate::trust::public_key::PublicKey;

const CUT_OFF: &str = "is a PEM key that cannot be read, since a part is missing or changed; give all of it, from `-----BEGIN PUBLIC KEY-----` to `-----END PUBLIC KEY-----`";

/// Reads a text that begins with `-----BEGIN`. Its lines may be of any length, and broken by
/// anything that [`on_one_line`] knows.
///
/// # Errors
///
/// What is wrong, without any part of the key.
pub(super) fn public_key(text: &str) -> Result<PublicKey, String> {
    let labels = || text.split("-----BEGIN ").skip(1).filter_map(|rest| rest.split("-----").next());
    if labels().any(|label| label.contains("OPENSSH PRIVATE KEY")) {
        return Err("holds a private key, which the hub must not have; give it the public one that `ssh-keygen -e -m PKCS8 -f KEY` prints".into());
    }
    if labels().any(|label| label.contains("PRIVATE KEY")) {
        return Err("holds a private key, which the hub must not have; give it the public one that `openssl pkey -in KEY -pubout` prints".into());
    }
    // `openssl ecparam` writes the name of the curve in front, which the key holds too.
    let first = labels().next().unwrap_or_default();
    if first == "EC PARAMETERS"
        && let Some((key, _)) = text.match_indices("-----BEGIN ").nth(1)
    {
        return public_key(&text[key..]);
    }
    if first.contains("CERTIFICATE REQUEST") {
        return Err("is a certificate request; give the public key that `openssl req -in REQUEST -noout -pubkey` prints".into());
    }
    if first.contains("CERTIFICATE") {
        return Err("is a certificate; give the public key that `openssl x509 -in CERTIFICATE -noout -pubkey` prints".into());
    }
    let (label, body, behind) = block(text).ok_or(CUT_OFF)?;
    // RFC 7468, section 2, allows text around a block; but a key in it would be passed over.
    if labels().count() > 1 || not_a_secret::key_in(behind).is_some() {
        return Err(
            "holds a PEM key and another one behind it; a role has one key at a time".into()
        );
    }
    let der = base64(&on_one_line(body)).ok_or(CUT_OFF)?;
    let key = match label {
        "PUBLIC KEY" => PublicKey::from_spki(&der),
        "RSA PUBLIC KEY" => PublicKey::from_pkcs1(&der),
        "RSA-PSS PUBLIC KEY" => Some(PublicKey::RsassaPss),
        _ => return Err("is something else in PEM than a public key; give what begins with `-----BEGIN PUBLIC KEY-----`".into()),
    };
    key.ok_or_else(|| CUT_OFF.to_owned())
}

/// The label of the first block, its body, and what is behind it.
fn block(text: &str) -> Option<(&str, &str, &str)> {
    let (label, rest) = text.strip_prefix("-----BEGIN ")?.split_once("-----")?;
    let (body, rest) = rest.split_once("-----END ")?;
    let (_, behind) = rest.split_once("-----")?;
    Some((label, body, behind))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::trust::samples::{self, ED25519, P256, pem};

    fn p256() -> String {
        pem("PUBLIC KEY", &samples::der(P256))
    }

    #[track_caller]
    fn mistake(text: &str) -> String {
        let what = public_key(text).unwrap_err();
        assert!(!what.contains("MFkw"), "{what}");
        what
    }

    #[test]
    fn line_breaks_may_be_written_in_many_ways() {
        for breaks in
            ["\n", "\r\n", "\r", " ", "", "\\n", "\\r\\n", "\\\\n", "\n    ", "\n\n", "\\\n"]
        {
            let key = public_key(&p256().replace('\n', breaks));
            assert!(matches!(key, Ok(PublicKey::Ec { .. })), "{breaks:?}: {key:?}");
        }
    }

    #[test]
    fn an_rsa_key_may_be_without_its_type() {
        let key = pem("RSA PUBLIC KEY", &samples::rsa_pkcs1(2048, &[1, 0, 1]));
        assert!(matches!(public_key(&key), Ok(PublicKey::Rsa { .. })));
        let key = pem("RSA-PSS PUBLIC KEY", &samples::rsa_pkcs1(2048, &[1, 0, 1]));
        assert!(matches!(public_key(&key), Ok(PublicKey::RsassaPss)));
    }

    #[test]
    fn what_stands_behind_a_key_is_looked_at() {
        let other = pem("PUBLIC KEY", &samples::der(ED25519));
        for behind in [
            other.clone(),
            other.replace('\n', "\\n"),
            pem("CERTIFICATE", &[0x30, 0x00]),
            STANDARD.encode(&other),
            ED25519.to_owned(),
            samples::rsa_jwk(2048, &[1, 0, 1]),
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5".to_owned(),
        ] {
            let what = mistake(&format!("{}{behind}", p256()));
            assert!(what.contains("one key at a time"), "{behind}: {what}");
        }
        for label in ["PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY"] {
            let what = mistake(&format!("{}{}", p256(), pem(label, &[0x30, 0x00])));
            assert!(what.contains("a private key") && what.contains("-pubout"), "{what}");
        }
        let parameters = pem("EC PARAMETERS", &[0x06, 0x00]);
        assert!(public_key(&format!("{parameters}{}", p256())).is_ok());
        assert!(public_key(&format!("{parameters}{}{}", p256(), p256())).is_err());
        // As `openssl pkey -text` prints it.
        let text = "Public-Key: (256 bit)\npub:\n    04:3d:04:cc:df:08\nASN1 OID: prime256v1\n";
        assert!(public_key(&format!("{}{text}", p256())).is_ok());
    }

    #[test]
    fn what_is_no_public_key_is_named() {
        for (label, named) in [
            ("PRIVATE KEY", "-pubout"),
            ("RSA PRIVATE KEY", "-pubout"),
            ("OPENSSH PRIVATE KEY", "ssh-keygen -e -m PKCS8"),
            ("CERTIFICATE", "openssl x509"),
            ("TRUSTED CERTIFICATE", "openssl x509"),
            ("CERTIFICATE REQUEST", "openssl req"),
            ("PGP PUBLIC KEY BLOCK", "something else in PEM"),
        ] {
            let what = mistake(&pem(label, &[0x30, 0x00]));
            assert!(what.contains(named), "{label}: {what}");
        }
        let parameters = format!("{}{}", pem("EC PARAMETERS", &[]), pem("EC PRIVATE KEY", &[]));
        assert!(mistake(&parameters).contains("a private key"));
    }

    #[test]
    fn a_key_that_was_cut_off_is_called_that() {
        let key = p256();
        let lines: Vec<&str> = key.lines().collect();
        for text in [
            lines[..3].join("\n"),
            lines[..1].join("\n"),
            "-----BEGIN PUBLIC KEY".to_owned(),
            "-----BEGIN".to_owned(),
            [lines[0], lines[1], lines[3]].join("\n"),
            key.replace("MFkw", "MFkw!"),
        ] {
            assert!(mistake(&text).contains("a part is missing"), "{text}");
        }
    }
}
