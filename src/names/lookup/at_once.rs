//! Questions that need no name server. They are answered without a helper, which would cost more than the answer.

use std::ffi::{CStr, c_int};

use super::hosts_file;
use super::question::{Answer, Question};
use crate::names::ip::Ip;
use crate::sys::resolver::{self, AddrInfo, Failure, Hints};

/// No name of the DNS is as long (RFC 1035).
const LONGEST_NAME: usize = 1024;

/// The answer, if the question needs no name server; `None` if it may need one.
///
/// Not guaranteed: that the C library asks no name server all the same. `/etc/hosts` may have changed since it was read here.
pub fn answer(question: &Question<'_>) -> Option<Result<Answer, Failure>> {
    let at_once = match question {
        Question::AddrInfo { host: None, .. } => true,
        Question::AddrInfo { host: Some(host), service, hints } => {
            if let Some(entries) = numeric(host, service.as_deref(), *hints) {
                return Some(Ok(Answer::AddrInfo(entries)));
            }
            hints.flags & libc::AI_NUMERICHOST != 0 || is_known(host, hints.family)
        }
        Question::NameInfo { address, flags } => {
            flags & libc::NI_NUMERICHOST != 0 || Ip::of(address).is_some_and(hosts_file::has_address)
        }
        Question::HostByName(name) => {
            let hints = Hints { family: libc::AF_INET, ..Hints::default() };
            numeric(name, None, hints).is_some() || is_known(name, libc::AF_INET)
        }
        Question::HostByAddr(ip) => hosts_file::has_address(*ip),
    };
    at_once.then(|| question.ask())
}

/// The answer for a numeric address in any form that the C library takes, such as `127.1` and `fe80::1%lo`.
fn numeric(host: &CStr, service: Option<&CStr>, hints: Hints) -> Option<Vec<AddrInfo>> {
    let bytes = host.to_bytes();
    if !bytes.first()?.is_ascii_digit() && !bytes.contains(&b':') {
        return None;
    }
    resolver::getaddrinfo(Some(host), service, Hints { flags: hints.flags | libc::AI_NUMERICHOST, ..hints }).ok()
}

/// Whether a name is in `/etc/hosts`, or too long to be in the DNS.
fn is_known(name: &CStr, family: c_int) -> bool {
    name.count_bytes() > LONGEST_NAME || hosts_file::has_name(name, family)
}
