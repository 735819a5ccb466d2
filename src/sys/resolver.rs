//! `getaddrinfo(3)`, `getnameinfo(3)` and the older `gethostbyname(3)` and `gethostbyaddr(3)`.

use std::collections::TryReserveError;
use std::ffi::{CStr, CString, c_char, c_int};
use std::io;
use std::ptr::{self, NonNull};

use socket2::{SockAddr, SockAddrStorage};

use super::system::hosts;
use crate::sys::memory;

/// Why a lookup failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// An `EAI_` code.
    AddrInfo(c_int),
    /// The `errno` behind `EAI_SYSTEM`.
    System(c_int),
    /// An `h_errno`.
    Host(c_int),
    /// There is no memory for the result.
    NoMemory,
}

impl From<TryReserveError> for Failure {
    fn from(_: TryReserveError) -> Self {
        Failure::NoMemory
    }
}

/// The hints of a lookup; the fields are those of `addrinfo`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// `ai_family`.
    pub family: c_int,
    /// `ai_socktype`.
    pub kind: c_int,
    /// `ai_protocol`.
    pub protocol: c_int,
    /// `ai_flags`.
    pub flags: c_int,
}

/// One result; the fields are those of `addrinfo`.
#[derive(Clone, Debug)]
pub struct AddrInfo {
    /// `ai_family`.
    pub family: c_int,
    /// `ai_socktype`.
    pub kind: c_int,
    /// `ai_protocol`.
    pub protocol: c_int,
    /// `ai_canonname`, if there is one.
    pub canonical_name: Option<CString>,
    /// `ai_addr`.
    pub address: SockAddr,
}

/// `getaddrinfo(3)`.
pub fn getaddrinfo(host: Option<&CStr>, service: Option<&CStr>, hints: Hints) -> Result<Vec<AddrInfo>, Failure> {
    // SAFETY: an `addrinfo` is plain data, for which all zeros are a valid value.
    let mut request: libc::addrinfo = unsafe { std::mem::zeroed() };
    request.ai_family = hints.family;
    request.ai_socktype = hints.kind;
    request.ai_protocol = hints.protocol;
    request.ai_flags = hints.flags;
    let mut first = ptr::null_mut();
    // SAFETY: the strings end with NUL or are null. On success `first` is the head of a list that the caller must free.
    let code = unsafe { libc::getaddrinfo(pointer(host), pointer(service), &raw const request, &raw mut first) };
    check(code)?;
    let list = AddrInfoList(first);
    Ok(memory::try_collect_results(list.iter().map(AddrInfo::from_raw))?)
}

fn pointer(string: Option<&CStr>) -> *const c_char {
    string.map_or(ptr::null(), CStr::as_ptr)
}

fn check(code: c_int) -> Result<(), Failure> {
    match code {
        0 => Ok(()),
        libc::EAI_SYSTEM => Err(Failure::System(io::Error::last_os_error().raw_os_error().unwrap_or(0))),
        code => Err(Failure::AddrInfo(code)),
    }
}

/// A list from `getaddrinfo(3)`, freed when it is dropped.
struct AddrInfoList(*mut libc::addrinfo);

impl AddrInfoList {
    fn iter(&self) -> impl Iterator<Item = &libc::addrinfo> {
        // SAFETY: each pointer is null or points to a node of the list, which is valid as long as `self`.
        std::iter::successors(unsafe { self.0.as_ref() }, |node| unsafe { node.ai_next.as_ref() })
    }
}

impl Drop for AddrInfoList {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: the pointer is the head of a list that getaddrinfo returned, and it is freed only here.
            unsafe { libc::freeaddrinfo(self.0) };
        }
    }
}

impl AddrInfo {
    fn from_raw(node: &libc::addrinfo) -> Result<Self, TryReserveError> {
        // SAFETY: the C library guarantees a string that ends with NUL and is valid as long as the node, or null.
        let canonical_name = unsafe { node.ai_canonname.as_ref().map(|name| copy_string(name)).transpose()? };
        Ok(AddrInfo {
            family: node.ai_family,
            kind: node.ai_socktype,
            protocol: node.ai_protocol,
            canonical_name,
            // SAFETY: `ai_addr` points to `ai_addrlen` bytes.
            address: unsafe { copy_address(node.ai_addr, node.ai_addrlen) },
        })
    }
}

/// A copy of a string.
///
/// # Safety
///
/// `string` points to a string that ends with NUL.
unsafe fn copy_string(string: *const c_char) -> Result<CString, TryReserveError> {
    // SAFETY: the caller guarantees it.
    memory::until_nul(unsafe { CStr::from_ptr(string) }.to_bytes())
}

/// A copy of the first `length` bytes of a socket address, at most the size of `sockaddr_storage`.
///
/// # Safety
///
/// `address` points to `length` bytes.
unsafe fn copy_address(address: *const libc::sockaddr, length: libc::socklen_t) -> SockAddr {
    let mut storage = SockAddrStorage::zeroed();
    let length = length.min(storage.size_of());
    // SAFETY: the caller guarantees that `length` bytes can be read. They fit the storage, because `length` is at most its size.
    unsafe {
        ptr::copy_nonoverlapping(address.cast::<u8>(), (&raw mut storage).cast(), length as usize);
        SockAddr::new(storage, length)
    }
}

/// `getnameinfo(3)`: the names of the host and the service.
pub fn getnameinfo(address: &SockAddr, flags: c_int) -> Result<(CString, CString), Failure> {
    let mut host = [0; libc::NI_MAXHOST as usize];
    let mut service = [0; 32];
    // SAFETY: `SockAddr` guarantees that its pointer is valid for its length. Both buffers are passed with their sizes, and hold strings
    // that end with NUL on success.
    unsafe {
        let code = libc::getnameinfo(
            address.as_ptr().cast(),
            address.len(),
            host.as_mut_ptr(),
            host.len() as _,
            service.as_mut_ptr(),
            service.len() as _,
            flags,
        );
        check(code)?;
        Ok((copy_string(host.as_ptr())?, copy_string(service.as_ptr())?))
    }
}

/// The text of an `EAI_` code.
pub fn gai_strerror(code: c_int) -> &'static CStr {
    // SAFETY: for every code the C library returns a static string that ends with NUL.
    unsafe { CStr::from_ptr(libc::gai_strerror(code)) }
}

/// The text of an `h_errno`.
pub fn hstrerror(code: c_int) -> &'static CStr {
    unsafe extern "C" {
        fn hstrerror(code: c_int) -> *const c_char;
    }
    // SAFETY: for every code the C library returns a static string that ends with NUL.
    unsafe { CStr::from_ptr(hstrerror(code)) }
}

/// A host, as the older functions return it; the fields are those of `hostent`.
#[derive(Clone, Debug)]
pub struct Host {
    /// `h_addrtype`.
    pub family: c_int,
    /// `h_name`.
    pub name: CString,
    /// `h_aliases`.
    pub aliases: Vec<CString>,
    /// `h_addr_list`: 4 or 16 bytes each.
    pub addresses: Vec<Vec<u8>>,
}

/// `gethostbyname(3)`.
pub fn gethostbyname(name: &CStr) -> Result<Host, Failure> {
    hosts::gethostbyname(name, Host::from_raw)?.map_err(Failure::Host)
}

/// `gethostbyaddr(3)`; the address is 4 or 16 bytes.
pub fn gethostbyaddr(address: &[u8], family: c_int) -> Result<Host, Failure> {
    hosts::gethostbyaddr(address, family, Host::from_raw)?.map_err(Failure::Host)
}

/// This thread's `h_errno`. A failed lookup of a host need not have set it.
pub fn h_errno() -> c_int {
    // SAFETY: the C library returns a valid pointer to this thread's `h_errno`.
    unsafe { *hosts::h_errno_location() }
}

/// Sets this thread's `h_errno`.
pub fn set_h_errno(code: c_int) {
    // SAFETY: every thread has one, and only that thread uses it.
    unsafe { *hosts::h_errno_location() = code };
}

impl Host {
    fn from_raw(host: &libc::hostent) -> Result<Self, TryReserveError> {
        let length = usize::try_from(host.h_length).unwrap_or(0);
        // SAFETY: the C library guarantees that the lists end with null, that names end with NUL, and that addresses have `h_length` bytes.
        unsafe {
            Ok(Host {
                family: host.h_addrtype,
                name: copy_string(host.h_name)?,
                aliases: null_terminated(host.h_aliases, |alias| copy_string(alias))?,
                addresses: null_terminated(host.h_addr_list, |address| {
                    memory::try_to_vec(std::slice::from_raw_parts(address.cast::<u8>(), length))
                })?,
            })
        }
    }
}

/// The items of a list that ends with a null pointer. The list itself may be null, and is empty then.
///
/// # Safety
///
/// `list` is null, or points to such a list.
unsafe fn null_terminated<T>(
    list: *mut *mut c_char,
    item: impl Fn(*mut c_char) -> Result<T, TryReserveError>,
) -> Result<Vec<T>, TryReserveError> {
    // SAFETY: each place is in the list, at most at the null pointer that ends it. The pointer after that is one past the end, and is not
    // followed.
    let places = std::iter::successors(NonNull::new(list), |place| Some(unsafe { place.add(1) }));
    // SAFETY: `take_while` stops at the null pointer, so that every place that is read is in the list.
    let items = places.map(|place| unsafe { *place.as_ptr() }).take_while(|found| !found.is_null());
    memory::try_collect_results(items.map(item))
}
