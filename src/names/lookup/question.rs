//! What is looked up, and the answer.

use std::borrow::Cow;
use std::collections::TryReserveError;
use std::ffi::{CStr, CString, c_int};

use socket2::SockAddr;

use crate::call::failure;
use crate::names::ip::Ip;
use crate::sys::memory;
use crate::sys::resolver::{self, AddrInfo, Failure, Hints, Host};

/// The arguments of a look-up. Two that are equal have the same answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Question<'a> {
    /// `getaddrinfo(3)`.
    AddrInfo {
        /// The name or the numeric address.
        host: Option<Cow<'a, CStr>>,
        /// The name of a service, or its port in digits.
        service: Option<Cow<'a, CStr>>,
        /// What else is asked for.
        hints: Hints,
    },
    /// `getnameinfo(3)`.
    NameInfo {
        /// The address.
        address: SockAddr,
        /// `NI_` flags.
        flags: c_int,
    },
    /// `gethostbyname_r(3)`.
    HostByName(Cow<'a, CStr>),
    /// `gethostbyaddr_r(3)`.
    HostByAddr(Ip),
}

/// What the C library found.
#[derive(Debug)]
pub enum Answer {
    /// Of [`Question::AddrInfo`].
    AddrInfo(Vec<AddrInfo>),
    /// Of [`Question::NameInfo`]: the host and the service.
    NameInfo(CString, CString),
    /// Of the two others.
    Host(Host),
}

impl Question<'_> {
    /// Asks the C library. Blocks.
    pub fn ask(&self) -> Result<Answer, Failure> {
        match self {
            Question::AddrInfo { host, service, hints } => {
                resolver::getaddrinfo(host.as_deref(), service.as_deref(), *hints).map(Answer::AddrInfo)
            }
            Question::NameInfo { address, flags } => {
                let (host, service) = resolver::getnameinfo(address, *flags)?;
                Ok(Answer::NameInfo(host, service))
            }
            Question::HostByName(name) => resolver::gethostbyname(name).map(Answer::Host),
            Question::HostByAddr(ip) => match ip {
                Ip::V4(ip) => resolver::gethostbyaddr(&ip.octets(), libc::AF_INET),
                Ip::V6(ip) => resolver::gethostbyaddr(&ip.octets(), libc::AF_INET6),
            }
            .map(Answer::Host),
        }
    }

    /// Whether the C library need not even read a file for the answer: only digits are asked for.
    pub fn is_numeric(&self) -> bool {
        const DIGITS: c_int = libc::NI_NUMERICHOST | libc::NI_NUMERICSERV;
        matches!(self, Question::NameInfo { flags, .. } if flags & !libc::NI_DGRAM == DIGITS)
    }

    /// What a note on a failure says was looked up; `None` for an address that is not IP.
    pub fn noted(&self) -> Option<failure::Question<&CStr>> {
        Some(match self {
            Question::AddrInfo { host, service, hints } => failure::Question::Addresses {
                host: host.as_deref(),
                service: service.as_deref(),
                family: hints.family,
            },
            Question::NameInfo { address, .. } => failure::Question::Names(address.as_socket()?.ip()),
            Question::HostByName(name) => {
                failure::Question::Addresses { host: Some(name), service: None, family: libc::AF_INET }
            }
            Question::HostByAddr(ip) => failure::Question::Names((*ip).into()),
        })
    }

    /// A copy that borrows nothing.
    pub fn try_to_owned(&self) -> Result<Question<'static>, TryReserveError> {
        let owned = |text: &Option<Cow<'_, CStr>>| text.as_deref().map(copied).transpose();
        Ok(match self {
            Question::AddrInfo { host, service, hints } => {
                Question::AddrInfo { host: owned(host)?, service: owned(service)?, hints: *hints }
            }
            Question::NameInfo { address, flags } => Question::NameInfo { address: address.clone(), flags: *flags },
            Question::HostByName(name) => Question::HostByName(copied(name)?),
            Question::HostByAddr(ip) => Question::HostByAddr(*ip),
        })
    }
}

fn copied(text: &CStr) -> Result<Cow<'static, CStr>, TryReserveError> {
    Ok(Cow::Owned(memory::until_nul(text.to_bytes())?))
}

impl Answer {
    /// A copy, for one of several that asked.
    pub fn try_clone(&self) -> Result<Self, TryReserveError> {
        let text = |text: &CString| memory::until_nul(text.to_bytes());
        Ok(match self {
            Answer::AddrInfo(entries) => Answer::AddrInfo(memory::try_collect_results(entries.iter().map(|entry| {
                let canonical_name = entry.canonical_name.as_ref().map(text).transpose()?;
                Ok::<_, TryReserveError>(AddrInfo { canonical_name, address: entry.address.clone(), ..*entry })
            }))?),
            Answer::NameInfo(host, service) => Answer::NameInfo(text(host)?, text(service)?),
            Answer::Host(host) => Answer::Host(Host {
                family: host.family,
                name: text(&host.name)?,
                aliases: memory::try_collect_results(host.aliases.iter().map(text))?,
                addresses: memory::try_collect_results(host.addresses.iter().map(|bytes| memory::try_to_vec(bytes)))?,
            }),
        })
    }
}
