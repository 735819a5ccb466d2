//! Network interfaces by name and index.

use std::ffi::{CStr, CString, c_uint};
use std::io;
use std::ptr::NonNull;

use crate::sys::memory;

/// The size of the longest interface name, with its NUL, in bytes.
pub const NAME_SIZE: usize = libc::IF_NAMESIZE;

/// `if_nameindex(3)`: the index and name of every interface.
pub fn if_nameindex() -> io::Result<Vec<(c_uint, CString)>> {
    // SAFETY: the call returns an array of entries, which an entry with index 0 ends, and which is valid until it is freed below. The
    // pointer that `successors` computes last is one past the end of the array, and is not followed.
    unsafe {
        let first = NonNull::new(libc::if_nameindex()).ok_or_else(io::Error::last_os_error)?;
        let entries = std::iter::successors(Some(first), |entry| Some(entry.add(1))).map(|entry| *entry.as_ptr());
        let entries = entries.take_while(|entry| entry.if_index != 0 && !entry.if_name.is_null());
        let interfaces = memory::try_collect_results(entries.map(|entry| {
            let name = memory::until_nul(CStr::from_ptr(entry.if_name).to_bytes())?;
            Ok((entry.if_index, name))
        }));
        libc::if_freenameindex(first.as_ptr());
        interfaces
    }
}

/// `if_nametoindex(3)`: the index of an interface; `None` if there is none of that name.
pub fn if_nametoindex(name: &CStr) -> Option<c_uint> {
    // SAFETY: `name` ends with NUL.
    let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
    (index != 0).then_some(index)
}

/// `if_indextoname(3)`: the name of an interface.
pub fn if_indextoname(index: c_uint) -> io::Result<CString> {
    let mut name = [0; NAME_SIZE];
    // SAFETY: the buffer has the size that the call requires; on success it holds a string that ends with NUL.
    unsafe {
        if libc::if_indextoname(index, name.as_mut_ptr()).is_null() {
            return Err(io::Error::last_os_error());
        }
        Ok(memory::until_nul(CStr::from_ptr(name.as_ptr()).to_bytes())?)
    }
}
