//! `AF_SYSTEM` with `SYSPROTO_CONTROL`: the name of a kernel control, or `(id, unit)`.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};
use socket2::SockAddr;

use crate::address::context::{Context, Origin};
use crate::address::sockaddr::{bytes_of, field, of_fields};
use crate::error::{Error, Result};
use crate::interpreter::format::{Format, FsPath};
use crate::interpreter::make::IntoObject;
use crate::sys::macos::kernel_control;

/// `AF_SYS_CONTROL` of `<sys/sys_domain.h>`, the subsystem in the address.
const SUBSYSTEM: u16 = libc::AF_SYS_CONTROL as u16;

/// A `sockaddr_ctl` of `<sys/kern_control.h>`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KernelControl {
    /// The number that the kernel gave the control (`sc_id`).
    pub id: u32,
    /// The control's own number for a connection (`sc_unit`); 0 lets it choose.
    pub unit: u32,
}

impl KernelControl {
    /// Encodes the kernel's form.
    pub fn encode(&self) -> SockAddr {
        let reserved = [0; 20];
        of_fields(
            libc::AF_SYSTEM,
            &[&SUBSYSTEM.to_ne_bytes(), &self.id.to_ne_bytes(), &self.unit.to_ne_bytes(), &reserved],
        )
    }

    /// Decodes the kernel's form.
    pub fn decode(bytes: &[u8]) -> Self {
        KernelControl { id: u32::from_ne_bytes(field(bytes, 4)), unit: u32::from_ne_bytes(field(bytes, 8)) }
    }
}

/// Parses a name, for which the kernel is asked, or `(id, unit)`.
pub fn from_python(context: Context<'_>, address: &Bound<'_, PyAny>) -> Result<SockAddr> {
    if context.proto != libc::SYSPROTO_CONTROL {
        return Err(Error::os(format_args!("{}(): unsupported PF_SYSTEM protocol", context.caller)));
    }
    let control = match address.cast::<PyString>() {
        Ok(name) => KernelControl { id: id_of(context, name)?, unit: 0 },
        Err(_) => pair_from_python(context, address)?,
    };
    Ok(control.encode())
}

fn id_of(context: Context<'_>, name: &Bound<'_, PyString>) -> Result<u32> {
    const FORMAT: Format<(FsPath,)> = Format::new(c"O&");
    let py = name.py();
    let (name,) = FORMAT.object(name, (None,))?;
    let name: &[u8] = name.as_ref().map_or(&[], |name: &Bound<'_, PyBytes>| name.as_bytes());
    if name.len() > kernel_control::NAME_SIZE {
        return Err(Error::value("provided string is too long"));
    }
    let found = context.descriptor.attached(py, |fd| kernel_control::id_of(fd, name));
    found.map_err(|_| Error::os("cannot find kernel control with provided name"))
}

fn pair_from_python(context: Context<'_>, address: &Bound<'_, PyAny>) -> Result<KernelControl> {
    const FORMAT: Format<(u32, u32)> = Format::new(c"II");
    let parsed = match address.cast::<PyTuple>() {
        Ok(pair) => FORMAT.tuple(pair, (0, 0)),
        Err(_) => return Err(no_address(context)),
    };
    // As in CPython, whatever is wrong with the pair.
    let (id, unit) = parsed.map_err(|error| {
        if error.is_no_memory(address.py()) {
            return error;
        }
        error.discard(address.py());
        no_address(context)
    })?;
    Ok(KernelControl { id, unit })
}

fn no_address(context: Context<'_>) -> Error {
    Error::type_error(format_args!("{}(): PF_SYSTEM address must be a str or a pair (id, unit)", context.caller))
}

/// An address as `(id, unit)`. `ValueError` for an unknown protocol.
pub fn to_python<'py>(py: Python<'py>, address: &SockAddr, origin: Origin<'_>) -> Result<Bound<'py, PyAny>> {
    if origin.proto != libc::SYSPROTO_CONTROL {
        return Err(Error::value("Invalid address type"));
    }
    let KernelControl { id, unit } = KernelControl::decode(bytes_of(address));
    (id, unit).into_object(py)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTROL: KernelControl = KernelControl { id: 0x0403_0201, unit: 7 };
    const BYTES: [u8; 12] = [32, 32, 2, 0, 1, 2, 3, 4, 7, 0, 0, 0];

    #[test]
    fn an_address_survives_a_round_trip() {
        let address = CONTROL.encode();
        let bytes = bytes_of(&address);
        assert_eq!(bytes.len(), size_of::<libc::sockaddr_ctl>());
        assert_eq!(bytes[..12], BYTES);
        assert_eq!(bytes[12..], [0; 20]);
        assert_eq!(KernelControl::decode(&BYTES), CONTROL);
    }

    #[test]
    fn missing_bytes_decode_as_zeros() {
        assert_eq!(KernelControl::decode(&[]), KernelControl::default());
        assert_eq!(KernelControl::decode(&BYTES[..5]), KernelControl { id: 1, unit: 0 });
    }
}
