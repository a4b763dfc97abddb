//! Public keys, in whatever form they were written, and what an algorithm asks of them.
//!
//! What platforms' cryptography would judge differently is checked here, so that a key is good on all
//! platforms or on none. Whether a point is on its curve is left to them: with one that is not they
//! verify nothing.

use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};

use crate::trust::der::{Elements, INTEGER, OBJECT_IDENTIFIER};

// RFC 8017, appendix A.1 and A.2.3; RFC 5480, section 2.1.1; RFC 8410, section 3.
const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const RSASSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a];
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

/// A public key, not yet known to be good for anything.
#[derive(Debug)]
pub(super) enum PublicKey {
    /// Its modulus and exponent, without zeros in front.
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    /// An RSA key that says that it is for PSS alone; no library here reads such.
    RsassaPss,
    /// A point of a curve (SEC 1, section 2.3.3).
    Ec {
        curve: Curve,
        point: Vec<u8>,
    },
    Ed25519(Vec<u8>),
    /// Of a kind that the hub does not know.
    Other,
}

/// An elliptic curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
    Other,
}

impl PublicKey {
    pub(super) fn rsa(modulus: &[u8], exponent: &[u8]) -> Self {
        let stripped = |bytes: &[u8]| bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
        Self::Rsa { modulus: stripped(modulus), exponent: stripped(exponent) }
    }

    /// Reads the content of `-----BEGIN PUBLIC KEY-----` (RFC 5280, section 4.1).
    pub(super) fn from_spki(der: &[u8]) -> Option<Self> {
        let mut whole = Elements::new(der);
        let mut info = whole.sequence()?;
        let mut algorithm = info.sequence()?;
        let key = info.bit_string()?;
        if !whole.is_empty() || !info.is_empty() {
            return None;
        }
        match algorithm.read(OBJECT_IDENTIFIER)? {
            RSA_ENCRYPTION => Self::from_pkcs1(key),
            RSASSA_PSS => Some(Self::RsassaPss),
            EC_PUBLIC_KEY => {
                let curve = match algorithm.read(OBJECT_IDENTIFIER) {
                    Some(P256) => Curve::P256,
                    Some(P384) => Curve::P384,
                    _ => Curve::Other,
                };
                Some(Self::Ec { curve, point: key.to_vec() })
            }
            ED25519 => Some(Self::Ed25519(key.to_vec())),
            _ => Some(Self::Other),
        }
    }

    /// Reads the content of `-----BEGIN RSA PUBLIC KEY-----` (RFC 8017, appendix A.1.1).
    pub(super) fn from_pkcs1(der: &[u8]) -> Option<Self> {
        let mut whole = Elements::new(der);
        let mut key = whole.sequence()?;
        let (modulus, exponent) = (key.read(INTEGER)?, key.read(INTEGER)?);
        // An integer whose first bit is set is negative.
        let is_negative = [modulus, exponent]
            .iter()
            .any(|integer| integer.first().is_none_or(|first| *first >= 0x80));
        let is_whole = whole.is_empty() && key.is_empty() && !is_negative;
        is_whole.then(|| Self::rsa(modulus, exponent))
    }

    /// What verifies with this key, if it is one for the algorithm.
    ///
    /// # Errors
    ///
    /// What is wrong with it, or that the algorithm needs another.
    pub(super) fn decoding_key(&self, algorithm: Algorithm) -> Result<DecodingKey, String> {
        match (self, algorithm.family()) {
            (_, AlgorithmFamily::Hmac) => Err(format!(
                "is {}, and {algorithm:?} takes a shared secret; a public key as a secret would let anybody sign",
                self.kind()
            )),
            (Self::Rsa { modulus, exponent }, AlgorithmFamily::Rsa) => {
                check_rsa(modulus, exponent)?;
                Ok(DecodingKey::from_rsa_raw_components(modulus, exponent))
            }
            (Self::RsassaPss, AlgorithmFamily::Rsa) => Err(
                "is an RSA key of the type id-RSASSA-PSS, and the hub reads the type rsaEncryption alone, also for PS256; give what `openssl rsa -pubin -in KEY -RSAPublicKey_out | sed s/RSA-PSS/RSA/` prints".into(),
            ),
            (Self::Ec { curve, point }, AlgorithmFamily::Ec) if *curve == curve_of(algorithm) => {
                check_point(*curve, point)?;
                Ok(DecodingKey::from_ec_der(point))
            }
            (Self::Ed25519(key), AlgorithmFamily::Ed) if key.len() == 32 => {
                Ok(DecodingKey::from_ed_der(key))
            }
            _ => Err(format!(
                "is {}, and {algorithm:?} needs {}; give such a key, or name the algorithm of this one",
                self.kind(),
                needed_by(algorithm)
            )),
        }
    }

    /// What it is, in words.
    fn kind(&self) -> &'static str {
        match self {
            Self::Rsa { .. } => "a public RSA key",
            Self::RsassaPss => "a public RSA key of the type id-RSASSA-PSS",
            Self::Ec { curve: Curve::P256, .. } => "a public key of the curve P-256",
            Self::Ec { curve: Curve::P384, .. } => "a public key of the curve P-384",
            Self::Ec { curve: Curve::Other, .. } => {
                "a public key of a curve that the hub does not know"
            }
            Self::Ed25519(key) if key.len() == 32 => "a public key of Ed25519",
            Self::Ed25519(_) => "a public key of Ed25519 of a wrong length",
            Self::Other => "a public key of a kind that the hub does not know",
        }
    }
}

/// The key that an algorithm needs, in words.
pub(super) fn needed_by(algorithm: Algorithm) -> &'static str {
    match algorithm.family() {
        AlgorithmFamily::Hmac => "a shared secret",
        AlgorithmFamily::Rsa => "a public RSA key of 2048 to 4096 bits",
        AlgorithmFamily::Ec if algorithm == Algorithm::ES384 => "a public key of the curve P-384",
        AlgorithmFamily::Ec => "a public key of the curve P-256",
        AlgorithmFamily::Ed => "a public key of Ed25519",
    }
}

fn curve_of(algorithm: Algorithm) -> Curve {
    if algorithm == Algorithm::ES384 { Curve::P384 } else { Curve::P256 }
}

/// RFC 7518, section 3.3: at least 2048 bits. Not every library that verifies takes more than 4096.
fn check_rsa(modulus: &[u8], exponent: &[u8]) -> Result<(), String> {
    let bits = bits(modulus);
    if !(2048..=4096).contains(&bits) {
        return Err(format!("is an RSA key of {bits} bits; use one of 2048 to 4096 bits"));
    }
    let is_odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
    // A product of odd primes; and not every library takes another.
    if !is_odd(modulus) {
        return Err("is an RSA key whose modulus is even, so that a part of it must have changed; give it again, as it was made".into());
    }
    // With an exponent of 1 anybody could sign. An odd one of 2 to 33 bits is what all libraries take.
    if !is_odd(exponent) || !(2..=33).contains(&self::bits(exponent)) {
        return Err("is an RSA key with an unusual exponent; make one with 65537, as `openssl genpkey -algorithm RSA` does".into());
    }
    Ok(())
}

/// The length of a number without zeros in front.
fn bits(number: &[u8]) -> usize {
    number.len() * 8 - number.first().map_or(0, |first| first.leading_zeros() as usize)
}

/// SEC 1, section 2.3.3: the first byte says which form a point has.
fn check_point(curve: Curve, point: &[u8]) -> Result<(), String> {
    let coordinate = if curve == Curve::P384 { 48 } else { 32 };
    match point {
        [0x04, coordinates @ ..] if coordinates.len() == 2 * coordinate => Ok(()),
        [0x02 | 0x03, ..] => Err(
            "is a public key whose point is compressed, which not every library reads; give it as `openssl ec -pubin -in KEY -pubout -conv_form uncompressed` prints it".into(),
        ),
        _ => Err("is a public key whose point has a wrong length or form; make it again with `openssl pkey -in PRIVATE_KEY -pubout`".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::samples::{self, modulus};

    fn spki(der: &[u8], algorithm: Algorithm) -> Result<DecodingKey, String> {
        PublicKey::from_spki(der).unwrap().decoding_key(algorithm)
    }

    #[test]
    fn rsa_keys_have_2048_to_4096_bits() {
        for (bits, fits) in [
            (1024, false),
            (2028, false),
            (2047, false),
            (2048, true),
            (2049, true),
            (3072, true),
            (4095, true),
            (4096, true),
            (4097, false),
            (4104, false),
        ] {
            for algorithm in [Algorithm::RS256, Algorithm::PS512] {
                let read = PublicKey::rsa(&modulus(bits), &[1, 0, 1]).decoding_key(algorithm);
                assert_eq!(read.is_ok(), fits, "{bits}");
                assert_eq!(spki(&samples::rsa_spki(bits, 1), algorithm).is_ok(), fits, "{bits}");
                if let Err(what) = read {
                    assert!(what.starts_with(&format!("is an RSA key of {bits} bits")), "{what}");
                }
            }
        }
        let even = [&modulus(2040)[..], &[0]].concat();
        let what = PublicKey::rsa(&even, &[1, 0, 1]).decoding_key(Algorithm::RS256).unwrap_err();
        assert!(what.contains("modulus is even"), "{what}");
        let zeros = [&[0, 0][..], &modulus(2047)].concat();
        assert!(PublicKey::rsa(&zeros, &[1, 0, 1]).decoding_key(Algorithm::RS256).is_err());
    }

    #[test]
    fn exponents_are_those_that_all_libraries_take() {
        for (exponent, fits) in [
            (&[3][..], true),
            (&[1, 0, 1], true),
            (&[0, 1, 0, 1], true),
            (&[1, 255, 255, 255, 255], true),
            (&[], false),
            (&[0], false),
            (&[1], false),
            (&[2], false),
            (&[1, 0, 0], false),
            (&[2, 0, 0, 0, 1], false),
        ] {
            let key = PublicKey::rsa(&modulus(2048), exponent);
            assert_eq!(key.decoding_key(Algorithm::RS256).is_ok(), fits, "{exponent:?}");
        }
    }

    #[test]
    fn a_key_of_type_rsassa_pss_is_called_that() {
        for algorithm in [Algorithm::PS256, Algorithm::RS256, Algorithm::ES256] {
            let what = spki(&samples::rsa_spki(2048, 10), algorithm).unwrap_err();
            assert!(what.contains("id-RSASSA-PSS"), "{what}");
        }
    }

    #[test]
    fn a_compressed_point_is_called_that() {
        let key = samples::der(samples::P256_COMPRESSED);
        let what = spki(&key, Algorithm::ES256).unwrap_err();
        assert!(what.contains("compressed") && what.contains("-conv_form uncompressed"), "{what}");
    }

    #[test]
    fn points_are_whole() {
        let point = |first: u8, length| PublicKey::Ec {
            curve: Curve::P256,
            point: [vec![first], vec![7; length]].concat(),
        };
        assert!(point(4, 64).decoding_key(Algorithm::ES256).is_ok());
        for (first, length) in [(4, 63), (4, 65), (4, 0), (6, 64), (0, 64)] {
            let what = point(first, length).decoding_key(Algorithm::ES256).unwrap_err();
            assert!(what.contains("wrong length or form"), "{what}");
        }
    }

    #[test]
    fn each_key_is_for_its_own_algorithms() {
        use Algorithm::{ES256, ES384, EdDSA};
        for (key, own) in [
            (samples::P256, Some(ES256)),
            (samples::P384, Some(ES384)),
            (samples::ED25519, Some(EdDSA)),
            (samples::P521, None),
            (samples::SECP256K1, None),
            (samples::ED448, None),
        ] {
            let key = samples::der(key);
            for algorithm in [ES256, ES384, EdDSA, Algorithm::RS256] {
                assert_eq!(spki(&key, algorithm).is_ok(), own == Some(algorithm), "{algorithm:?}");
            }
        }
    }

    #[test]
    fn what_is_no_key_is_none() {
        for (name, der) in samples::all() {
            for cut in 0..der.len() {
                assert!(PublicKey::from_spki(&der[..cut]).is_none(), "{name}");
                assert!(PublicKey::from_pkcs1(&der[..cut]).is_none(), "{name}");
            }
            let longer = [&der[..], &[0]].concat();
            assert!(PublicKey::from_spki(&longer).is_none(), "{name}");
        }
    }
}
