//! Texts that stand where a shared secret should, and are none.
//!
//! A public key in a wrapping that is not read here would become a secret that everybody has, and
//! with it anybody could sign tokens (RFC 8725, sections 3.1 and 3.5). So would a text that only
//! [stands in](crate::trust::stand_in) for a secret. Random secrets look like none of these.

use serde::de::IgnoredAny;

use crate::trust::encodings::{base64_within, hexadecimal_within};
use crate::trust::stand_in;

/// How often a text may have been encoded: `.env` files hold Base64 of files that hold Base64.
const ENCODINGS: usize = 3;

/// With an empty secret, too, anybody could sign.
const EMPTY: &str = "is empty; set it to the secret that tokens are signed with, or leave it out";

/// Fewer bytes hold no key, whatever they say.
const SHORTEST: usize = 12;

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
    if bare(text).is_empty() {
        return Some(EMPTY);
    }
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
    let is_name = |rest: &str| rest.starts_with(['"', '\'', ':', '\\']);
    let names = |name: &&str| content.split(name).skip(1).any(is_name);
    has_names
        || ["kty", "keys"].iter().any(names)
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
    let around = ['"', '\'', '\u{feff}', char::REPLACEMENT_CHARACTER];
    text.trim_matches(|character: char| character.is_whitespace() || around.contains(&character))
}

/// What a text is as it stands.
fn form(text: &str) -> Option<Form> {
    let holds = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let is_xml = text.starts_with('<') && holds(&["</", "/>"]) && text.ends_with('>');
    if text.contains("BEGIN SSH2") || text.starts_with("PuTTY-User-Key-File") {
        Some(Form::Ssh)
    } else if holds(&["-----BEGIN", "KEY-----", "-----END"])
        || text.contains("BEGIN ") && holds(&["KEY", "CERTIFICATE"])
    {
        Some(Form::Pem)
    } else if is_json(text) || holds(&["\"kty", "\"RSA\"", "\"OKP\""]) {
        Some(Form::Jwk)
    } else if is_xml {
        Some(Form::Xml)
    } else if text.starts_with("eyJ") && text.split('.').count() == 3 {
        Some(Form::Token)
    } else {
        None
    }
}

/// What a text says in Base64 or hexadecimal.
fn encoded(text: &str, encodings: usize) -> Option<Form> {
    let left = encodings.checked_sub(1)?;
    let decoded = base64_within(text).chain(hexadecimal_within(text));
    decoded.filter(|bytes| bytes.len() >= SHORTEST).find_map(|bytes| form_of_bytes(&bytes, left))
}

fn form_of_bytes(bytes: &[u8], encodings: usize) -> Option<Form> {
    if let Some(form) = (0..bytes.len()).find_map(|from| form_at(&bytes[from..])) {
        return Some(form);
    }
    // PowerShell encodes text as UTF-16.
    let bytes: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
    let text = String::from_utf8_lossy(&bytes);
    let is_letter = |byte: &&u8| byte.is_ascii_alphanumeric();
    let is_encoded = bytes.iter().filter(is_letter).count() > bytes.len() / 2;
    form(bare(&text)).or_else(|| if is_encoded { encoded(&text, encodings) } else { None })
}

/// What holds these bytes, at whatever place. They are five or more, so that no random secret has
/// them.
fn form_at(bytes: &[u8]) -> Option<Form> {
    match bytes {
        // The identifiers of RSA, of elliptic curves, of Ed25519 and its like, and of ML-DSA.
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, ..]
        | [0x2a, 0x86, 0x48, 0xce, 0x3d, ..]
        | [0x2b, 0x81, 0x04, 0x00, 0x0a | 0x22 | 0x23, ..]
        | [0x06, 0x03, 0x2b, 0x65, 0x6e..=0x71, ..]
        | [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, ..]
        // Around that of Ed25519 and Ed448, if a stray character broke it.
        | [0x30, 0x2a | 0x43, 0x30, 0x05, 0x06, ..]
        | [0x65, 0x70 | 0x71, 0x03, 0x21 | 0x3a, 0x00, ..]
        // The moduli of RSA keys of 2048, 3072 or 4096 bits, and of 1024; and the usual exponent.
        | [0x02, 0x82, 0x01 | 0x02, 0x01 | 0x81, 0x00, ..]
        | [0x81, 0x89, 0x02, 0x81, 0x81, 0x00, ..]
        | [0x02, 0x03, 0x01, 0x00, 0x01, ..] => Some(Form::Der),
        // RFC 4253, section 6.6: the length of the key's type, and that type.
        [0, 0, 0, _, b's', b's', b'h', b'-', ..]
        | [0, 0, 0, _, b'e', b'c', b'd', b's', b'a', ..]
        | [0, 0, 0, _, b's', b'k', b'-', ..] => Some(Form::Ssh),
        _ if bytes.starts_with(b"openssh-key-v1") => Some(Form::Ssh),
        _ => None,
    }
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
            "pay$(5){or}%more%",
            "a${b}c$(d)e{$f}g",
            "$2y$10$abcdefghijklmnopqrstuv",
            "50%off%",
            "/k4+Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9v=",
            "pässwörter sind auch geheim",
            "-----",
            "eyJ.",
            "[all my monkeys dance at night, really]",
            "{turkeys-are-birds-9271-and-so-on}",
            "ssh-is-how-we-connect-to-the-moon",
            "my W13 secret is long enough for everybody",
            "the e30 secret of thirty-two bytes and more",
            "W10=",
            "MDAwMDAwMDAwMDAwMDAwMDAwMDA=",
            "12345678901234567890123456789012",
            "My secret MAMCAQc= is",
            "base64é",
            "0x30",
            "3000",
            "MA==",
        ] {
            assert_eq!(what(secret), None, "{secret}");
        }
    }

    #[test]
    fn a_public_key_is_none_in_whatever_wrapping() {
        for (name, der) in samples::all() {
            let pem = samples::pem("PUBLIC KEY", &der);
            let utf16: Vec<u8> = pem.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let big_endian: Vec<u8> = pem.encode_utf16().flat_map(u16::to_be_bytes).collect();
            let base64 = STANDARD.encode(&der);
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
                STANDARD.encode(&big_endian),
                STANDARD.encode([&[0xfe, 0xff], &big_endian[..]].concat()),
                hex(pem.as_bytes()),
                base64.clone(),
                URL_SAFE_NO_PAD.encode(&der),
                base64.replace('=', "%3D"),
                lines(&base64),
                format!("{base64}\n").repeat(2),
                format!("PUBLIC_KEY={base64}"),
                format!("key:{base64}"),
                format!("({base64})"),
                format!("[{base64}]"),
                format!("{base64},{base64}"),
                format!("a-{base64};"),
                // Its last line was lost.
                STANDARD.encode(&der[..40]),
                hex(&der),
                hex(&der).to_uppercase(),
                format!("0x{}", hex(&der)),
                format!("0X{}", hex(&der)),
                format!("hex:{}", hex(&der)),
                format!("\\x{}", colons.join("\\x")),
                format!("{{0x{}}}", colons.join(", 0x")),
                colons.join(":"),
                colons.join("-"),
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
    fn a_lost_or_stray_character_makes_no_secret_of_a_key() {
        let jwk =
            r#"{"kty":"OKP","crv":"Ed25519","x":"AYGosms0F2LIl0uR9eAskcbZFcQIVSD1nMoyPcdqTV0"}"#;
        let mut texts =
            vec![STANDARD.encode(jwk), STANDARD.encode(samples::rsa_jwk(2048, &[1, 0, 1]))];
        // Of 512 bits nobody has a key.
        for (_, der) in samples::all().into_iter().filter(|(name, _)| *name != "short RSA") {
            let pem = samples::pem("PUBLIC KEY", &der);
            texts.extend([STANDARD.encode(&der), STANDARD.encode(pem), hex(&der)]);
        }
        for text in texts {
            for at in (0..text.len().min(80)).chain(text.len() - 8..text.len()) {
                let (before, behind) = text.split_at(at);
                for text in [
                    format!("{before}{}", &behind[1..]),
                    format!("{before},{behind}"),
                    format!("{before}a{behind}"),
                    format!("{before} {behind}…"),
                    format!("{before}\u{0}{behind}"),
                ] {
                    assert!(what(&text).is_some(), "{at}: {text}");
                }
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
