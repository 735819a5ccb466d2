//! The system calls and look-ups that a target plays, for both implementations alike: what they get is noted, and what they answer is the
//! target's. A call that no target plays goes to the kernel.
//!
//! The program defines functions of the C library. Our code, which is linked into it, and the stdlib's `_socket`, which is a shared library,
//! both find these.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::{Mutex, MutexGuard, PoisonError};

use libc::{addrinfo, msghdr, sockaddr, socklen_t};

/// What a target plays.
#[derive(Default)]
pub struct Stage {
    /// Whether `bind` and `getaddrinfo` are played: they note what they get.
    pub notes: bool,
    /// The addresses that `bind` got.
    pub bound: Vec<Vec<u8>>,
    /// The names that `getaddrinfo` got, each with the family. It finds none; without a name it is not played.
    pub asked: Vec<(Vec<u8>, c_int)>,
    /// What `getsockname` answers.
    pub name: Option<Vec<u8>>,
    /// How long an address `getsockname` had room for.
    pub room: usize,
    /// The control messages that `recvmsg` answers.
    pub control: Option<Vec<u8>>,
}

static STAGE: Mutex<Option<Stage>> = Mutex::new(None);

fn stage() -> MutexGuard<'static, Option<Stage>> {
    STAGE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Plays while `act` runs; returns what was noted, too.
pub fn play<T>(played: Stage, act: impl FnOnce() -> T) -> (T, Stage) {
    *stage() = Some(played);
    let result = act();
    let played = stage().take().unwrap_or_default();
    (result, played)
}

/// `bind(2)`.
///
/// # Safety
///
/// As for the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bind(fd: c_int, address: *const sockaddr, length: socklen_t) -> c_int {
    if let Some(played) = stage().as_mut().filter(|played| played.notes) {
        // SAFETY: the caller's address has this length.
        let bytes = unsafe { std::slice::from_raw_parts(address.cast::<u8>(), length as usize) };
        played.bound.push(bytes.to_vec());
        return 0;
    }
    // SAFETY: as the caller guarantees.
    unsafe { libc::syscall(libc::SYS_bind, fd, address, length) as c_int }
}

/// `getsockname(2)`.
///
/// # Safety
///
/// As for the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getsockname(fd: c_int, address: *mut sockaddr, length: *mut socklen_t) -> c_int {
    if let Some(Stage { name: Some(name), room, .. }) = stage().as_mut() {
        // SAFETY: the caller's memory has the length that it tells; it is part of a `sockaddr_storage` in both implementations, so that all of
        // it can be zeroed. (The stdlib reads beyond what it got, and must find the same there each time.) Like the kernel, this answers the
        // whole length of what it has cut.
        unsafe {
            address.cast::<libc::sockaddr_storage>().write_bytes(0, 1);
            *room = *length as usize;
            let count = name.len().min(*room);
            std::ptr::copy_nonoverlapping(name.as_ptr(), address.cast::<u8>(), count);
            *length = name.len() as socklen_t;
        }
        return 0;
    }
    // SAFETY: as the caller guarantees.
    unsafe { libc::syscall(libc::SYS_getsockname, fd, address, length) as c_int }
}

/// `recvmsg(2)`.
///
/// # Safety
///
/// As for the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn recvmsg(fd: c_int, message: *mut msghdr, flags: c_int) -> isize {
    if let Some(control) = stage().as_ref().and_then(|played| played.control.as_ref()) {
        // SAFETY: the caller's memory has the lengths that it tells.
        unsafe {
            let message = &mut *message;
            let count = control.len().min(message.msg_controllen as usize);
            std::ptr::copy_nonoverlapping(control.as_ptr(), message.msg_control.cast::<u8>(), count);
            message.msg_controllen = count as _;
            message.msg_namelen = 0;
            message.msg_flags = flags & libc::MSG_CMSG_CLOEXEC;
        }
        return 0;
    }
    // SAFETY: as the caller guarantees.
    unsafe { libc::syscall(libc::SYS_recvmsg, fd, message, flags) as isize }
}

/// `getaddrinfo(3)`.
///
/// # Safety
///
/// As for the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getaddrinfo(
    host: *const c_char,
    service: *const c_char,
    hints: *const addrinfo,
    found: *mut *mut addrinfo,
) -> c_int {
    if let Some(played) = stage().as_mut().filter(|played| played.notes && !host.is_null()) {
        // SAFETY: the host is a C string, and the hints are null or a question.
        unsafe {
            let host = CStr::from_ptr(host).to_bytes();
            let family = hints.as_ref().map_or(libc::AF_UNSPEC, |hints| hints.ai_family);
            played.asked.push((host.to_vec(), family));
        }
        return libc::EAI_FAIL;
    }
    type Function = unsafe extern "C" fn(*const c_char, *const c_char, *const addrinfo, *mut *mut addrinfo) -> c_int;
    // SAFETY: the C library has the function under this name, with this signature.
    unsafe {
        let function = libc::dlsym(libc::RTLD_NEXT, c"getaddrinfo".as_ptr());
        assert!(!function.is_null(), "the C library has getaddrinfo");
        std::mem::transmute::<*mut c_void, Function>(function)(host, service, hints, found)
    }
}
