//! Byte order, IP addresses, the sizes of control messages, and descriptors as plain numbers.

use std::ffi::{CStr, c_char, c_int, c_long, c_ulong};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::address::inet;
use crate::buffer::Buffer;
use crate::error::{Error, Result};
use crate::interpreter::arguments::{Arguments, plain_long};
use crate::interpreter::function::{Returned, Table};
use crate::interpreter::make::{self, IntoObject};
use crate::interpreter::owned;
use crate::interpreter::text::c_string;
use crate::{ancillary, functions, sys};

/// The argument of a function that takes one. Argument Clinic, which such functions came under in 3.13, takes it as it is; before, it was
/// parsed as a tuple of one, and a wrong number of arguments was refused in other words.
#[cfg(Py_3_13)]
pub type Only<'a, 'py> = &'a Bound<'py, PyAny>;

/// The argument of a function that takes one, among the arguments of the call.
#[cfg(not(Py_3_13))]
pub type Only<'a, 'py> = Arguments<'a, 'py>;

/// Parses an [`Only`]: `parse_only!(argument, c"s:inet_aton", &raw mut text)?`.
#[cfg(Py_3_13)]
macro_rules! parse_only {
    ($argument:expr, $format:expr $(, $target:expr)*) => { $crate::parse_object!($argument, $format $(, $target)*) };
}

/// Parses an [`Only`]: `parse_only!(argument, c"s:inet_aton", &raw mut text)?`.
#[cfg(not(Py_3_13))]
macro_rules! parse_only {
    ($argument:expr, $format:expr $(, $target:expr)*) => { $crate::parse_tuple!(&$argument.tuple()?, $format $(, $target)*) };
}

/// A docstring that begins otherwise since 3.14, whose Argument Clinic gave parameters new names.
macro_rules! clinic_doc {
    ($before:literal, $since_3_14:literal, $text:literal) => {
        const {
            let before = concat!($before, $text, "\0");
            let since = concat!($since_3_14, $text, "\0");
            let doc = if cfg!(Py_3_14) { since } else { before };
            match std::ffi::CStr::from_bytes_with_nul(doc.as_bytes()) {
                Ok(doc) => doc,
                Err(_) => panic!("a docstring holds no NUL"),
            }
        }
    };
}

pub(crate) use {clinic_doc, parse_only};

macro_rules! table {
    ($only:ident) => {
        functions![
            function c"CMSG_LEN" => cmsg_len, c"CMSG_LEN($module, length, /)\n--\n\n\
                The length in bytes of a control message with that many bytes of data, padding behind it not included.\n\n\
                Raises OverflowError when it is negative or more than fits. See cmsg(3) and RFC 3542; a buffer wants CMSG_SPACE().";
            function c"CMSG_SPACE" => cmsg_space, c"CMSG_SPACE($module, length, /)\n--\n\n\
                The room in bytes that a control message with that many bytes of data takes in recvmsg()'s buffer.\n\n\
                For several messages, add the room of each. Raises OverflowError when it is negative or more than fits. See cmsg(3).";
            object c"close" => close, c"Closes the socket with this descriptor, an integer.\n\n\
                Nothing else may still use the number. Raises OSError, but not when the peer reset the connection; see close(2).";
            object c"dup" => dup, c"Another descriptor, an integer, for the socket with this one.\n\n\
                It is not inherited by programs that this one starts (PEP 446). Raises OSError; see dup(2).";
            object c"htonl" => htonl, clinic_doc!("", "htonl($module, integer, /)\n--\n\n",
                "A 32-bit number in network byte order, given in the machine's.\n\nRaises OverflowError when it does not fit. See byteorder(3).");
            $only c"htons" => htons, clinic_doc!("htons($self, x, /)\n--\n\n", "htons($module, integer, /)\n--\n\n",
                "A 16-bit number in network byte order, given in the machine's.\n\nRaises OverflowError when it does not fit. See byteorder(3).");
            $only c"inet_aton" => inet_aton, clinic_doc!("inet_aton($self, ip_addr, /)\n--\n\n", "inet_aton($module, ip_addr, /)\n--\n\n",
                "The 4 bytes of an IPv4 address, in network byte order.\n\nTakes the old forms too, such as '127.1' and '0x7f.0.0.1'. \
                Raises OSError for what is no address. See inet_aton(3);\ninet_pton() is stricter and knows IPv6.");
            $only c"inet_ntoa" => inet_ntoa, clinic_doc!("inet_ntoa($self, packed_ip, /)\n--\n\n", "inet_ntoa($module, packed_ip, /)\n--\n\n",
                "The text of an IPv4 address, given as its 4 bytes in network byte order.\n\nRaises OSError for any other length. See inet_ntoa(3).");
            function c"inet_ntop" => inet_ntop, c"inet_ntop($module, af, packed_ip, /)\n--\n\n\
                The text of an address, given as its 4 bytes (AF_INET) or 16 bytes (AF_INET6) in network byte order.\n\n\
                Raises ValueError for another family or length. See inet_ntop(3).";
            function c"inet_pton" => inet_pton, c"inet_pton($module, af, ip, /)\n--\n\n\
                The 4 bytes (AF_INET) or 16 bytes (AF_INET6) of an address, in network byte order, given as text.\n\n\
                Raises OSError for what is no address of the family, and for another family. See inet_pton(3).";
            object c"ntohl" => ntohl, clinic_doc!("", "ntohl($module, integer, /)\n--\n\n",
                "A 32-bit number in the machine's byte order, given in network byte order.\n\n\
                Raises OverflowError when it does not fit. See byteorder(3).");
            $only c"ntohs" => ntohs, clinic_doc!("ntohs($self, x, /)\n--\n\n", "ntohs($module, integer, /)\n--\n\n",
                "A 16-bit number in the machine's byte order, given in network byte order.\n\n\
                Raises OverflowError when it does not fit. See byteorder(3).");
        ]
    };
}

/// Functions of the module that convert.
#[cfg(Py_3_13)]
pub static FUNCTIONS: Table = table!(object);

/// Functions of the module that convert.
#[cfg(not(Py_3_13))]
pub static FUNCTIONS: Table = table!(function);

/// The argument itself, if there is one and no other.
#[cfg(Py_3_13)]
fn alone<'a, 'py>(argument: Only<'a, 'py>) -> Option<Borrowed<'a, 'py, PyAny>> {
    Some(argument.as_borrowed())
}

#[cfg(not(Py_3_13))]
fn alone<'a, 'py>(argument: Only<'a, 'py>) -> Option<Borrowed<'a, 'py, PyAny>> {
    if argument.len() == 1 { argument.get(0) } else { None }
}

fn htons<'py>(py: Python<'py>, number: Only<'_, 'py>) -> Returned<'py> {
    let number = uint16(number, "htons", c"i:htons")?;
    number.to_be().into_object(py)
}

fn ntohs<'py>(py: Python<'py>, number: Only<'_, 'py>) -> Returned<'py> {
    let number = uint16(number, "ntohs", c"i:ntohs")?;
    u16::from_be(number).into_object(py)
}

fn htonl<'py>(py: Python<'py>, number: &Bound<'py, PyAny>) -> Returned<'py> {
    uint32(number)?.to_be().into_object(py)
}

fn ntohl<'py>(py: Python<'py>, number: &Bound<'py, PyAny>) -> Returned<'py> {
    u32::from_be(uint32(number)?).into_object(py)
}

fn uint16(number: Only<'_, '_>, name: &str, format: &CStr) -> Result<u16> {
    let plain = alone(number).and_then(|number| plain_long(&number));
    match plain.and_then(|number| u16::try_from(number).ok()) {
        Some(number) => Ok(number),
        None => uint16_not_plain(number, name, format),
    }
}

#[cfg(Py_3_14)]
fn uint16_not_plain(number: Only<'_, '_>, _name: &str, _format: &CStr) -> Result<u16> {
    unsigned(number, "uint16_t")
}

#[cfg(not(Py_3_14))]
fn uint16_not_plain(number: Only<'_, '_>, name: &str, format: &CStr) -> Result<u16> {
    let number = int(number, format)?;
    u16::try_from(number).map_err(|_| {
        let what = if number < 0 { "can't convert negative Python int" } else { "Python int too large to convert" };
        Error::overflow(format_args!("{name}: {what} to C 16-bit unsigned integer"))
    })
}

#[cfg(all(Py_3_13, not(Py_3_14)))]
fn int(number: Only<'_, '_>, _format: &CStr) -> Result<c_int> {
    plain_long(&index(number)?)
        .and_then(|number| c_int::try_from(number).ok())
        .ok_or_else(|| Error::overflow("Python int too large to convert to C int"))
}

#[cfg(not(Py_3_13))]
fn int(number: Only<'_, '_>, format: &CStr) -> Result<c_int> {
    let mut value: c_int = 0;
    parse_only!(number, format, &raw mut value)?;
    Ok(value)
}

fn uint32(number: &Bound<'_, PyAny>) -> Result<u32> {
    match plain_long(number).and_then(|number| u32::try_from(number).ok()) {
        Some(number) => Ok(number),
        None => uint32_not_plain(number),
    }
}

#[cfg(Py_3_14)]
fn uint32_not_plain(number: &Bound<'_, PyAny>) -> Result<u32> {
    unsigned(number, "uint32_t")
}

#[cfg(not(Py_3_14))]
fn uint32_not_plain(number: &Bound<'_, PyAny>) -> Result<u32> {
    if !number.is_instance_of::<pyo3::types::PyInt>() {
        let class = crate::address::type_name(number);
        return Err(Error::type_error(format_args!("expected int, {class} found")));
    }
    u32::try_from(unsigned_long(number)?).map_err(|_| Error::overflow("int larger than 32 bits"))
}

/// A number, refused as Argument Clinic refuses what does not fit its fixed-size integers.
pub fn unsigned<T: TryFrom<i64>>(number: &Bound<'_, PyAny>, c_type: &str) -> Result<T> {
    let number = index(number)?;
    match plain_long(&number).and_then(|number| T::try_from(number).ok()) {
        Some(number) => Ok(number),
        None if number.lt(0_i32.into_object(number.py())?)? => Err(Error::value("Cannot convert negative int")),
        None => Err(Error::overflow(format_args!("Python int too large for C {c_type}"))),
    }
}

/// A number, refused as `PyLong_AsUnsignedLong` refuses it.
pub fn unsigned_long(number: &Bound<'_, PyAny>) -> Result<c_ulong> {
    // SAFETY: `number` is an object; anything but an int that fits is refused with an exception.
    let value = unsafe { ffi::PyLong_AsUnsignedLong(number.as_ptr()) };
    if value == c_ulong::MAX && PyErr::occurred(number.py()) { Err(Error::Raised) } else { Ok(value) }
}

/// What `operator.index` makes of an object.
pub fn index<'py>(number: &Bound<'py, PyAny>) -> Result<Bound<'py, PyAny>> {
    // SAFETY: `number` is an object; the answer is a new one, or null with an exception.

    unsafe { owned(number.py(), ffi::PyNumber_Index(number.as_ptr())) }
}

fn inet_aton<'py>(py: Python<'py>, address: Only<'_, 'py>) -> Returned<'py> {
    let mut start: *const c_char = std::ptr::null();
    parse_only!(address, c"s:inet_aton", &raw mut start)?;
    // SAFETY: a string that the argument holds.
    let address = unsafe { CStr::from_ptr(start) };
    match sys::presentation::aton(address) {
        Some(packed) => make::bytes(py, &packed),
        None => Err(Error::os("illegal IP address string passed to inet_aton")),
    }
}

fn inet_ntoa<'py>(py: Python<'py>, packed: Only<'_, 'py>) -> Returned<'py> {
    let mut buffer = Buffer::empty(py);
    parse_only!(packed, c"y*:inet_ntoa", buffer.as_mut_ptr())?;
    match <[u8; 4]>::try_from(buffer.bytes()) {
        Ok(packed) => inet::v4_text(py, Ipv4Addr::from(packed)),
        Err(_) => Err(Error::os("packed IP wrong length for inet_ntoa")),
    }
}

fn inet_pton<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> Returned<'py> {
    if arguments.len() == 2
        && let (Some(family), Some(address)) = (arguments.plain_int(0, 0), arguments.get(1))
        && let Some(address) = c_string(&address)
    {
        return pton(py, family, address);
    }
    let tuple = arguments.tuple()?;
    let (mut family, mut start): (c_int, *const c_char) = (0, std::ptr::null());
    crate::parse_tuple!(&tuple, c"is:inet_pton", &raw mut family, &raw mut start)?;
    // SAFETY: a string that the tuple holds.
    pton(py, family, unsafe { CStr::from_ptr(start) })
}

fn pton<'py>(py: Python<'py>, family: c_int, address: &CStr) -> Returned<'py> {
    match sys::presentation::pton(family, address)? {
        Some(IpAddr::V4(ip)) => make::bytes(py, &ip.octets()),
        Some(IpAddr::V6(ip)) => make::bytes(py, &ip.octets()),
        None => Err(Error::os("illegal IP address string passed to inet_pton")),
    }
}

fn inet_ntop<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> Returned<'py> {
    if arguments.len() == 2
        && let (Some(family), Some(packed)) = (arguments.plain_int(0, 0), arguments.get(1))
        && let Ok(packed) = packed.cast::<PyBytes>()
    {
        return ntop(py, family, packed.as_bytes());
    }
    let mut family: c_int = 0;
    let mut packed = Buffer::empty(py);
    crate::parse_tuple!(&arguments.tuple()?, c"iy*:inet_ntop", &raw mut family, packed.as_mut_ptr())?;
    ntop(py, family, packed.bytes())
}

fn ntop<'py>(py: Python<'py>, family: c_int, packed: &[u8]) -> Returned<'py> {
    let text = match family {
        libc::AF_INET => <[u8; 4]>::try_from(packed).map(|ip| inet::v4_text(py, Ipv4Addr::from(ip))),
        libc::AF_INET6 => <[u8; 16]>::try_from(packed).map(|ip| inet::v6_text(py, Ipv6Addr::from(ip))),
        _ => return Err(Error::value(format_args!("unknown address family {family}"))),
    };
    match text {
        Ok(text) => text,
        Err(_) => Err(Error::value("invalid length of packed IP address string")),
    }
}

fn cmsg_len<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> Returned<'py> {
    match data_length(arguments, c"n:CMSG_LEN")?.and_then(ancillary::length) {
        Some(length) => length.into_object(py),
        None => Err(Error::overflow("CMSG_LEN() argument out of range")),
    }
}

fn cmsg_space<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> Returned<'py> {
    match data_length(arguments, c"n:CMSG_SPACE")?.and_then(ancillary::space) {
        Some(space) => space.into_object(py),
        None => Err(Error::overflow("CMSG_SPACE() argument out of range")),
    }
}

/// A length, `None` where it is negative.
fn data_length(arguments: Arguments<'_, '_>, format: &CStr) -> Result<Option<usize>> {
    let mut length: ffi::Py_ssize_t = 0;
    crate::parse_tuple!(&arguments.tuple()?, format, &raw mut length)?;
    Ok(usize::try_from(length).ok())
}

fn close<'py>(py: Python<'py>, fd: &Bound<'py, PyAny>) -> Returned<'py> {
    let number = descriptor(fd)?;
    if number < 0 {
        return Err(Error::closed());
    }
    // SAFETY: not -1. That it is the caller's to close is his word: he calls `socket.close(fd)`.
    let fd = unsafe { OwnedFd::from_raw_fd(number) };
    py.detach(|| sys::socket::close(fd))?;
    Ok(py.None().into_bound(py))
}

fn dup<'py>(py: Python<'py>, fd: &Bound<'py, PyAny>) -> Returned<'py> {
    let number = descriptor(fd)?;
    if number < 0 {
        return Err(Error::closed());
    }
    // SAFETY: not -1, and used by this one call.
    let fd = sys::socket::dup(unsafe { BorrowedFd::borrow_raw(number) })?;
    let number = fd.as_raw_fd().into_object(py)?;
    let _given_away = fd.into_raw_fd();
    Ok(number)
}

/// A descriptor. A number beyond C's `int` is none, and not, as cutting it would make it, another one.
fn descriptor(fd: &Bound<'_, PyAny>) -> Result<c_int> {
    let number = match plain_long(fd) {
        Some(number) => c_int::try_from(number),
        None => c_int::try_from(long(fd)?),
    };
    number.map_err(|_| Error::errno(libc::EBADF))
}

fn long(number: &Bound<'_, PyAny>) -> Result<c_long> {
    // SAFETY: `number` is an object; anything that is no int, has no index or does not fit is refused with an exception.
    let value = unsafe { ffi::PyLong_AsLong(number.as_ptr()) };
    if value == -1 && PyErr::occurred(number.py()) { Err(Error::Raised) } else { Ok(value) }
}
