//! Texts that stand where a shared secret should, and are none.
//!
//! A public key in a wrapping that is not read here would become a secret that everybody has, and
//! with it anybody could sign tokens (RFC 8725, sections 3.1 and 3.5). So would a text that only
//! [stands in](crate::trust::stand_in) for a secret. Random secrets look like none of these.

use serde::de::IgnoredAny;

use crate::trust::der::looks_like_a_key;
use crate::trust::encodings::{base64, hexadecimal, on_one_line};
use crate::trust::stand_in;

/// How often a text may have been encoded: `.env` files hold Base64 of files that hold Base64.
const ENCODINGS: usize = 3;

/// How a key, or a token, is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Pem,
    Jwk,
    Xml,
    Ssh,
    Der,
    Token,
}

/// What this text is, if it is no secret, and what to write; to be read after the name of a key.
pub(super) fn what(text: &str) -> Option<&'static str> {
    key_in(text).or_else(|| stand_in::what(bare(text)))
}

/// What this text is, if it is a key in disguise.
pub(super) fn key_in(text: &str) -> Option<&'static str> {
    let text = bare(text);
    let encoded = || encoded(text, ENCODINGS).map(Form::encoded);
    form(text).map(Form::as_it_stands).or_else(encoded)
}

/// What these bytes are, if they are a key in disguise.
pub(super) fn key_in_bytes(bytes: &[u8]) -> Option<&'static str> {
    form_of_bytes(bytes, ENCODINGS).map(Form::encoded)
}

/// Whether this text is JSON, or was, before its quotes were lost or its end was.
pub(super) fn is_json(text: &str) -> bool {
    let Some(content) = text.strip_prefix(['{', '[']) else { return false };
    let has_names = content.trim_start().starts_with('"') && content.contains("\":");
    has_names
        || content.contains("kty")
        || content.contains("keys")
        || serde_json::from_str::<IgnoredAny>(text).is_ok()
}

impl Form {
    fn as_it_stands(self) -> &'static str {
        match self {
            Self::Pem => {
                "holds a PEM key and something else; give it from `-----BEGIN` to `KEY-----`, without quotes"
            }
            Self::Jwk => {
                "holds a JWK and something else, or several; give the one key that signs, from `{` to `}`, without quotes"
            }
            Self::Xml => {
                "is a key in XML; give it in PEM, from `-----BEGIN PUBLIC KEY-----` on, or as a JWK"
            }
            Self::Ssh => {
                "is an SSH key; give it in PEM, as `ssh-keygen -e -m PKCS8 -f KEY` prints it"
            }
            Self::Der => {
                "is the inside of a PEM key, or a key in DER; give it in PEM, from `-----BEGIN PUBLIC KEY-----` on, as `openssl pkey -pubin -inform DER -in KEY` prints it"
            }
            Self::Token => "is a token, and not the key that it was signed with; give that",
        }
    }

    fn encoded(self) -> &'static str {
        match self {
            Self::Pem => {
                "is a PEM key in Base64 or hexadecimal; decode it, and give it from `-----BEGIN PUBLIC KEY-----` on"
            }
            Self::Jwk => "is a JWK in Base64 or hexadecimal; decode it, and give it from `{` on",
            Self::Xml => {
                "is a key in XML, in Base64 or hexadecimal; give it in PEM, from `-----BEGIN PUBLIC KEY-----` on, or as a JWK"
            }
            Self::Ssh | Self::Der => self.as_it_stands(),
            Self::Token => {
                "is a token in Base64 or hexadecimal, and not the key that it was signed with; give that"
            }
        }
    }
}

/// The text without what may have been left around it.
fn bare(text: &str) -> &str {
    text.trim_matches(|character: char| {
        character.is_whitespace() || ['"', '\'', '\u{feff}'].contains(&character)
    })
}

/// What a text is as it stands.
fn form(text: &str) -> Option<Form> {
    let ssh = ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-", "PuTTY-User-Key-File"];
    let names_a_key = || ["KEY", "CERTIFICATE"].iter().any(|word| text.contains(word));
    let is_xml = text.starts_with('<') && (text.contains("</") || text.contains("/>"));
    if text.contains("BEGIN SSH2") || ssh.iter().any(|start| text.starts_with(start)) {
        Some(Form::Ssh)
    } else if text.contains("-----BEGIN") || text.contains("BEGIN ") && names_a_key() {
        Some(Form::Pem)
    } else if is_json(text) || text.contains("\"kty") {
        Some(Form::Jwk)
    } else if is_xml && text.ends_with('>') {
        Some(Form::Xml)
    } else if text.starts_with("eyJ") && text.split('.').count() == 3 {
        Some(Form::Token)
    } else {
        None
    }
}

/// What a text, or a word of it, says in Base64 or hexadecimal.
fn encoded(text: &str, encodings: usize) -> Option<Form> {
    let line = on_one_line(text);
    // As `data:` URLs and some frameworks introduce it.
    let introduced =
        line.rsplit_once("base64").map(|(_, rest)| rest.trim_start_matches([':', ',']));
    let whole = [Some(&*line), introduced].into_iter().flatten();
    whole.chain(text.split_whitespace()).find_map(|text| {
        let decoded = [base64(text), hexadecimal(text)];
        decoded.iter().flatten().find_map(|bytes| form_of_bytes(bytes, encodings - 1))
    })
}

fn form_of_bytes(bytes: &[u8], encodings: usize) -> Option<Form> {
    if is_der(bytes) {
        return Some(Form::Der);
    }
    if is_ssh(bytes) {
        return Some(Form::Ssh);
    }
    // PowerShell encodes text as UTF-16, perhaps with its mark.
    let text = bytes.strip_prefix(&[0xff, 0xfe]).unwrap_or(bytes);
    let bytes: Vec<u8> = text.iter().copied().filter(|byte| *byte != 0).collect();
    let text = std::str::from_utf8(&bytes).ok().map(bare)?;
    form(text).or_else(|| if encodings == 0 { None } else { encoded(text, encodings) })
}

/// A key in DER, also one that was cut off.
fn is_der(bytes: &[u8]) -> bool {
    // The beginnings of the identifiers of RSA, of elliptic curves, and of Ed25519 and its like.
    let identifiers: [&[u8]; 3] = [
        &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7],
        &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d],
        &[0x06, 0x03, 0x2b, 0x65],
    ];
    let head = &bytes[..bytes.len().min(32)];
    let names_a_key =
        |identifier: &&[u8]| head.windows(identifier.len()).any(|at| at == *identifier);
    match bytes {
        // A sequence of more than 255 bytes that begins with a sequence or an integer.
        [0x30, 0x82, _, _, 0x30 | 0x02, ..] => true,
        [0x30, ..] => looks_like_a_key(bytes) || identifiers.iter().any(names_a_key),
        _ => false,
    }
}

/// RFC 4253, section 6.6: the length of the key's type, and that type; or a private key's file.
fn is_ssh(bytes: &[u8]) -> bool {
    let is_type = |rest: &[u8]| {
        let types: [&[u8]; 3] = [b"ssh-", b"ecdsa-", b"sk-"];
        types.iter().any(|start| rest.starts_with(start))
    };
    bytes.starts_with(b"openssh-key-v1")
        || bytes.strip_prefix(&[0, 0, 0]).is_some_and(|rest| is_type(rest.get(1..).unwrap_or(&[])))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

    use super::*;
    use crate::trust::samples;

    /// SplitMix64: the same secrets at each run.
    struct Random(u64);

    impl Random {
        fn byte(&mut self) -> u8 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (mixed >> 56) as u8
        }

        fn bytes(&mut self, length: usize) -> Vec<u8> {
            (0..length).map(|_| self.byte()).collect()
        }

        fn text(&mut self, length: usize, letters: &[u8]) -> String {
            let letter = |byte: u8| char::from(letters[usize::from(byte) % letters.len()]);
            self.bytes(length).into_iter().map(letter).collect()
        }
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn random_secrets_pass() {
        let mut random = Random(1);
        let printable: Vec<u8> = (0x21..0x7f).collect();
        let alphanumeric: Vec<u8> = (0x21..0x7f).filter(u8::is_ascii_alphanumeric).collect();
        for _ in 0..5_000 {
            for length in [16, 32, 48, 64] {
                let bytes = random.bytes(length);
                for secret in [
                    hex(&bytes),
                    hex(&bytes).to_uppercase(),
                    STANDARD.encode(&bytes),
                    STANDARD_NO_PAD.encode(&bytes),
                    URL_SAFE_NO_PAD.encode(&bytes),
                    format!("base64:{}", STANDARD.encode(&bytes)),
                    random.text(length, &printable),
                    random.text(length, &alphanumeric),
                    uuid::Builder::from_random_bytes(bytes[..16].try_into().unwrap())
                        .into_uuid()
                        .to_string(),
                ] {
                    assert_eq!(what(&secret), None, "{secret}");
                }
            }
        }
    }

    #[test]
    fn secrets_that_people_think_of_pass() {
        for secret in [
            "!ChangeThisMercureHubJWTSecretKey!",
            "!ChangeMe!",
            "a secret that is long enough for every hash that HMAC may use here, sixty-four bytes",
            "correct horse battery staple",
            "correct-horse-battery-staple.2026",
            "my: secret, with (some) {marks} [in] it / and \\ more",
            "{not}[json]",
            "[3k!x",
            "<3 mercure",
            "$ecret-$ecret-$ecret",
            "$2y$10$abcdefghijklmnopqrstuv",
            "50%off%",
            "/k4+Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9v=",
            "pässwörter sind auch geheim",
            "-----",
            "eyJ.",
            "base64é",
            "0x30",
            "3000",
            "MA==",
            "",
        ] {
            assert_eq!(what(secret), None, "{secret}");
        }
    }

    #[test]
    fn a_public_key_is_none_in_whatever_wrapping() {
        for (name, der) in samples::all() {
            let pem = samples::pem("PUBLIC KEY", &der);
            let utf16: Vec<u8> = pem.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let lines = |text: &str| {
                let lines: Vec<&[u8]> = text.as_bytes().chunks(76).collect();
                String::from_utf8(lines.join(&b'\n')).unwrap()
            };
            let colons: Vec<String> = der.iter().map(|byte| format!("{byte:02X}")).collect();
            for text in [
                format!("\"{pem}\""),
                format!("Bag Attributes\n{pem}"),
                STANDARD.encode(&pem),
                STANDARD.encode(pem.replace('\n', "\r\n")),
                STANDARD.encode(format!("\u{feff}{pem}")),
                STANDARD_NO_PAD.encode(&pem),
                URL_SAFE.encode(&pem),
                lines(&STANDARD.encode(&pem)),
                lines(&STANDARD.encode(&pem)).replace('\n', "\\n"),
                format!("'{}'", STANDARD.encode(&pem)),
                format!("data:application/x-pem-file;base64,{}", STANDARD.encode(&pem)),
                STANDARD.encode(STANDARD.encode(&pem)),
                STANDARD.encode(STANDARD.encode(STANDARD.encode(&pem))),
                STANDARD.encode(&utf16),
                STANDARD.encode([&[0xff, 0xfe], &utf16[..]].concat()),
                hex(pem.as_bytes()),
                STANDARD.encode(&der),
                URL_SAFE_NO_PAD.encode(&der),
                lines(&STANDARD.encode(&der)),
                format!("{}\n", STANDARD.encode(&der)).repeat(2),
                // Its last line was lost.
                STANDARD.encode(&der[..40]),
                hex(&der),
                hex(&der).to_uppercase(),
                format!("0x{}", hex(&der)),
                colons.join(":"),
                colons.join(" "),
            ] {
                assert!(what(&text).is_some(), "{name}: {text}");
            }
        }
    }

    #[test]
    fn a_jwk_is_none_in_whatever_wrapping() {
        let jwk =
            r#"{"kty":"OKP","crv":"Ed25519","x":"AYGosms0F2LIl0uR9eAskcbZFcQIVSD1nMoyPcdqTV0"}"#;
        for jwk in [
            jwk.to_owned(),
            jwk.replace(':', ": "),
            format!("{{\"keys\":[{jwk}]}}"),
            format!("[{jwk}]"),
            jwk.replace('"', ""),
        ] {
            for text in [
                format!("'{jwk}'"),
                format!("[{jwk}, {jwk}]"),
                STANDARD.encode(&jwk),
                URL_SAFE_NO_PAD.encode(&jwk),
                hex(jwk.as_bytes()),
                serde_json::Value::from(jwk.as_str()).to_string(),
            ] {
                assert!(what(&text).is_some(), "{text}");
            }
        }
    }

    #[test]
    fn keys_of_other_tools_are_named() {
        let ssh = "AAAAC3NzaC1lZDI1NTE5AAAAIAGBqLJrNBdiyJdLkfXgLJHG2RXECFUg9ZzKMj3Hak1d";
        for (text, named) in [
            (format!("ssh-ed25519 {ssh} me@example.com"), "an SSH key"),
            (ssh.to_owned(), "an SSH key"),
            (format!("{ssh} me@example.com"), "an SSH key"),
            (format!("hub.example.com ssh-ed25519 {ssh}"), "an SSH key"),
            (STANDARD.encode(format!("ssh-ed25519 {ssh}")), "an SSH key"),
            (format!("---- BEGIN SSH2 PUBLIC KEY ----\n{ssh}\n---- END"), "an SSH key"),
            ("b3BlbnNzaC1rZXktdjEAAAAABG5vbmU".to_owned(), "an SSH key"),
            ("<RSAKeyValue><Modulus>AQAB</Modulus></RSAKeyValue>".to_owned(), "in XML"),
            (STANDARD.encode("<?xml version=\"1.0\"?><RSAKeyValue/>"), "in XML"),
            ("BEGIN PUBLIC KEY MCowBQYDK2Vw END PUBLIC KEY".to_owned(), "PEM"),
            ("eyJhbGciOiJIUzI1NiJ9.eyJtZXJjdXJlIjp7fX0.AAAA".to_owned(), "a token"),
        ] {
            assert!(
                what(&text).is_some_and(|what| what.contains(named)),
                "{text}: {:?}",
                what(&text)
            );
        }
    }
}
