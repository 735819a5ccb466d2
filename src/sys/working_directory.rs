//! `getcwd(3)`.

use std::collections::TryReserveError;
use std::ffi::CStr;

use super::memory::try_to_string;

/// The working directory; `None` if it was removed, or is no UTF-8. (`std::env::current_dir` ends the process when there is no memory.)
pub fn getcwd() -> Result<Option<String>, TryReserveError> {
    let mut buffer = [0_u8; libc::PATH_MAX as usize];
    // SAFETY: the buffer has this size. The call writes a C string into it, or returns null.
    if unsafe { libc::getcwd(buffer.as_mut_ptr().cast(), buffer.len()) }.is_null() {
        return Ok(None);
    }
    CStr::from_bytes_until_nul(&buffer).ok().and_then(|path| path.to_str().ok()).map(try_to_string).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "needs a file system")]
    fn it_is_that_of_the_process() {
        assert_eq!(getcwd().unwrap().as_deref(), std::env::current_dir().unwrap().to_str());
    }
}
