//! `sendmsg_afalg`: messages to the kernel's crypto API.

use std::ffi::{CStr, c_int};

use pyo3::prelude::*;
use pyo3::types::PyInt;

use super::message::{readable_buffers, send_message};
use super::object::SocketRef;
use crate::error::{Error, Result};
use crate::interpreter::ObjectResult;
use crate::interpreter::arguments::Keywords;
use crate::interpreter::buffer::{Buffer, Readable};
use crate::interpreter::format::{Format, Instance, Object};
use crate::interpreter::number::as_int;
use crate::sys::ancillary::{self, ControlMessage};
use crate::sys::memory;

/// `sendmsg_afalg([msg], *, op[, iv[, assoclen[, flags]]])`: sends a message to the kernel's crypto API (`AF_ALG`).
pub fn sendmsg_afalg<'py>(this: SocketRef<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    type Units = (Object, Instance<PyInt>, Readable, Instance<PyInt>, c_int);
    const FORMAT: Format<Units> = Format::new(c"|O$O!y*O!i:sendmsg_afalg");
    const NAMES: [&CStr; 5] = [c"msg", c"op", c"iv", c"assoclen", c"flags"];
    let py = this.py();
    if this.socket().family() != libc::AF_ALG {
        return Err(Error::os("algset is only supported for AF_ALG"));
    }
    let (tuple, dict) = (arguments.positional.tuple()?, arguments.dict()?);
    let (message, operation, vector, associated, flags) =
        FORMAT.keywords(NAMES, &tuple, Some(&dict), (None, None, None, None, 0))?;
    let operation = operation_number(py, operation)?;
    let associated = associated.map(|length| associated_length(&length)).transpose()?;
    let data = message.map_or(Ok(Vec::new()), |message| readable_buffers(&message))?;
    let control = algorithm_control(operation, vector.as_ref().map(Buffer::bytes), associated)?;
    send_message(this, &data, &control, None, flags)
}

fn operation_number(py: Python<'_>, operation: Option<Bound<'_, PyAny>>) -> Result<u32> {
    let number = operation.map_or(Ok(-1), |operation| as_int(&operation));
    number
        .or_else(|error| {
            if error.is_no_memory(py) {
                return Err(error);
            }
            error.discard(py);
            Ok(-1)
        })
        .and_then(|number: c_int| {
            u32::try_from(number).map_err(|_| Error::type_error("Invalid or missing argument 'op'"))
        })
}

fn associated_length(length: &Bound<'_, PyAny>) -> Result<u32> {
    u32::try_from(as_int(length)?).map_err(|_| Error::type_error("assoclen must be positive"))
}

/// Encodes the control messages of `linux/if_alg.h`: the operation, the initialisation vector with its length in front, and the length of
/// the associated data.
fn algorithm_control(operation: u32, vector: Option<&[u8]>, associated: Option<u32>) -> Result<Vec<u8>> {
    let level = libc::SOL_ALG;
    let operation = operation.to_ne_bytes();
    let mut items = memory::try_with_capacity(3)?;
    items.push(ControlMessage { level, kind: libc::ALG_SET_OP, data: &operation });
    let bytes = vector.unwrap_or_default();
    let length = u32::try_from(bytes.len()).map_err(|_| Error::os("ancillary data item too large"))?;
    let mut vector_data = memory::try_with_capacity(size_of::<u32>() + bytes.len())?;
    vector_data.extend_from_slice(&length.to_ne_bytes());
    vector_data.extend_from_slice(bytes);
    if vector.is_some() {
        items.push(ControlMessage { level, kind: libc::ALG_SET_IV, data: &vector_data });
    }
    let associated = associated.map(u32::to_ne_bytes);
    if let Some(data) = &associated {
        items.push(ControlMessage { level, kind: libc::ALG_SET_AEAD_ASSOCLEN, data });
    }
    Ok(ancillary::encode(&items)?)
}
