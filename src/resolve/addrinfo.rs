//! `getaddrinfo(3)`. In the public module its results hold members of enums: see `public::addrinfo`.

use std::ffi::{CStr, CString, c_int};
use std::time::Instant;

#[cfg(Py_3_14)]
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};
use socket2::SockAddr;

use crate::address::context::Origin;
use crate::address::{self, sockaddr};
use crate::call::descriptor::Descriptor;
use crate::error::{Error, Result};
use crate::functions;
use crate::interpreter::ObjectResult;
use crate::interpreter::arguments::{Arguments, Keywords};
use crate::interpreter::audit::audit;
use crate::interpreter::format::{Format, Object};
use crate::interpreter::function::Table;
use crate::interpreter::make::{self, IntoObject};
use crate::interpreter::number::plain_long;
use crate::interpreter::text::c_string;
use crate::names::idna::idna;
use crate::names::ip::{Ip, numeric};
use crate::names::lookup;
use crate::sys::memory;
use crate::sys::resolver::{AddrInfo, Hints};

/// `getaddrinfo`.
pub static FUNCTIONS: Table = functions![
    keywords c"getaddrinfo" => getaddrinfo, c"getaddrinfo($module, host, port, family=0, type=0, proto=0, flags=0)\n--\n\n\
        The addresses of a host and a port, as a list of (family, type, proto, canonname, address).\n\n\
        The host is a name or a numeric address, or None for this machine; the port is a number, the name of a service or None. The\n\
        others restrict the result; 0 takes all. Raises gaierror when there is no result. See getaddrinfo(3) and RFC 3493.";
];

/// `getaddrinfo(host, port, family=0, type=0, proto=0, flags=0)`.
fn getaddrinfo<'py>(py: Python<'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    let query = Query::parse(arguments)?;
    query.entries(py, None, |family| family.into_object(py), |kind| kind.into_object(py))
}

/// The arguments of `getaddrinfo`.
pub struct Query<'py> {
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

    /// The query of plain positional arguments: up to six, with integers that fit. `None` for any others.
    pub fn plain(arguments: Arguments<'_, 'py>) -> Option<Self> {
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
        const FORMAT: Format<(Object, Object, c_int, c_int, c_int, c_int)> = Format::new(c"OO|iiii:getaddrinfo");
        const NAMES: [&CStr; 6] = [c"host", c"port", c"family", c"type", c"proto", c"flags"];
        let (host, port, family, kind, protocol, flags) =
            FORMAT.keywords(NAMES, tuple, dict, (None, None, libc::AF_UNSPEC, 0, 0, 0))?;
        let required = |value: Option<_>| value.ok_or_else(|| Error::type_error("a host and a port are required"));
        let hints = Hints { family, kind, protocol, flags };
        Ok(Query { host: required(host)?, port: required(port)?, hints })
    }

    /// The query of a Python function's parameters; `None` for one that was not given.
    pub fn from_values(py: Python<'py>, values: [Option<Bound<'py, PyAny>>; 6]) -> Result<Self> {
        let zero = || 0_i32.into_object(py);
        let [host, port, family, kind, protocol, flags] = values;
        let [host, port] = [host, port].map(|value| value.unwrap_or_else(|| py.None().into_bound(py)));
        let mut numbers = [family, kind, protocol, flags].into_iter();
        let mut next = || numbers.next().flatten().map_or_else(zero, Ok);
        let tuple = make::tuple(py, [host, port, next()?, next()?, next()?, next()?])?;
        Self::parse_tuple(&tuple, None)
    }

    /// Resolves the query: a list of `(family, type, proto, canonname, address)`. `family` and `kind` convert the first two numbers. Raises
    /// `gaierror`, and `TimeoutError` when a name server has not answered until the deadline.
    pub fn entries(
        &self,
        py: Python<'py>,
        until: Option<Instant>,
        family: impl Fn(c_int) -> ObjectResult<'py>,
        kind: impl Fn(c_int) -> ObjectResult<'py>,
    ) -> ObjectResult<'py> {
        let answers = if let Some(answers) = self.answer_numeric()? {
            self.audit(py)?;
            answers
        } else {
            let host = self.host()?;
            let service = self.service()?;
            self.audit(py)?;
            lookup::getaddrinfo(py, host.as_deref(), service.as_deref(), self.hints, until)?
        };
        let origin = Origin { proto: self.hints.protocol, descriptor: &Descriptor::closed() };
        let list = make::list(py)?;
        let mut last: Option<(&SockAddr, Bound<'py, PyAny>)> = None;
        for answer in &answers {
            // The entries of one address, one for each type, follow one another: they share one Python object.
            let address = match &last {
                Some((same, address)) if sockaddr::bytes_of(same) == sockaddr::bytes_of(&answer.address) => {
                    address.clone()
                }
                _ => address::to_python(py, &answer.address, origin)?,
            };
            last = Some((&answer.address, address.clone()));
            let name = answer.canonical_name.as_deref().unwrap_or_default();
            let name = make::utf8(py, name.to_bytes())?;
            make::append(&list, (family(answer.family)?, kind(answer.kind)?, answer.protocol, name, address))?;
        }
        Ok(list.into_any())
    }

    fn audit(&self, py: Python<'_>) -> Result<()> {
        let Hints { family, kind, protocol, .. } = self.hints;
        audit(py, c"socket.getaddrinfo", (&self.host, &self.port, family, kind, protocol))
    }

    /// The C library's result, made without a call, for a numeric host and port and an ordinary transport; `None` for any other query.
    fn answer_numeric(&self) -> Result<Option<Vec<AddrInfo>>> {
        let Some((ip, port, transports)) = self.numeric_parts() else {
            return Ok(None);
        };
        let answer = |&(kind, protocol): &(c_int, c_int)| AddrInfo {
            family: ip.family(),
            kind,
            protocol,
            canonical_name: None,
            address: ip.with_port(port),
        };
        Ok(Some(memory::try_collect(transports.iter().map(answer))?))
    }

    /// The address, the port and the transports of a query that needs no resolver.
    fn numeric_parts(&self) -> Option<(Ip, u16, Transports)> {
        const HARMLESS: c_int = libc::AI_PASSIVE | libc::AI_NUMERICHOST | libc::AI_NUMERICSERV;
        if !cfg!(target_env = "gnu") || self.hints.flags & !HARMLESS != 0 {
            return None;
        }
        let transports = transports(self.hints.kind, self.hints.protocol)?;
        let port = self.plain_port()?;
        Some((numeric(c_string(&self.host)?, self.hints.family)?, port, transports))
    }

    /// A port as an integer or in decimal digits; `None` in Python is 0.
    fn plain_port(&self) -> Option<u16> {
        if self.port.is_none() {
            return Some(0);
        }
        if self.port.is_exact_instance_of::<pyo3::types::PyInt>() {
            return u16::try_from(plain_long(&self.port)?).ok();
        }
        let digits = c_string(&self.port)?.to_str().ok()?;
        let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        if is_number { digits.parse().ok() } else { None }
    }

    fn host(&self) -> Result<Option<CString>> {
        if self.host.is_none() {
            Ok(None)
        } else if let Ok(host) = self.host.cast::<PyString>() {
            Ok(Some(memory::until_nul(&idna(host)?)?))
        } else if let Ok(host) = self.host.cast::<PyBytes>() {
            Ok(Some(memory::until_nul(host.as_bytes())?))
        } else {
            Err(Error::type_error("getaddrinfo() argument 1 must be string or None"))
        }
    }

    fn service(&self) -> Result<Option<CString>> {
        if let Some(number) = self.port_number()? {
            Ok(Some(memory::until_nul(number.to_str()?.as_bytes())?))
        } else if let Ok(service) = self.port.cast::<PyString>() {
            Ok(Some(memory::until_nul(service.to_str()?.as_bytes())?))
        } else if let Ok(service) = self.port.cast::<PyBytes>() {
            Ok(Some(memory::until_nul(service.as_bytes())?))
        } else if self.port.is_none() {
            Ok(None)
        } else {
            Err(Error::os("Int or String expected"))
        }
    }

    /// The digits of a port that is a number: since 3.14 any object with `__index__`.
    #[cfg(Py_3_14)]
    fn port_number(&self) -> Result<Option<Bound<'py, PyString>>> {
        // SAFETY: `port` is an object.
        if unsafe { ffi::PyIndex_Check(self.port.as_ptr()) } == 0 {
            return Ok(None);
        }
        let number = crate::interpreter::number::index(&self.port)?;
        Ok(Some(number.str()?))
    }

    /// The digits of a port that is a number: an `int`, which before 3.12 had to fit a C `long`.
    #[cfg(not(Py_3_14))]
    fn port_number(&self) -> Result<Option<Bound<'py, PyString>>> {
        if !self.port.is_exact_instance_of::<pyo3::types::PyInt>() {
            return Ok(None);
        }
        if !cfg!(Py_3_12) && plain_long(&self.port).is_none() {
            return Err(Error::overflow("Python int too large to convert to C long"));
        }
        Ok(Some(self.port.str()?))
    }
}

/// Socket types, each with its protocol.
type Transports = &'static [(c_int, c_int)];

/// The types and protocols that glibc returns for ordinary hints, in its order; `None` for any other hints.
fn transports(kind: c_int, protocol: c_int) -> Option<Transports> {
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
