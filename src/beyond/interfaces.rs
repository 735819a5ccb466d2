//! The addresses of network interfaces: `getifaddrs(3)`.

use std::fmt::Write as _;

use pyo3::prelude::*;
use socket2::SockAddr;

use crate::address::sockaddr::bytes_of;
use crate::error::Result;
use crate::functions;
use crate::interpreter::ObjectResult;
use crate::interpreter::function::Table;
use crate::interpreter::make::{self, IntoObject};
use crate::names::ip::Ip;
use crate::sys::interface_address::{InterfaceAddress, getifaddrs, hardware_address};

/// What `oxisocket._beyond.interfaces` makes named tuples of.
pub static FUNCTIONS: Table = functions![
    noargs c"_getifaddrs" => list, c"_getifaddrs($module, /)\n--\n\n\
        The addresses of all network interfaces, as a list of tuples. Raises OSError; see getifaddrs(3).\n\n\
        (name, index, flags, family, address, netmask, prefixlen, other, scope_id): family is None where there is no address, and\n\
        other is the broadcast address or the peer's, as the flags say.";
];

/// The list. The system is asked detached: it has an answer for each of perhaps thousands of interfaces.
fn list(py: Python<'_>) -> ObjectResult<'_> {
    let addresses = make::list(py)?;
    for address in py.detach(getifaddrs)? {
        make::append(&addresses, entry(py, &address)?)?;
    }
    Ok(addresses.into_any())
}

fn entry<'py>(py: Python<'py>, entry: &InterfaceAddress) -> ObjectResult<'py> {
    let none = || py.None().into_bound(py);
    let text = |address: &Option<SockAddr>| address.as_ref().map_or_else(|| Ok(none()), |address| text(py, address));
    let family = entry.address.as_ref().map(|address| i32::from(address.family()).into_object(py));
    let prefixlen = entry.netmask.as_ref().and_then(Ip::of).map(|mask| prefix_length(mask).into_object(py));
    let scope = entry.address.as_ref().and_then(SockAddr::as_socket_ipv6).map_or(0, |address| address.scope_id());
    let items = [
        make::system_text(py, entry.name.to_bytes())?,
        entry.index.into_object(py)?,
        entry.flags.into_object(py)?,
        family.unwrap_or_else(|| Ok(none()))?,
        text(&entry.address)?,
        text(&entry.netmask)?,
        prefixlen.unwrap_or_else(|| Ok(none()))?,
        text(&entry.other)?,
        scope.into_object(py)?,
    ];
    Ok(make::tuple(py, items)?.into_any())
}

/// An IP address without its scope, or a hardware address; None for one of no bytes or of another family.
fn text<'py>(py: Python<'py>, address: &SockAddr) -> ObjectResult<'py> {
    if let Some(ip) = Ip::of(address) {
        return ip.text(py);
    }
    let hardware_address = hardware_address(address.family().into(), bytes_of(address));
    if hardware_address.is_empty() {
        return Ok(py.None().into_bound(py));
    }
    make::text(py, &with_colons(hardware_address)?)
}

/// Bytes as `02:00:5e:10:00:01`.
fn with_colons(bytes: &[u8]) -> Result<String> {
    let mut text = String::new();
    text.try_reserve(bytes.len() * 3)?;
    for (index, byte) in bytes.iter().enumerate() {
        let colon = if index == 0 { "" } else { ":" };
        // There is room for all of it: it cannot fail.
        let _ = write!(text, "{colon}{byte:02x}");
    }
    Ok(text)
}

/// How many bits a netmask begins with that are set.
fn prefix_length(mask: Ip) -> u32 {
    match mask {
        Ip::V4(mask) => mask.to_bits().leading_ones(),
        Ip::V6(mask) => mask.to_bits().leading_ones(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hardware_addresses_are_written_with_colons() {
        assert_eq!(with_colons(&[2, 0, 0x5e, 0xff]).unwrap(), "02:00:5e:ff");
        assert_eq!(with_colons(&[0]).unwrap(), "00");
        assert_eq!(with_colons(&[]).unwrap(), "");
    }

    #[test]
    fn a_netmask_has_a_prefix() {
        let length = |mask: &str| {
            prefix_length(match mask.parse().unwrap() {
                std::net::IpAddr::V4(mask) => Ip::V4(mask),
                std::net::IpAddr::V6(mask) => Ip::V6(mask),
            })
        };
        assert_eq!(["0.0.0.0", "255.0.0.0", "255.255.255.255", "255.255.254.0"].map(length), [0, 8, 32, 23]);
        assert_eq!(["::", "ffff::", "ffff:ffff:ffff:fffe::"].map(length), [0, 16, 63]);
    }
}
