//! A file that this library appends to, under a program that may close numbers it does not know (`os.closerange`).
//!
//! Before each write the number is checked: it must still name the file. Otherwise the record is opened again by its path, or, if it has
//! none, is lost. So nothing is ever written to a file that the program has opened meanwhile.

use std::ffi::{CStr, CString, c_int};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use super::file::{Identity, LARGE, birth, identity, is_regular};
use crate::syscall;

/// The number that a record's descriptor gets, or a higher one: far from those that a program sees, so that its own are the same as ever.
const FIRST_NUMBER: c_int = 900;

/// The lowest number for systems that allow few.
const LOW_NUMBER: c_int = 100;

/// The file.
#[derive(Debug)]
pub struct Record {
    number: RawFd,
    file: File,
    path: Option<CString>,
    /// Whether the last line was cut.
    is_cut: bool,
    /// Whether a write may wait: the file is a pipe, a terminal or a socket.
    pub may_block: bool,
}

impl Record {
    /// A record in the file that a descriptor names. `path` is where it can be opened again.
    pub fn new(fd: BorrowedFd<'_>, path: Option<CString>) -> io::Result<Self> {
        let number = duplicate(fd)?;
        // SAFETY: the number was just made, and is open.
        let file = File::of(unsafe { BorrowedFd::borrow_raw(number) });
        let file = file.inspect_err(|_| close(number))?;
        Ok(Record { number, file, path, is_cut: false, may_block: !is_regular(fd) })
    }

    /// A new, empty record at a path.
    pub fn create(path: CString) -> io::Result<Self> {
        let fd = open(&path, libc::O_CREAT | libc::O_TRUNC)?;
        Record::new(fd.as_fd(), Some(path))
    }

    /// The number now, to be duplicated in a child process.
    pub fn number(&self) -> RawFd {
        self.number
    }

    /// Where the record can be opened again.
    pub fn path(&self) -> Option<&CStr> {
        self.path.as_deref()
    }

    /// Writes all of a line, in one call if the system allows it. After a line that was cut by an error, the next one begins with an empty line,
    /// so that only the cut one is lost. A signal that comes while it waits is such an error, EINTR.
    pub fn append(&mut self, line: &[u8]) -> io::Result<()> {
        if self.is_cut {
            self.append_all(b"\n")?;
            self.is_cut = false;
        }
        self.append_all(line)
    }

    fn append_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut done = 0;
        while done < bytes.len() {
            match self.append_some(&bytes[done..]) {
                Ok(count) => done += count,
                Err(error) => {
                    self.is_cut |= done > 0;
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    fn append_some(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.is_intact()? {
            self.open_again()?;
        }
        // SAFETY: the pointer and the length are those of one slice. Not guaranteed: that the program does not close the number, and open
        // another file under it, between the check and the call.
        let count = unsafe { syscall!(write(self.number, bytes.as_ptr().cast(), bytes.len())) }?;
        if count == 0 { Err(io::ErrorKind::WriteZero.into()) } else { Ok(count.cast_unsigned()) }
    }

    /// Whether the number still names the file. An error if that cannot be told: the number may be the record's, and is not given up.
    fn is_intact(&self) -> io::Result<bool> {
        // SAFETY: the number is not negative. Only `statx` and `fstat` use it, which fail if it is not open.
        match self.file.is_named_by(unsafe { BorrowedFd::borrow_raw(self.number) }) {
            Err(error) if error.raw_os_error() == Some(libc::EBADF) => Ok(false),
            answer => answer,
        }
    }

    fn open_again(&mut self) -> io::Result<()> {
        let closed = || io::Error::from_raw_os_error(libc::EBADF);
        let fd = open(self.path.as_deref().ok_or_else(closed)?, 0)?;
        if !self.file.is_named_by(fd.as_fd())? {
            return Err(closed());
        }
        self.number = duplicate(fd.as_fd())?;
        Ok(())
    }
}

/// Which file it is.
///
/// A file system gives the number of a deleted file to the next one that is made. So the time of birth counts too, where the file system
/// keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct File {
    identity: Identity,
    born: Option<(i64, u32)>,
}

impl File {
    fn of(fd: BorrowedFd<'_>) -> io::Result<Self> {
        Ok(File { identity: identity(fd)?, born: birth(fd).unwrap_or(None) })
    }

    /// Whether a descriptor names this file. An error if that cannot be told.
    fn is_named_by(&self, fd: BorrowedFd<'_>) -> io::Result<bool> {
        Ok(identity(fd)? == self.identity && (self.born.is_none() || birth(fd)? == self.born))
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if self.is_intact().unwrap_or(false) {
            close(self.number);
        }
    }
}

fn close(number: RawFd) {
    // SAFETY: the number belongs to a record, which gives it up. Its last bytes were written already, so that an error tells nothing.
    drop(unsafe { OwnedFd::from_raw_fd(number) });
}

/// A duplicate with a high number, which programs that this one starts do not inherit.
fn duplicate(fd: BorrowedFd<'_>) -> io::Result<RawFd> {
    let duplicate = |lowest: c_int| {
        // SAFETY: the descriptor is open, and the call touches no memory.
        unsafe { syscall!(fcntl(fd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, lowest)) }
    };
    duplicate(FIRST_NUMBER).or_else(|_| duplicate(LOW_NUMBER)).or_else(|_| duplicate(0))
}

fn open(path: &CStr, flags: c_int) -> io::Result<OwnedFd> {
    const MODE: libc::c_uint = 0o666;
    let flags = flags | libc::O_WRONLY | libc::O_APPEND | libc::O_CLOEXEC | LARGE;
    // SAFETY: the path is a C string; the number is new, and owned by nobody else.
    unsafe { Ok(OwnedFd::from_raw_fd(syscall!(open(path.as_ptr(), flags, MODE))?)) }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::ffi::OsStrExt;
    use std::path::PathBuf;

    use super::*;

    fn path(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("oxisocket-{}-{name}", std::process::id()))
    }

    fn record(path: &std::path::Path) -> Record {
        Record::create(CString::new(path.as_os_str().as_bytes()).unwrap()).unwrap()
    }

    #[test]
    #[cfg_attr(miri, ignore = "needs a file system")]
    fn a_number_that_names_another_file_is_not_written_to() {
        let (own, others) = (path("own"), path("others"));
        let mut record = record(&own);
        record.append(b"one\n").unwrap();
        let file = fs::File::create(&others).unwrap();
        // What a program does that closes all numbers and opens its own files.
        // SAFETY: both numbers are open; the record's is closed by this, as by the program.
        unsafe { libc::dup2(file.as_raw_fd(), record.number) };
        record.append(b"two\n").unwrap();
        assert_eq!(fs::read(&own).unwrap(), b"one\ntwo\n");
        assert_eq!(fs::read(&others).unwrap(), b"");
        fs::remove_file(&own).unwrap();
        // SAFETY: as above.
        unsafe { libc::dup2(file.as_raw_fd(), record.number) };
        assert!(record.append(b"three\n").is_err());
        assert_eq!(fs::read(&others).unwrap(), b"");
        fs::remove_file(&others).unwrap();
    }

    #[test]
    #[cfg_attr(miri, ignore = "needs a file system")]
    fn a_full_disk_is_an_error() {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let full = OwnedFd::from(full);
        let mut record = Record::new(full.as_fd(), None).unwrap();
        assert_eq!(record.append(b"line\n").unwrap_err().raw_os_error(), Some(libc::ENOSPC));
    }
}
