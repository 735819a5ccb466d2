//! `AF_ALG`: `(type, name[, feat[, mask]])`, the kernel's crypto API.

use std::ffi::CStr;

use pyo3::prelude::*;
use socket2::SockAddr;

use crate::address::context::{Context, Origin, tuple};
use crate::address::sockaddr::{bytes_of, field, of_fields};
use crate::error::{Error, Result};
use crate::interpreter::format::{Format, Text};
use crate::interpreter::make::{self, IntoObject};

/// The sizes of `salg_type` and `salg_name`, each with its terminating NUL.
const TYPE_SIZE: usize = 14;
const NAME_SIZE: usize = 64;

/// A `sockaddr_alg` of `<linux/if_alg.h>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alg {
    /// The type of algorithm: `hash`, `skcipher`, `aead`, `rng`.
    kind: [u8; TYPE_SIZE],
    /// The algorithm's name, such as `sha256`.
    name: [u8; NAME_SIZE],
    /// The requested features, a bit for each.
    feat: u32,
    /// The mask of the bits of `feat` that are valid.
    mask: u32,
}

impl Alg {
    /// An address; `ValueError` for a type or a name that is too long.
    pub fn new(kind: &[u8], name: &[u8], feat: u32, mask: u32) -> Result<Self> {
        if kind.len() >= TYPE_SIZE {
            return Err(Error::value("AF_ALG type too long."));
        }
        if name.len() >= NAME_SIZE {
            return Err(Error::value("AF_ALG name too long."));
        }
        Ok(Alg { kind: field(kind, 0), name: field(name, 0), feat, mask })
    }

    /// Encodes the kernel's form.
    pub fn encode(&self) -> SockAddr {
        let (feat, mask) = (self.feat.to_ne_bytes(), self.mask.to_ne_bytes());
        of_fields(libc::AF_ALG, &[&self.kind, &feat, &mask, &self.name])
    }

    /// Decodes the kernel's form.
    pub fn decode(bytes: &[u8]) -> Self {
        Alg {
            kind: field(bytes, 2),
            feat: u32::from_ne_bytes(field(bytes, 16)),
            mask: u32::from_ne_bytes(field(bytes, 20)),
            name: field(bytes, 24),
        }
    }

    /// The type, up to its NUL.
    pub fn kind(&self) -> &[u8] {
        before_nul(&self.kind)
    }

    /// The name, up to its NUL.
    pub fn name(&self) -> &[u8] {
        before_nul(&self.name)
    }
}

fn before_nul(text: &[u8]) -> &[u8] {
    CStr::from_bytes_until_nul(text).map_or(text, CStr::to_bytes)
}

/// Parses `(type, name[, feat[, mask]])`.
pub fn from_python(context: Context<'_>, address: &Bound<'_, PyAny>) -> Result<SockAddr> {
    const FORMAT: Format<(Text, Text, u16, u16)> =
        Format::new(c"ss|HH;AF_ALG address must be a tuple (type, name[, feat[, mask]])");
    let address = tuple(context, "AF_ALG", address)?;
    let (kind, name, feat, mask) = FORMAT.tuple(address, (None, None, 0, 0))?;
    let [kind, name] = [kind, name].map(|text| text.unwrap_or_default().to_bytes());
    let alg = Alg::new(kind, name, feat.into(), mask.into())?;
    Ok(alg.encode())
}

/// An address as `(type, name, feat, mask)`.
pub fn to_python<'py>(py: Python<'py>, address: &SockAddr, _origin: Origin<'_>) -> Result<Bound<'py, PyAny>> {
    let alg = Alg::decode(bytes_of(address));
    let kind = make::utf8(py, alg.kind())?;
    let name = make::utf8(py, alg.name())?;
    (kind, name, alg.feat, alg.mask).into_object(py)
}

#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use super::*;

    fn bytes() -> [u8; 88] {
        let mut bytes = [0; 88];
        bytes[0] = 38;
        bytes[2..6].copy_from_slice(b"hash");
        bytes[16..24].copy_from_slice(&[1, 2, 0, 0, 3, 4, 0, 0]);
        bytes[24..28].copy_from_slice(b"sha1");
        bytes
    }

    #[test]
    fn an_address_survives_a_round_trip() {
        let alg = Alg::new(b"hash", b"sha1", 0x0201, 0x0403).unwrap();
        assert_eq!(bytes_of(&alg.encode()), bytes());
        assert_eq!(Alg::decode(&bytes()), alg);
        assert_eq!(bytes().len(), size_of::<libc::sockaddr_alg>());
    }

    #[test]
    fn a_text_that_is_too_long_is_refused() {
        assert!(Alg::new(&[b'x'; 13], &[b'y'; 63], 0, 0).is_ok());
        assert!(Alg::new(&[b'x'; 14], b"", 0, 0).is_err());
        assert!(Alg::new(b"", &[b'y'; 64], 0, 0).is_err());
    }

    #[test]
    fn a_text_without_a_nul_is_read_to_its_end() {
        let mut bytes = [b'x'; 88];
        bytes[87] = b'y';
        let alg = Alg::decode(&bytes);
        assert_eq!(alg.kind(), [b'x'; 14]);
        assert_eq!(alg.name(), [&[b'x'; 63][..], b"y"].concat());
    }

    #[test]
    fn missing_bytes_decode_as_zeros() {
        assert_eq!(Alg::decode(&[]), Alg::new(b"", b"", 0, 0).unwrap());
        assert_eq!(Alg::decode(&bytes()[..4]).kind(), b"ha");
        assert_eq!(Alg::decode(&bytes()[..17]).feat, 1);
        assert_eq!(Alg::decode(&bytes()[..27]).name(), b"sha");
    }
}
