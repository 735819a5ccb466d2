//! `AF_UNIX`: a path as `str`, bytes or `os.PathLike`; bytes that begin with NUL are in Linux's abstract namespace (unix(7)).

use std::ffi::CStr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;
use socket2::SockAddr;

use super::context::{Context, Origin};
use super::sockaddr::{bytes_of, of_fields};
use crate::call::failure::Failure;
use crate::call::hooks;
use crate::error::{Error, Result};
use crate::interpreter::buffer::{Buffer, Readable};
use crate::interpreter::format::Format;
use crate::interpreter::{make, owned};
use crate::name;
use crate::sys::sockaddr::{HAS_ABSTRACT_NAMES, PATH_SIZE};

/// Parses a path or an abstract name. `OSError` if it is too long, `ValueError` for a path with a NUL.
pub fn from_python(_context: Context<'_>, address: &Bound<'_, PyAny>) -> Result<SockAddr> {
    const FORMAT: Format<(Readable,)> = Format::new(c"y*");
    let (path,) = FORMAT.object(&encoded(address)?, (None,))?;
    let path = path.as_ref().map_or(&[][..], Buffer::bytes);
    encode(path).map_err(|error| match longest(path) {
        longest if path.len() > longest => {
            hooks::failed(address.py(), error, Failure::Path { length: path.len(), longest })
        }
        _ => error,
    })
}

/// The bytes of an address: a `str` in the file system's encoding (PEP 383; a NUL is allowed), an `os.PathLike` as its path, and any other
/// object unchanged.
fn encoded<'py>(address: &Bound<'py, PyAny>) -> Result<Bound<'py, PyAny>> {
    let py = address.py();
    let is_path_like = !address.is_instance_of::<PyString>() && address.get_type().hasattr(name!(py, "__fspath__")?)?;
    let path = if is_path_like {
        // Once, and not again for what it returns: that must be a str or bytes.
        // SAFETY: `address` is an object; the call returns an owned reference, or null with an exception set.
        unsafe { owned(py, ffi::PyOS_FSPath(address.as_ptr()))? }
    } else {
        address.clone()
    };
    if !path.is_instance_of::<PyString>() {
        return Ok(path);
    }
    // SAFETY: `path` is a str; the call returns an owned reference, or null with an exception set.
    unsafe { owned(py, ffi::PyUnicode_EncodeFSDefault(path.as_ptr())) }
}

/// Whether the bytes are a name in the abstract namespace, or ask for one.
pub fn is_abstract(path: &[u8]) -> bool {
    HAS_ABSTRACT_NAMES && path.first().is_none_or(|&first| first == 0)
}

/// How many bytes fit: a path needs a terminating NUL.
fn longest(path: &[u8]) -> usize {
    if is_abstract(path) { PATH_SIZE } else { PATH_SIZE - 1 }
}

/// Lays a path out as a `sockaddr_un`. For an empty path the kernel chooses an abstract name at bind (autobind, unix(7)).
fn encode(path: &[u8]) -> Result<SockAddr> {
    let is_abstract = is_abstract(path);
    if path.len() > longest(path) {
        return Err(Error::os("AF_UNIX path too long"));
    }
    if !is_abstract && path.contains(&0) {
        // The kernel would end the path at the NUL, and use another file.
        return Err(Error::value("embedded null byte in AF_UNIX path"));
    }
    let end: &[u8] = if is_abstract { &[] } else { &[0] };
    Ok(of_fields(libc::AF_UNIX, &[path, end]))
}

/// A path as `str`, or an abstract name as bytes. An unnamed socket has the path `''`.
pub fn to_python<'py>(py: Python<'py>, address: &SockAddr, _origin: Origin<'_>) -> Result<Bound<'py, PyAny>> {
    let path = path_of(address);
    if path.first() == Some(&0) { make::bytes(py, path) } else { make::system_text(py, path) }
}

/// The path or the abstract name in an address; empty for an unnamed socket.
pub fn path_of(address: &SockAddr) -> &[u8] {
    let path = bytes_of(address).get(2..).unwrap_or_default();
    if is_abstract(path) {
        return path;
    }
    CStr::from_bytes_until_nul(path).map_or(path, CStr::to_bytes)
}

#[cfg(test)]
#[cfg(all(target_endian = "little", target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_path_ends_with_nul() {
        let address = encode(b"/tmp/s").unwrap();
        assert_eq!(bytes_of(&address), b"\x01\x00/tmp/s\x00");
    }

    #[test]
    fn an_abstract_name_has_no_terminating_nul() {
        let address = encode(b"\0name\0").unwrap();
        assert_eq!(bytes_of(&address), b"\x01\x00\0name\0");
        assert_eq!(bytes_of(&encode(b"").unwrap()), b"\x01\x00");
    }

    #[test]
    fn a_path_that_is_too_long_or_has_a_nul_is_refused() {
        assert!(encode(&[b'x'; 107]).is_ok());
        assert!(encode(&[b'x'; 108]).is_err());
        assert!(encode(&[0; 108]).is_ok());
        assert!(encode(&[0; 109]).is_err());
        assert!(encode(b"before\0after").is_err());
    }
}
