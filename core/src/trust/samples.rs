//! Public keys for tests. Whoever has their private keys has thrown them away.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// Keys in Base64 of DER.
pub(super) const P256: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEPQTM3wiCEQBHJyErR7YsqNt0/BZe3k3SRMDjreY89Mice2kotU8NCYiKZwIdld6tk1ARom13inB+29F8GBBJVw==";
pub(super) const P256_COMPRESSED: &str =
    "MDkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDIgADVnYvbpPDwCUy+veFpWgMsN+9gO/QGrbKVB/yKXzyyx8=";
pub(super) const P384: &str = "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEkjo9sQDfVBRtXIOA+hhlGwvYYx4g/It/yuPKswVaDFraSCPOmc/F6Nsz2zz5k1IsjxmwxZBlUd82UZYcm1j7eDgKYd35mmwqosy11vN1nmoQe6JK1CjwqgUMVa5Zqnhw";
pub(super) const P521: &str = "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQAcBAjBE67nIJbD6tgBq6ZikJIQF2I4cWRoFNrxBjqwNW6728csM171yvygjbo2FYppau7M4sXZaO0LSCpucVosMwAn72CIhLkw+U5+76dryicwRrIWbqunaTduSqX3+9mzEItM7nQivnikYezVPQAuPOXHArJOCQ/TF616+SljmX0qKU=";
pub(super) const SECP256K1: &str = "MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEgI1aTiYrlR1SrhQkdSM887B9AI0YGch+r/e9kD3q8Y9TPmnCwRMgPBs+UndwDI2+Z7WUIXPgKJEzUuJ5hg/5VA==";
pub(super) const ED25519: &str = "MCowBQYDK2VwAyEAAYGosms0F2LIl0uR9eAskcbZFcQIVSD1nMoyPcdqTV0=";
pub(super) const ED448: &str =
    "MEMwBQYDK2VxAzoAa2MiB1ZS1DqN036WldoU0y7wI6TKcJj9fxhAhLEEmVqDrHVxN7fmdCNDVf2TfxWMW6iHL/DEGGKA";

/// DER of these in Base64.
pub(super) fn der(base64: &str) -> Vec<u8> {
    STANDARD.decode(base64).unwrap()
}

/// PEM with this label, in lines of 64 characters.
pub(super) fn pem(label: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
    let length = match (high, low) {
        (0, 0..=0x7f) => vec![low],
        (0, _) => vec![0x81, low],
        _ => vec![0x82, high, low],
    };
    [&[tag][..], &length, content].concat()
}

/// A modulus of this many bits, which nobody can factor or sign with.
pub(super) fn modulus(bits: usize) -> Vec<u8> {
    let mut modulus = vec![0x5a; bits.div_ceil(8)];
    modulus[0] = 1 << ((bits - 1) % 8);
    modulus.last_mut().map(|last| *last |= 1).unwrap();
    modulus
}

/// An RSA key as `-----BEGIN RSA PUBLIC KEY-----` has it.
pub(super) fn rsa_pkcs1(bits: usize, exponent: &[u8]) -> Vec<u8> {
    let is_negative = |number: &[u8]| number.first().is_some_and(|first| *first >= 0x80);
    let positive = |number: &[u8]| match is_negative(number) {
        true => [&[0][..], number].concat(),
        false => number.to_vec(),
    };
    let numbers =
        [element(0x02, &positive(&modulus(bits))), element(0x02, &positive(exponent))].concat();
    element(0x30, &numbers)
}

/// An RSA key as `-----BEGIN PUBLIC KEY-----` has it, with the last byte of its type: 1 for
/// rsaEncryption, 10 for id-RSASSA-PSS.
pub(super) fn rsa_spki(bits: usize, kind: u8) -> Vec<u8> {
    let identifier = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, kind];
    let key = [&[0][..], &rsa_pkcs1(bits, &[1, 0, 1])].concat();
    element(0x30, &[element(0x30, &identifier), element(0x03, &key)].concat())
}

pub(super) fn rsa_jwk(bits: usize, exponent: &[u8]) -> String {
    let (n, e) = (URL_SAFE_NO_PAD.encode(modulus(bits)), URL_SAFE_NO_PAD.encode(exponent));
    format!(r#"{{"kty": "RSA", "n": "{n}", "e": "{e}"}}"#)
}

/// Every public key here, by name, in DER.
pub(super) fn all() -> Vec<(&'static str, Vec<u8>)> {
    let named = [
        ("P-256", P256),
        ("P-256, compressed", P256_COMPRESSED),
        ("P-384", P384),
        ("P-521", P521),
        ("secp256k1", SECP256K1),
        ("Ed25519", ED25519),
        ("Ed448", ED448),
    ];
    let rsa = [
        ("RSA", rsa_spki(2048, 1)),
        ("RSASSA-PSS", rsa_spki(2048, 10)),
        ("short RSA", rsa_spki(512, 1)),
        ("RSA, PKCS #1", rsa_pkcs1(2048, &[1, 0, 1])),
    ];
    named.map(|(name, key)| (name, der(key))).into_iter().chain(rsa).collect()
}
