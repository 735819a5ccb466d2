//! The value of a socket option, of any length. `getsockopt` returns no more than 1,024 bytes (gh-112740).

use std::ffi::c_int;
use std::io;

use pyo3::prelude::*;

use crate::error::{Error, Result};
use crate::interpreter::ObjectResult;
use crate::interpreter::arguments::Keywords;
use crate::interpreter::make;
use crate::interpreter::number::as_int;
use crate::interpreter::signature::Signature;
use crate::socket::object::SocketRef;
use crate::sys;
use crate::sys::memory;

/// The first size to try, and the largest. Every filter of the kernel's (at most 4,096 instructions of 8 bytes) fits the first one.
const FIRST_SIZE: usize = 32 * 1024;
const LARGEST_SIZE: usize = 64 * 1024 * 1024;

/// `getsockopt_bytes(level, option, size=None)`.
pub fn getsockopt_bytes<'py>(this: SocketRef<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    const SIGNATURE: Signature<3> = Signature {
        qualified_name: "socket.getsockopt_bytes",
        declaration: "self, level, option, size=None",
        names: ["level", "option", "size"],
        positional: 3,
        required: 2,
    };
    let [level, option, size] = SIGNATURE.bind(Some(&this.object()), arguments)?;
    let int = |given: Option<Bound<'py, PyAny>>| given.map_or(Ok(0), |given| as_int(&given));
    let (level, option) = (int(level)?, int(option)?);
    let value = match size.filter(|size| !size.is_none()) {
        Some(size) => {
            let size = usize::try_from(as_int(&size)?).ok().filter(|&size| size > 0);
            let size = size.ok_or_else(|| Error::value("size must be positive"))?;
            Value::read(this, level, option, size)??
        }
        None => whole(this, level, option)?,
    };
    make::bytes(this.py(), value.bytes())
}

/// The value of an option with as much memory as it takes.
fn whole(this: SocketRef<'_, '_>, level: c_int, option: c_int) -> Result<Value> {
    let mut size = FIRST_SIZE;
    loop {
        let least = match Value::read(this, level, option, size)? {
            Ok(value) if value.length < size => return Ok(value),
            // A value that fills the memory may have been cut. Some options report what they would have needed.
            Ok(value) => value.length.max(size + 1),
            Err(error) if is_too_short(&error) => size + 1,
            Err(error) => return Err(error.into()),
        };
        if least > LARGEST_SIZE {
            return Err(Error::errno(libc::ERANGE));
        }
        size = (size * 2).max(least).min(LARGEST_SIZE);
    }
}

/// Whether an option's value did not fit: `ERANGE` of `SO_PEERGROUPS`, `SO_PEERSEC` and `CAN_RAW_FILTER`, `ENOSPC` of RDS.
fn is_too_short(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ERANGE | libc::ENOSPC))
}

/// What one system call has returned.
struct Value {
    memory: Vec<u8>,
    /// How long the value is, as the kernel reports it: more than the memory, for some options that were cut.
    length: usize,
}

impl Value {
    /// Makes the call; the outer error is that there is no memory. The socket is looked up last: an argument's `__index__` may have closed it.
    fn read(this: SocketRef<'_, '_>, level: c_int, option: c_int, size: usize) -> Result<io::Result<Self>> {
        let mut memory = memory::try_zeroed(size).ok_or(Error::NoMemory)?;
        let length = this
            .socket()
            .descriptor()
            .attached(this.py(), |fd| sys::socket::getsockopt(fd, level, option, &mut memory));
        Ok(length.map(|length| Value { memory, length }))
    }

    fn bytes(&self) -> &[u8] {
        &self.memory[..self.length.min(self.memory.len())]
    }
}
