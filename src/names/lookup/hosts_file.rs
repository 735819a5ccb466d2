//! Whether `/etc/hosts` has the answer to a question, and the C library looks there first (hosts(5), nsswitch.conf(5)).
//!
//! The C library reads both files again for each look-up. What was found in them here is valid for as long as they have not changed, which
//! costs two calls of `stat`.

use std::ffi::{CStr, c_int};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
use std::str;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::names::ip::Ip;

const HOSTS: &str = "/etc/hosts";
const NSSWITCH: &str = "/etc/nsswitch.conf";

/// A longer file is not read, in bytes. The C library takes milliseconds for it: a helper does not count beside that.
const LONGEST_FILE: u64 = 1 << 20;

/// Whether the file has an address of this family for a name.
pub fn has_name(name: &CStr, family: c_int) -> bool {
    known().has(&Wanted::Name(name.to_bytes(), family))
}

/// Whether the file has a name for an address.
pub fn has_address(ip: Ip) -> bool {
    known().has(&Wanted::Address(ip.into()))
}

/// What is looked for in the file.
#[derive(Hash)]
enum Wanted<'a> {
    Name(&'a [u8], c_int),
    Address(IpAddr),
}

/// How many results are kept.
const KEPT: usize = 32;

/// What was found in the files.
#[derive(Debug)]
pub struct Known {
    files: [Option<Version>; 2],
    /// Whether the C library looks into `/etc/hosts` first.
    is_first: bool,
    /// The hashes of what was looked for, and whether the file had it. Two that have the same hash only cost a helper, or the lack of one.
    results: [Option<(u64, bool)>; KEPT],
    next: usize,
}

/// One state of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Version {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

static KNOWN: Mutex<Known> = Mutex::new(Known::new());

/// What was found up to now. No Python code runs while it is locked.
pub fn known() -> MutexGuard<'static, Known> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Known {
    const fn new() -> Self {
        Known { files: [None; 2], is_first: false, results: [None; KEPT], next: 0 }
    }

    fn has(&mut self, wanted: &Wanted<'_>) -> bool {
        self.refresh();
        if !self.is_first {
            return false;
        }
        let mut hasher = DefaultHasher::new();
        wanted.hash(&mut hasher);
        let hash = hasher.finish();
        if let Some((_, found)) = self.results.iter().flatten().find(|(known, _)| *known == hash) {
            return *found;
        }
        let found = read(HOSTS).is_some_and(|text| is_in(wanted, &text));
        self.results[self.next] = Some((hash, found));
        self.next = (self.next + 1) % KEPT;
        found
    }

    /// Forgets everything if one of the files has changed.
    fn refresh(&mut self) {
        let files = [Version::of(HOSTS), Version::of(NSSWITCH)];
        if files != self.files {
            let is_first = read(NSSWITCH).is_some_and(|text| hosts_file_is_first(&text));
            *self = Known { files, is_first, ..Known::new() };
        }
    }
}

impl Version {
    fn of(file: &str) -> Option<Self> {
        let file = fs::metadata(file).ok()?;
        Some(Version {
            device: file.dev(),
            inode: file.ino(),
            size: file.size(),
            modified: (file.mtime(), file.mtime_nsec()),
            changed: (file.ctime(), file.ctime_nsec()),
        })
    }
}

fn read(file: &str) -> Option<Vec<u8>> {
    let length = fs::metadata(file).ok()?.len();
    if length > LONGEST_FILE { None } else { fs::read(file).ok() }
}

/// The words of each line, without comments.
fn lines(text: &[u8]) -> impl Iterator<Item = impl Iterator<Item = &[u8]>> {
    let lines = text.split(|byte| *byte == b'\n');
    lines.map(|line| {
        let end = line.iter().position(|byte| *byte == b'#').unwrap_or(line.len());
        line[..end].split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
    })
}

/// Whether the text of `/etc/hosts` has what is wanted. Special rules of the C library, such as `::1` for a question about IPv4, are left
/// out.
fn is_in(wanted: &Wanted<'_>, text: &[u8]) -> bool {
    lines(text).any(|mut words| {
        let address = words.next().and_then(|word| str::from_utf8(word).ok()).and_then(|word| word.parse().ok());
        match (wanted, address) {
            (Wanted::Name(name, family), Some(address)) => {
                is_of_family(address, *family) && words.any(|word| word.eq_ignore_ascii_case(name))
            }
            (Wanted::Address(wanted), Some(address)) => *wanted == address && words.next().is_some(),
            (_, None) => false,
        }
    })
}

fn is_of_family(address: IpAddr, family: c_int) -> bool {
    match family {
        libc::AF_UNSPEC => true,
        libc::AF_INET => address.is_ipv4(),
        libc::AF_INET6 => address.is_ipv6(),
        _ => false,
    }
}

/// Whether the text of `/etc/nsswitch.conf` says that `/etc/hosts` comes first for hosts, and that a success there is final.
fn hosts_file_is_first(text: &[u8]) -> bool {
    let mut lines = lines(text).filter_map(|mut words| {
        // `hosts:files` and `hosts :files` are allowed, and rare: then helpers are used.
        (words.next()? == b"hosts:").then_some(words)
    });
    let Some(mut services) = lines.next() else {
        return false;
    };
    services.next() == Some(b"files") && services.next().is_none_or(|next| !next.starts_with(b"["))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"# a comment\n127.0.0.1\tlocalhost  box.test # local\n\n::1 localhost ip6-localhost\n\
        192.0.2.1\n 192.0.2.2 First second\r\nnonsense here\n#192.0.2.3 off\n2001:db8::1 six.test";

    fn has(name: &str, family: c_int) -> bool {
        is_in(&Wanted::Name(name.as_bytes(), family), TEXT)
    }

    #[test]
    fn names_are_found() {
        for name in ["localhost", "LOCALHOST", "box.test", "first", "second", "six.test", "ip6-localhost"] {
            assert!(has(name, libc::AF_UNSPEC), "{name}");
        }
        for name in ["local", "off", "here", "comment", "nonsense", "192.0.2.2", "", "#"] {
            assert!(!has(name, libc::AF_UNSPEC), "{name}");
        }
    }

    #[test]
    fn a_name_needs_an_address_of_the_family() {
        let families = |name| [libc::AF_INET, libc::AF_INET6, libc::AF_UNIX].map(|family| has(name, family));
        assert_eq!(families("localhost"), [true, true, false]);
        assert_eq!(families("box.test"), [true, false, false]);
        assert_eq!(families("six.test"), [false, true, false]);
    }

    #[test]
    fn addresses_need_a_name() {
        let has = |address: &str| is_in(&Wanted::Address(address.parse().unwrap()), TEXT);
        assert!(has("127.0.0.1") && has("::1") && has("2001:db8::1"));
        assert!(!has("192.0.2.1") && !has("192.0.2.3") && !has("127.0.0.2"));
    }

    #[test]
    fn the_order_of_services() {
        for text in ["hosts: files dns", "passwd: files\n hosts:\tfiles\n", "hosts: files # dns\n"] {
            assert!(hosts_file_is_first(text.as_bytes()), "{text}");
        }
        let others = [
            "",
            "hosts:",
            "hosts: dns files",
            "#hosts: files",
            "hosts: resolve [!UNAVAIL=return] files",
            "hosts: files [SUCCESS=continue] dns",
            "networks: files",
            "hosts: dns\nhosts: files",
        ];
        for text in others {
            assert!(!hosts_file_is_first(text.as_bytes()), "{text}");
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "reads the files of this machine")]
    fn results_are_kept_until_a_file_changes() {
        let mut known = Known::new();
        let wanted = Wanted::Name(b"no-such-name.test", libc::AF_UNSPEC);
        assert!(!known.has(&wanted));
        assert_eq!(known.results.iter().flatten().count(), usize::from(known.is_first));
        known.has(&wanted);
        assert_eq!(known.results.iter().flatten().count(), usize::from(known.is_first));
        known.files = [None; 2];
        known.refresh();
        assert_eq!(known.files, [Version::of(HOSTS), Version::of(NSSWITCH)]);
    }
}
