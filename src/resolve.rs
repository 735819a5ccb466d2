//! Names and addresses: `getaddrinfo(3)`, `getnameinfo(3)` and the older `gethostby…(3)`.
//!
//! A numeric address needs no resolver, and no other thread gets the GIL for it. Whatever else is asked goes to the C library, detached.

use std::ffi::{CStr, CString, c_char, c_int, c_uint};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6};
use std::ptr;

use pyo3::exceptions::{PyOSError, PyUnicodeEncodeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyList, PyModule, PySlice, PyString, PyTuple};
use socket2::SockAddr;

use crate::address::{self, inet};
use crate::convert::text;
use crate::error::{self, Error, Result};
use crate::interpreter::arguments::{Arguments, Keywords, plain_long};
use crate::interpreter::function::{Returned, Table};
use crate::interpreter::owned;
use crate::interpreter::signature::Signature;
use crate::public::kinds;
use crate::sys::resolver::{self, AddrInfo, Failure, Hints, Host};
use crate::{audit, functions, parse_keywords, parse_tuple, sys};

/// `getaddrinfo` as the public package has it.
static PUBLIC: Table = functions![
    keywords c"getaddrinfo" => getaddrinfo_of_members, c"getaddrinfo($module, /, host, port, family=0, type=0, proto=0, flags=0)\n--\n\n\
        What to make sockets of for a host and a port: a list of (family, type, proto, canonname, address).\n\n\
        host is a name, an IP address or None; port is a number, the name of a service or None. The others narrow the list; 0 takes\n\
        all, and flags are AI_ constants. Raises gaierror when there is no answer. See getaddrinfo(3) and RFC 3493.";
];

/// The function `getaddrinfo` of the public package.
pub fn public_getaddrinfo<'py>(module: &Bound<'py, PyModule>) -> Returned<'py> {
    let py = module.py();
    let name = PyString::new(py, "socket");
    // SAFETY: a static entry of a table made for a module, that module, and a name.

    unsafe {
        let function = ffi::PyCFunction_NewEx(PUBLIC.as_ptr(), module.as_ptr(), name.as_ptr());
        owned(py, function)
    }
}

/// Functions of the module that resolve.
pub static FUNCTIONS: Table = functions![
    keywords c"getaddrinfo" => getaddrinfo, c"getaddrinfo($module, host, port, family=0, type=0, proto=0, flags=0)\n--\n\n\
        The addresses that a host and a port stand for, as a list of (family, type, proto, canonname, address).\n\n\
        The host is a name or a numeric address, or None for this machine; the port is a number, the name of a service or None. The\n\
        others narrow the answer down; 0 takes all. Raises gaierror when there is no answer. See getaddrinfo(3) and RFC 3493.";
    function c"gethostbyaddr" => gethostbyaddr, c"gethostbyaddr($module, host, /)\n--\n\n\
        The name of a host, its other names and its addresses, as (name, [alias], [address]).\n\n\
        The host is a numeric address, IPv4 or IPv6, or a name. Raises herror or gaierror when it is not known. See gethostbyaddr(3).";
    function c"gethostbyname" => gethostbyname, c"gethostbyname($module, host, /)\n--\n\n\
        The first IPv4 address of a host, as text such as '127.0.0.1'.\n\n\
        Raises gaierror when it has none; getaddrinfo() knows IPv6 as well. See gethostbyname(3).";
    function c"gethostbyname_ex" => gethostbyname_ex, c"gethostbyname_ex($module, host, /)\n--\n\n\
        The name of a host, its other names and its IPv4 addresses, as (name, [alias], [address]).\n\n\
        Raises herror or gaierror when it is not known. See gethostbyname(3).";
    function c"getnameinfo" => getnameinfo, c"getnameinfo($module, sockaddr, flags, /)\n--\n\n\
        The names of the host and the service at an address, as (host, service).\n\n\
        The address is (host, port[, flowinfo[, scope_id]]) with a numeric host; the flags are NI_ constants. Raises gaierror when\n\
        there is no answer. See getnameinfo(3) and RFC 3493.";
];

/// An IP address of either version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ip {
    /// Of version 4.
    V4(Ipv4Addr),
    /// Of version 6.
    V6(Ipv6Addr),
}

impl Ip {
    fn of(address: &SockAddr) -> Option<Self> {
        let v4 = address.as_socket_ipv4().map(|address| Ip::V4(*address.ip()));
        v4.or_else(|| address.as_socket_ipv6().map(|address| Ip::V6(*address.ip())))
    }

    fn with_port(self, port: u16) -> SockAddr {
        match self {
            Ip::V4(ip) => SocketAddrV4::new(ip, port).into(),
            Ip::V6(ip) => SocketAddrV6::new(ip, port, 0, 0).into(),
        }
    }

    fn family(self) -> c_int {
        match self {
            Ip::V4(_) => libc::AF_INET,
            Ip::V6(_) => libc::AF_INET6,
        }
    }

    fn text(self, py: Python<'_>) -> Bound<'_, PyString> {
        match self {
            Ip::V4(ip) => inet::v4_text(py, ip),
            Ip::V6(ip) => inet::v6_text(py, ip),
        }
    }
}

/// The address of a host for a socket of this family, or of any for `AF_UNSPEC`.
///
/// The empty name is the wildcard, and `<broadcast>` the address that all machines on the network listen to.
pub fn host(py: Python<'_>, name: &CStr, family: c_int) -> Result<Ip> {
    match name.to_bytes() {
        b"" => return wildcard(py, family),
        b"<broadcast>" if [libc::AF_INET, libc::AF_UNSPEC].contains(&family) => return Ok(Ip::V4(Ipv4Addr::BROADCAST)),
        b"<broadcast>" | b"255.255.255.255" if family != libc::AF_INET && family != libc::AF_UNSPEC => {
            return Err(Error::os("address family mismatched"));
        }
        _ => {}
    }
    if let Some(ip) = numeric(name, family) {
        return Ok(ip);
    }
    let answers = ask(py, Some(name), None, Hints { family, ..Hints::default() })?;
    let first = answers.first().and_then(|first| Ip::of(&first.address));
    first.ok_or_else(|| Error::os("unknown address family"))
}

fn wildcard(py: Python<'_>, family: c_int) -> Result<Ip> {
    match family {
        libc::AF_INET => return Ok(Ip::V4(Ipv4Addr::UNSPECIFIED)),
        libc::AF_INET6 => return Ok(Ip::V6(Ipv6Addr::UNSPECIFIED)),
        _ => {}
    }
    let hints = Hints { family, kind: libc::SOCK_DGRAM, flags: libc::AI_PASSIVE, ..Hints::default() };
    match ask(py, None, Some(c"0"), hints)?.as_slice() {
        [only] => Ip::of(&only.address).ok_or_else(|| Error::os("unsupported address family")),
        _ => Err(Error::os("wildcard resolved to multiple address")),
    }
}

/// The address that is written out in `name`, of this family or of any for `AF_UNSPEC`. One with a scope is not, as its interface has to be
/// looked up.
fn numeric(name: &CStr, family: c_int) -> Option<Ip> {
    if [libc::AF_INET, libc::AF_UNSPEC].contains(&family)
        && let Some(ip) = name.to_str().ok().and_then(|name| name.parse().ok())
    {
        return Some(Ip::V4(ip));
    }
    if [libc::AF_INET6, libc::AF_UNSPEC].contains(&family) && !name.to_bytes().contains(&b'%') {
        let packed = sys::presentation::pton(libc::AF_INET6, name).ok()??;
        return <[u8; 16]>::try_from(packed).ok().map(|packed| Ip::V6(packed.into()));
    }
    None
}

/// Asks the C library, detached.
fn ask(py: Python<'_>, host: Option<&CStr>, service: Option<&CStr>, hints: Hints) -> Result<Vec<AddrInfo>> {
    Ok(py.detach(|| resolver::getaddrinfo(host, service, hints))?)
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::AddrInfo(code) => Error::AddrInfo(code as isize),
            Failure::System(errno) => Error::errno(errno),
            Failure::Host(code) => Error::Host(code as isize),
        }
    }
}

/// The name of a host in the form that goes over the wire (RFC 3490), or the exception of the interpreter's `idna` codec.
pub fn idna(host: &Bound<'_, PyString>) -> Result<Vec<u8>> {
    match host.to_str() {
        Ok(name) if is_wire_form(name) => Ok(name.as_bytes().to_vec()),
        _ => encode(host),
    }
}

/// Whether the codec would leave a name as it is.
fn is_wire_form(name: &str) -> bool {
    let mut labels = name.split('.').map(str::len).rev();
    let last = labels.next().unwrap_or(0);
    name.is_ascii() && last <= LONGEST_LABEL && labels.all(|length| (1..=LONGEST_LABEL).contains(&length))
}

/// The longest label of a name, in bytes of its wire form (RFC 1035).
const LONGEST_LABEL: usize = 63;

fn encode(host: &Bound<'_, PyString>) -> Result<Vec<u8>> {
    refuse_endless_label(host)?;
    Ok(codec(host)?.as_bytes().to_vec())
}

fn codec<'py>(host: &Bound<'py, PyString>) -> Result<Bound<'py, PyBytes>> {
    // SAFETY: a str and a codec's name; null takes the strict error handler, the only one there is.
    let encoded = unsafe {
        let encoded = ffi::PyUnicode_AsEncodedString(host.as_ptr(), c"idna".as_ptr(), ptr::null());
        owned(host.py(), encoded)?
    };
    Ok(encoded.cast_into().map_err(PyErr::from)?)
}

/// A label of more characters than this is not given to the codec, which takes a time that grows with the square of its length
/// (CVE-2022-45061): a quarter of them, which is the least that normalisation leaves, would still be too long.
const ENDLESS: usize = 8 * (LONGEST_LABEL + 1);

/// Refuses a name with an endless label in the codec's own words, which it finds for a shorter name that is wrong in the same way.
fn refuse_endless_label(host: &Bound<'_, PyString>) -> Result<()> {
    // Nothing is normalised in a name that is ASCII already: the codec only measures its labels, and has words of its own for that.
    if host.len()? <= ENDLESS || host.to_str().is_ok_and(str::is_ascii) {
        return Ok(());
    }
    let Some((start, end)) = endless_label(host)? else {
        return Ok(());
    };
    let before = host.get_item(PySlice::new(host.py(), 0, start, 1))?;
    let shorter = before.add("é".repeat(LONGEST_LABEL + 1))?;
    match codec(&shorter.cast_into::<PyString>().map_err(PyErr::from)?) {
        Ok(_) => Err(Error::value("label too long")),
        Err(error) => Err(error_for(host, error.into_pyerr(host.py()), start, end)?.into()),
    }
}

/// Where in the name there is a label of more than [`ENDLESS`] characters, those not counted that normalisation drops.
fn endless_label(host: &Bound<'_, PyString>) -> Result<Option<(isize, isize)>> {
    let (mut start, mut length) = (0, 0);
    let mut found = false;
    // In four bytes a character, so that lone surrogates do not matter.
    let encoded = host.call_method1("encode", ("utf-32-le", "surrogatepass"))?;
    let characters = encoded.cast::<PyBytes>().map_err(PyErr::from)?.as_bytes().chunks_exact(4);
    let count = characters.len().cast_signed();
    for (place, character) in (0..).zip(characters) {
        match u32::from_le_bytes([character[0], character[1], character[2], character[3]]) {
            0x2e | 0x3002 | 0xff0e | 0xff61 if found => return Ok(Some((start, place))),
            0x2e | 0x3002 | 0xff0e | 0xff61 => (start, length) = (place + 1, 0),
            dropped if is_dropped(dropped) => {}
            _ => {
                length += 1;
                found |= length > ENDLESS;
            }
        }
    }
    Ok(found.then_some((start, count)))
}

/// Whether a character is mapped to nothing (RFC 3454, table B.1).
fn is_dropped(character: u32) -> bool {
    matches!(
        character,
        0xad | 0x34f | 0x1806 | 0x180b..=0x180d | 0x200b..=0x200d | 0x2060 | 0xfe00..=0xfe0f | 0xfeff
    )
}

/// Makes the refusal of the shorter name one of the name it stands for.
fn error_for(host: &Bound<'_, PyString>, error: PyErr, start: isize, end: isize) -> PyResult<PyErr> {
    let value = error.value(host.py());
    if value.is_instance_of::<PyUnicodeEncodeError>() {
        value.setattr("object", host)?;
        if value.getattr("start")?.extract::<isize>()? == start {
            value.setattr("end", end)?;
        }
        let parts = ["encoding", "object", "start", "end", "reason"].map(|part| value.getattr(part));
        value.setattr("args", PyTuple::new(host.py(), parts.into_iter().collect::<PyResult<Vec<_>>>()?)?)?;
    }
    Ok(error)
}

fn getaddrinfo<'py>(py: Python<'py>, arguments: Keywords<'_, 'py>) -> Returned<'py> {
    let query = Query::parse(arguments)?;
    let as_number = |number: c_int| Ok(number.into_pyobject(py)?.into_any());
    query.entries(py, as_number, as_number)
}

/// `getaddrinfo` of the public module: families and types are members of their enums, and it is called like a Python function.
fn getaddrinfo_of_members<'py>(py: Python<'py>, arguments: Keywords<'_, 'py>) -> Returned<'py> {
    const SIGNATURE: Signature<6> = Signature {
        qualified_name: "getaddrinfo",
        declaration: "host, port, family=0, type=0, proto=0, flags=0",
        names: ["host", "port", "family", "type", "proto", "flags"],
        positional: 6,
        required: 2,
    };
    let query = match arguments.only_positional().and_then(Query::plain) {
        Some(query) => query,
        None => Query::from_values(py, SIGNATURE.bind(None, arguments)?)?,
    };
    query.entries(py, |family| kinds::family(py, family), |kind| kinds::kind(py, kind))
}

/// What `getaddrinfo` is asked.
struct Query<'py> {
    host: Bound<'py, PyAny>,
    port: Bound<'py, PyAny>,
    hints: Hints,
}

impl<'py> Query<'py> {
    fn parse(arguments: Keywords<'_, 'py>) -> Result<Self> {
        match arguments.only_positional().and_then(Self::plain) {
            Some(query) => Ok(query),
            None => Self::parse_by_format(arguments),
        }
    }

    fn plain(arguments: Arguments<'_, 'py>) -> Option<Self> {
        if arguments.len() > 6 {
            return None;
        }
        let hints = Hints {
            family: arguments.plain_int(2, libc::AF_UNSPEC)?,
            kind: arguments.plain_int(3, 0)?,
            protocol: arguments.plain_int(4, 0)?,
            flags: arguments.plain_int(5, 0)?,
        };
        Some(Query { host: arguments.get(0)?.to_owned(), port: arguments.get(1)?.to_owned(), hints })
    }

    fn parse_by_format(arguments: Keywords<'_, 'py>) -> Result<Self> {
        Self::parse_tuple(&arguments.positional.tuple()?, Some(&arguments.dict()?))
    }

    fn parse_tuple(tuple: &Bound<'py, PyTuple>, dict: Option<&Bound<'py, PyDict>>) -> Result<Self> {
        let (mut host, mut port): (*mut ffi::PyObject, *mut ffi::PyObject) = (ptr::null_mut(), ptr::null_mut());
        let mut hints = Hints::default();
        parse_keywords!(
            tuple,
            dict,
            c"OO|iiii:getaddrinfo",
            [c"host", c"port", c"family", c"type", c"proto", c"flags"],
            &raw mut host,
            &raw mut port,
            &raw mut hints.family,
            &raw mut hints.kind,
            &raw mut hints.protocol,
            &raw mut hints.flags
        )?;
        // SAFETY: objects that the tuple and the dict hold.
        let (host, port) =
            unsafe { (Bound::from_borrowed_ptr(tuple.py(), host), Bound::from_borrowed_ptr(tuple.py(), port)) };
        Ok(Query { host, port, hints })
    }

    /// The values of a Python function's parameters, `None` where one has its default.
    fn from_values(py: Python<'py>, values: [Option<Bound<'py, PyAny>>; 6]) -> Result<Self> {
        let zero = || 0i32.into_pyobject(py).map(Bound::into_any);
        let [host, port, family, kind, protocol, flags] = values;
        let [host, port] = [host, port].map(|value| value.unwrap_or_else(|| py.None().into_bound(py)));
        let mut numbers = [family, kind, protocol, flags].into_iter();
        let mut next = || numbers.next().flatten().map_or_else(zero, Ok);
        let tuple = (&host, &port, next()?, next()?, next()?, next()?).into_pyobject(py)?;
        Self::parse_tuple(&tuple, None)
    }

    /// The answers, as a list of `(family, type, proto, canonname, address)`.
    fn entries(
        &self,
        py: Python<'py>,
        family: impl Fn(c_int) -> Returned<'py>,
        kind: impl Fn(c_int) -> Returned<'py>,
    ) -> Returned<'py> {
        let answers = match self.answer() {
            Some(answers) => {
                self.audit(py)?;
                answers
            }
            None => {
                let host = self.host()?;
                let service = self.service()?;
                self.audit(py)?;
                ask(py, host.as_deref(), service.as_deref(), self.hints)?
            }
        };
        let list = PyList::empty(py);
        let mut last: Option<(&SockAddr, Bound<'py, PyAny>)> = None;
        for answer in &answers {
            // One host's entries, one for each type, have the same address.
            let address = match &last {
                Some((same, address)) if address::bytes_of(same) == address::bytes_of(&answer.address) => {
                    address.clone()
                }
                _ => address::to_python(py, &answer.address, -1, self.hints.protocol)?,
            };
            last = Some((&answer.address, address.clone()));
            let name = answer.canonical_name.as_deref().unwrap_or_default();
            let name = PyString::from_bytes(py, name.to_bytes())?;
            list.append((family(answer.family)?, kind(answer.kind)?, answer.protocol, name, address))?;
        }
        Ok(list.into_any())
    }

    fn audit(&self, py: Python<'_>) -> Result<()> {
        let Hints { family, kind, protocol, .. } = self.hints;
        let (host, port) = (self.host.as_ptr(), self.port.as_ptr());
        audit!(py, c"socket.getaddrinfo", c"OOiii", host, port, family, kind, protocol)
    }

    /// What the C library would answer, where that is certain: a numeric host and port of an ordinary transport.
    fn answer(&self) -> Option<Vec<AddrInfo>> {
        const HARMLESS: c_int = libc::AI_PASSIVE | libc::AI_NUMERICHOST | libc::AI_NUMERICSERV;
        if !cfg!(target_env = "gnu") || self.hints.flags & !HARMLESS != 0 {
            return None;
        }
        let transports = transports(self.hints.kind, self.hints.protocol)?;
        let port = self.plain_port()?;
        let ip = numeric(text(&self.host)?, self.hints.family)?;
        let answer = |&(kind, protocol): &(c_int, c_int)| AddrInfo {
            family: ip.family(),
            kind,
            protocol,
            canonical_name: None,
            address: ip.with_port(port),
        };
        Some(transports.iter().map(answer).collect())
    }

    /// A port as an integer or in digits; none is 0.
    fn plain_port(&self) -> Option<u16> {
        if self.port.is_none() {
            return Some(0);
        }
        if self.port.is_exact_instance_of::<pyo3::types::PyInt>() {
            return u16::try_from(plain_long(&self.port)?).ok();
        }
        let digits = text(&self.port)?.to_str().ok()?;
        let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        if is_number { digits.parse().ok() } else { None }
    }

    fn host(&self) -> Result<Option<CString>> {
        if self.host.is_none() {
            Ok(None)
        } else if let Ok(host) = self.host.cast::<PyString>() {
            Ok(Some(till_nul(idna(host)?)))
        } else if let Ok(host) = self.host.cast::<PyBytes>() {
            Ok(Some(till_nul(host.as_bytes().to_vec())))
        } else {
            Err(Error::type_error("getaddrinfo() argument 1 must be string or None"))
        }
    }

    fn service(&self) -> Result<Option<CString>> {
        if let Some(number) = self.port_number()? {
            Ok(Some(till_nul(number.into_bytes())))
        } else if let Ok(service) = self.port.cast::<PyString>() {
            Ok(Some(till_nul(service.to_str()?.as_bytes().to_vec())))
        } else if let Ok(service) = self.port.cast::<PyBytes>() {
            Ok(Some(till_nul(service.as_bytes().to_vec())))
        } else if self.port.is_none() {
            Ok(None)
        } else {
            Err(Error::os("Int or String expected"))
        }
    }

    /// The digits of a port that is a number, which since 3.14 is anything with an index.
    #[cfg(Py_3_14)]
    fn port_number(&self) -> Result<Option<String>> {
        // SAFETY: `port` is an object.
        if unsafe { ffi::PyIndex_Check(self.port.as_ptr()) } == 0 {
            return Ok(None);
        }
        let number = crate::convert::index(&self.port)?;
        Ok(Some(number.str()?.to_str()?.to_owned()))
    }

    /// The digits of a port that is a number, which had to fit C's `long` before 3.12.
    #[cfg(not(Py_3_14))]
    fn port_number(&self) -> Result<Option<String>> {
        if !self.port.is_exact_instance_of::<pyo3::types::PyInt>() {
            return Ok(None);
        }
        if !cfg!(Py_3_12) && plain_long(&self.port).is_none() {
            return Err(Error::overflow("Python int too large to convert to C long"));
        }
        Ok(Some(self.port.str()?.to_str()?.to_owned()))
    }
}

/// What the C library sees of bytes.
fn till_nul(mut bytes: Vec<u8>) -> CString {
    bytes.push(0);
    CStr::from_bytes_until_nul(&bytes).unwrap_or_default().to_owned()
}

/// The types and protocols that the C library lists for ordinary hints, in its order; `None` for all others.
fn transports(kind: c_int, protocol: c_int) -> Option<&'static [(c_int, c_int)]> {
    const ALL: [(c_int, c_int); 3] = [
        (libc::SOCK_STREAM, libc::IPPROTO_TCP),
        (libc::SOCK_DGRAM, libc::IPPROTO_UDP),
        (libc::SOCK_RAW, libc::IPPROTO_IP),
    ];
    match (kind, protocol) {
        (0, 0) => Some(&ALL),
        (libc::SOCK_STREAM, 0) | (0 | libc::SOCK_STREAM, libc::IPPROTO_TCP) => Some(&ALL[..1]),
        (libc::SOCK_DGRAM, 0) | (0 | libc::SOCK_DGRAM, libc::IPPROTO_UDP) => Some(&ALL[1..2]),
        _ => None,
    }
}

fn getnameinfo<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> Returned<'py> {
    let (address, flags) = name_query(arguments)?;
    let Endpoint { host, port, flowinfo, scope_id } = Endpoint::parse(&address)?;
    audit!(py, c"socket.getnameinfo", c"(O)", address.as_ptr())?;
    let service = CString::new(port.to_string()).unwrap_or_default();
    let hints = Hints { kind: libc::SOCK_DGRAM, flags: libc::AI_NUMERICHOST, ..Hints::default() };
    let answers = ask(py, Some(host), Some(&service), hints)?;
    let [answer] = answers.as_slice() else {
        return Err(Error::os("sockaddr resolved to multiple addresses"));
    };
    let found = match answer.address.as_socket_ipv6() {
        // `SocketAddrV6` keeps the flow information as it goes over the wire.
        Some(found) => SocketAddrV6::new(*found.ip(), found.port(), flowinfo.to_be(), scope_id).into(),
        None if address.len() != 2 => return Err(Error::os("IPv4 sockaddr must be 2 tuple")),
        None => answer.address.clone(),
    };
    let (host, service) = py.detach(|| resolver::getnameinfo(&found, flags))?;
    let names = (PyString::from_bytes(py, host.to_bytes())?, PyString::from_bytes(py, service.to_bytes())?);
    Ok(names.into_pyobject(py)?.into_any())
}

fn name_query<'py>(arguments: Arguments<'_, 'py>) -> Result<(Bound<'py, PyTuple>, c_int)> {
    let (mut address, mut flags): (*mut ffi::PyObject, c_int) = (ptr::null_mut(), 0);
    let tuple = arguments.tuple()?;
    parse_tuple!(&tuple, c"Oi:getnameinfo", &raw mut address, &raw mut flags)?;
    // SAFETY: an object that the tuple holds.
    let address = unsafe { Bound::from_borrowed_ptr(tuple.py(), address) };
    match address.cast_into() {
        Ok(address) => Ok((address, flags)),
        Err(_) => Err(Error::type_error("getnameinfo() argument 1 must be a tuple")),
    }
}

/// The parts of an address.
struct Endpoint<'a> {
    host: &'a CStr,
    port: c_int,
    flowinfo: c_uint,
    scope_id: c_uint,
}

impl<'a> Endpoint<'a> {
    fn parse(address: &'a Bound<'_, PyTuple>) -> Result<Self> {
        let mut host: *const c_char = ptr::null();
        let (mut port, mut flowinfo, mut scope_id) = (0, 0, 0);
        let format = c"si|II;getnameinfo(): illegal sockaddr argument";
        parse_tuple!(address, format, &raw mut host, &raw mut port, &raw mut flowinfo, &raw mut scope_id)?;
        if flowinfo > 0xf_ffff {
            return Err(Error::overflow("getnameinfo(): flowinfo must be 0-1048575."));
        }
        // SAFETY: a string that the tuple holds.
        let host = unsafe { CStr::from_ptr(host) };
        Ok(Endpoint { host, port, flowinfo, scope_id })
    }
}

fn gethostbyname<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> Returned<'py> {
    let asked = Asked::parse(arguments, c"et:gethostbyname")?;
    audit!(py, c"socket.gethostbyname", c"(O)", asked.argument.as_ptr())?;
    Ok(host(py, &asked.name, libc::AF_INET)?.text(py).into_any())
}

fn gethostbyname_ex<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> Returned<'py> {
    let asked = Asked::parse(arguments, c"et:gethostbyname_ex")?;
    audit!(py, c"socket.gethostbyname", c"(O)", asked.argument.as_ptr())?;
    host(py, &asked.name, libc::AF_INET)?;
    let found = py.detach(|| resolver::gethostbyname(&asked.name))?;
    triple(py, &found, libc::AF_INET)
}

fn gethostbyaddr<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> Returned<'py> {
    let asked = Asked::parse(arguments, c"et:gethostbyaddr")?;
    audit!(py, c"socket.gethostbyaddr", c"(O)", asked.argument.as_ptr())?;
    let ip = host(py, &asked.name, libc::AF_UNSPEC)?;
    let found = py.detach(|| match ip {
        Ip::V4(ip) => resolver::gethostbyaddr(&ip.octets(), libc::AF_INET),
        Ip::V6(ip) => resolver::gethostbyaddr(&ip.octets(), libc::AF_INET6),
    })?;
    triple(py, &found, ip.family())
}

/// The one argument of the older functions, and the name of a host that it is.
struct Asked<'a, 'py> {
    argument: Borrowed<'a, 'py, PyAny>,
    name: CString,
}

impl<'a, 'py> Asked<'a, 'py> {
    fn parse(arguments: Arguments<'a, 'py>, format: &CStr) -> Result<Self> {
        let argument = if arguments.len() == 1 { arguments.get(0) } else { None };
        let Some(argument) = argument else {
            return Err(Self::refuse_count(arguments, format));
        };
        let name = match text(&argument).and_then(|name| Some((name, name.to_str().ok()?))) {
            Some((name, ascii)) if is_wire_form(ascii) => name.to_owned(),
            _ => Self::name_by_format(arguments, &argument, format)?,
        };
        Ok(Asked { argument, name })
    }

    fn refuse_count(arguments: Arguments<'_, '_>, format: &CStr) -> Error {
        let parsed = arguments.tuple().and_then(|tuple| parse_name(&tuple, format));
        parsed.err().unwrap_or_else(|| Error::type_error("one argument expected"))
    }

    fn name_by_format(arguments: Arguments<'_, '_>, argument: &Bound<'_, PyAny>, format: &CStr) -> Result<CString> {
        if let Ok(host) = argument.cast::<PyString>() {
            refuse_endless_label(host)?;
        }
        parse_name(&arguments.tuple()?, format)
    }
}

/// Parses a `str`, in IDNA, bytes or bytearray.
fn parse_name(tuple: &Bound<'_, PyTuple>, format: &CStr) -> Result<CString> {
    let mut start: *mut c_char = ptr::null_mut();
    parse_tuple!(tuple, format, c"idna".as_ptr(), &raw mut start)?;
    // SAFETY: the parser answers with a string that it made for us to free.
    unsafe {
        let name = CStr::from_ptr(start).to_owned();
        ffi::PyMem_Free(start.cast());
        Ok(name)
    }
}

/// `(name, [alias], [address])`.
fn triple<'py>(py: Python<'py>, host: &Host, family: c_int) -> Returned<'py> {
    if host.family != family {
        return Err(Error::errno(libc::EAFNOSUPPORT));
    }
    let aliases = PyList::empty(py);
    for alias in &host.aliases {
        aliases.append(PyString::from_bytes(py, alias.to_bytes())?)?;
    }
    let addresses = PyList::empty(py);
    for address in &host.addresses {
        addresses.append(packed(family, address)?.text(py))?;
    }
    let name = PyString::from_bytes(py, host.name.to_bytes())?;
    Ok((name, aliases, addresses).into_pyobject(py)?.into_any())
}

fn packed(family: c_int, address: &[u8]) -> Result<Ip> {
    let ip = match family {
        libc::AF_INET => <[u8; 4]>::try_from(address).ok().map(|ip| Ip::V4(ip.into())),
        _ => <[u8; 16]>::try_from(address).ok().map(|ip| Ip::V6(ip.into())),
    };
    ip.ok_or_else(|| Error::os("unsupported address family"))
}

/// Raises `gaierror(code, text)`, or the `OSError` that the code says is behind it.
#[cold]
pub fn raise_gaierror(py: Python<'_>, code: c_int) {
    if code == libc::EAI_SYSTEM {
        return Error::from(std::io::Error::last_os_error()).raise(py);
    }
    match classes(py) {
        Ok((gaierror, _)) => error::raise_coded(py, &gaierror, code, resolver::gai_strerror(code)),
        Err(error) => error.raise(py),
    }
}

/// Raises `herror(code, text)`.
#[cold]
pub fn raise_herror(py: Python<'_>, code: c_int) {
    match classes(py) {
        Ok((_, herror)) => error::raise_coded(py, &herror, code, resolver::hstrerror(code)),
        Err(error) => error.raise(py),
    }
}

type Classes = (Py<PyAny>, Py<PyAny>);

static CLASSES: PyOnceLock<Classes> = PyOnceLock::new();

/// `gaierror` and `herror`: the very classes of the interpreter's own module, so that who catches the one catches the other.
pub fn classes(py: Python<'_>) -> Result<(Bound<'_, PyAny>, Bound<'_, PyAny>)> {
    if CLASSES.get(py).is_none() {
        // Not within the lock: an import runs Python code, which may come back here.
        let _first_wins = CLASSES.set(py, find_classes(py)?);
    }
    let (gaierror, herror) = CLASSES.get(py).ok_or_else(|| Error::runtime("no classes"))?;
    Ok((gaierror.bind(py).clone(), herror.bind(py).clone()))
}

fn find_classes(py: Python<'_>) -> Result<Classes> {
    match original_module(py).and_then(|original| classes_of(&original).ok()) {
        Some(classes) => Ok(classes),
        None => Ok((new_class(py, c"socket.gaierror")?, new_class(py, c"socket.herror")?)),
    }
}

fn classes_of(module: &Bound<'_, PyAny>) -> PyResult<Classes> {
    Ok((module.getattr("gaierror")?.unbind(), module.getattr("herror")?.unbind()))
}

fn new_class(py: Python<'_>, name: &CStr) -> Result<Py<PyAny>> {
    let base = py.get_type::<PyOSError>();
    Ok(PyErr::new_type(py, name, None, Some(&base), None)?.into_any())
}

/// The interpreter's own `_socket`, also where this module has taken its place.
fn original_module(py: Python<'_>) -> Option<Bound<'_, PyAny>> {
    let imported = py.import("_socket").ok().map(Bound::into_any);
    let finders = ["BuiltinImporter", "PathFinder"];
    let loaded = || finders.iter().find_map(|finder| load(py, finder).ok().filter(is_original));
    imported.filter(is_original).or_else(loaded)
}

/// The class `Socket` is an addition of this module's.
fn is_original(module: &Bound<'_, PyAny>) -> bool {
    let has = |name: &str| module.hasattr(name).unwrap_or(false);
    has("gaierror") && !has("Socket")
}

/// Loads what one of `importlib.machinery`'s finders knows as `_socket`, and leaves in its place what is there already.
fn load<'py>(py: Python<'py>, finder: &str) -> PyResult<Bound<'py, PyAny>> {
    let modules = py.import("sys")?.getattr("modules")?;
    let present = modules.get_item("_socket");
    let loaded = load_from(py, finder);
    if let Ok(present) = present {
        modules.set_item("_socket", present)?;
    }
    loaded
}

fn load_from<'py>(py: Python<'py>, finder: &str) -> PyResult<Bound<'py, PyAny>> {
    let finder = py.import("importlib.machinery")?.getattr(finder)?;
    let spec = finder.call_method1("find_spec", ("_socket",))?;
    let module = py.import("importlib.util")?.call_method1("module_from_spec", (&spec,))?;
    spec.getattr("loader")?.call_method1("exec_module", (&module,))?;
    Ok(module)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_codec_leaves_as_it_is() {
        let longest = "a".repeat(LONGEST_LABEL);
        for name in ["", "a", "a.", "a.b", "A.b.", "127.0.0.1", &longest, &format!("{longest}.{longest}")] {
            assert!(is_wire_form(name), "{name}");
        }
        let too_long = "a".repeat(LONGEST_LABEL + 1);
        for name in [".", ".a", "a..b", "a..", "é", &too_long, &format!("{too_long}.a"), &format!("a.{too_long}")] {
            assert!(!is_wire_form(name), "{name}");
        }
    }

    #[test]
    fn numeric_v4_is_what_the_c_library_takes() {
        let parts = ["0", "00", "1", "01", "255", "256", "", "+1", "-1", "0x1", " 1", "1 ", "1000"];
        let endings = ["", ".", ".0", "%lo", "/8"];
        let tails = parts.iter().flat_map(|part| endings.map(|ending| format!("{part}{ending}")));
        let names = tails.flat_map(|tail| parts.map(|part| format!("1.{part}.2.{tail}")));
        for name in names {
            let name = CString::new(name).unwrap();
            let expected = sys::presentation::pton(libc::AF_INET, &name).unwrap();
            let found = numeric(&name, libc::AF_INET).map(|ip| match ip {
                Ip::V4(ip) => ip.octets().to_vec(),
                Ip::V6(ip) => ip.octets().to_vec(),
            });
            assert_eq!(found, expected, "{name:?}");
        }
    }

    #[test]
    fn a_scope_is_not_numeric() {
        assert_eq!(numeric(c"::1", libc::AF_UNSPEC), Some(Ip::V6(Ipv6Addr::LOCALHOST)));
        assert_eq!(numeric(c"::1%1", libc::AF_UNSPEC), None);
        assert_eq!(numeric(c"::1", libc::AF_INET), None);
        assert_eq!(numeric(c"1.2.3.4", libc::AF_INET6), None);
    }

    #[test]
    fn the_c_library_stops_at_nul() {
        assert_eq!(till_nul(b"a\0b".to_vec()).as_c_str(), c"a");
        assert_eq!(till_nul(Vec::new()).as_c_str(), c"");
    }
}
