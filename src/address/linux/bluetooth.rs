//! `AF_BLUETOOTH`: one form of address for each protocol.
//!
//! | protocol | address |
//! | --- | --- |
//! | BTPROTO_L2CAP | `(bdaddr, psm)`; since 3.14 `(bdaddr, psm[, cid[, bdaddr_type]])` |
//! | BTPROTO_RFCOMM | `(bdaddr, channel)` |
//! | BTPROTO_HCI | `(device,)`, returned as `device`; since 3.14 also `device` and `(device, channel)` |
//! | BTPROTO_SCO | `bdaddr` as bytes; since 3.12 also as `str` |

use std::ffi::{CStr, c_int, c_ulong};
use std::fmt;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};
use socket2::SockAddr;

use crate::address::context::{Context, Origin};
use crate::address::sockaddr::{bytes_of, field, of_fields};
use crate::error::{Error, Result};
use crate::interpreter::format::{Format, Text};
use crate::interpreter::make::IntoObject;
use crate::sys::memory;

// The protocols of <bluetooth/bluetooth.h>.
const L2CAP: c_int = 0;
const HCI: c_int = 1;
const SCO: c_int = 2;
const RFCOMM: c_int = 3;

/// `BDADDR_BREDR`: an address type of classic Bluetooth.
const CLASSIC: u8 = 0;
/// `HCI_CHANNEL_RAW`.
const RAW_CHANNEL: u16 = 0;

/// Whether the form of this protocol's addresses is known.
pub fn is_known(proto: c_int) -> bool {
    matches!(proto, L2CAP | HCI | SCO | RFCOMM)
}

/// A device's address, a `bdaddr_t`: its bytes are in the reverse order of the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Device([u8; 6]);

impl Device {
    /// Parses six hexadecimal numbers with colons between them, each as `%X` of `scanf(3)` does; `None` for any other text.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut device = Device::default();
        let mut numbers = text.split(|&byte| byte == b':');
        for byte in device.0.iter_mut().rev() {
            *byte = u8::try_from(hexadecimal(numbers.next()?)?).ok()?;
        }
        numbers.next().is_none().then_some(device)
    }
}

/// A number as `%X` of `scanf(3)` reads it: with leading white space, a sign and `0x` allowed, and truncated to 32 bits. A number that does
/// not fit a C `unsigned long` is `ULONG_MAX`, as with `strtoul(3)`.
fn hexadecimal(text: &[u8]) -> Option<u32> {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let start = text.iter().position(|byte| !is_space(byte))?;
    let (is_negative, digits) = match &text[start..] {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    let digits = match digits {
        [b'0', b'x' | b'X', digits @ ..] => digits,
        digits => digits,
    };
    if digits.is_empty() {
        return None;
    }
    let mut value: Option<c_ulong> = Some(0);
    for &digit in digits {
        let digit = char::from(digit).to_digit(16)?;
        value = value.and_then(|value| value.checked_mul(16)).map(|value| value | c_ulong::from(digit));
    }
    Some(match value {
        None => u32::MAX,
        Some(value) if is_negative => value.wrapping_neg() as u32,
        Some(value) => value as u32,
    })
}

impl fmt::Display for Device {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, f] = self.0;
        write!(formatter, "{f:02X}:{e:02X}:{d:02X}:{c:02X}:{b:02X}:{a:02X}")
    }
}

/// A `sockaddr_l2`, `sockaddr_rc`, `sockaddr_hci` or `sockaddr_sco`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bluetooth {
    /// `<bluetooth/l2cap.h>`.
    L2cap {
        /// The device.
        device: Device,
        /// The protocol/service multiplexer: the service on the device.
        psm: u16,
        /// The channel identifier, for a fixed channel; otherwise 0.
        cid: u16,
        /// The address type: classic Bluetooth, or Low Energy with a public or a random address.
        kind: u8,
    },
    /// `<bluetooth/rfcomm.h>`.
    Rfcomm {
        /// The device.
        device: Device,
        /// The channel: the service on the device.
        channel: u8,
    },
    /// `<bluetooth/hci.h>`.
    Hci {
        /// The number of this host's adapter.
        adapter: u16,
        /// The HCI channel: raw, user, monitor or control.
        channel: u16,
    },
    /// `<bluetooth/sco.h>`.
    Sco {
        /// The device.
        device: Device,
    },
}

impl Bluetooth {
    /// Encodes the kernel's form.
    pub fn encode(&self) -> SockAddr {
        let padding = [0];
        let encode = |fields: &[&[u8]]| of_fields(libc::AF_BLUETOOTH, fields);
        match self {
            Bluetooth::L2cap { device, psm, cid, kind } => {
                encode(&[&psm.to_ne_bytes(), &device.0, &cid.to_ne_bytes(), &[*kind], &padding])
            }
            Bluetooth::Rfcomm { device, channel } => encode(&[&device.0, &[*channel], &padding]),
            Bluetooth::Hci { adapter, channel } => encode(&[&adapter.to_ne_bytes(), &channel.to_ne_bytes()]),
            Bluetooth::Sco { device } => encode(&[&device.0]),
        }
    }

    /// Decodes the kernel's form; `None` for an unknown protocol.
    pub fn decode(bytes: &[u8], proto: c_int) -> Option<Self> {
        let device = |offset| Device(field(bytes, offset));
        let short = |offset| u16::from_ne_bytes(field(bytes, offset));
        let byte = |offset| u8::from_ne_bytes(field(bytes, offset));
        match proto {
            L2CAP => Some(Bluetooth::L2cap { psm: short(2), device: device(4), cid: short(10), kind: byte(12) }),
            RFCOMM => Some(Bluetooth::Rfcomm { device: device(2), channel: byte(8) }),
            HCI => Some(Bluetooth::Hci { adapter: short(2), channel: short(4) }),
            SCO => Some(Bluetooth::Sco { device: device(2) }),
            _ => None,
        }
    }
}

/// Parses an address in the form of the socket's protocol.
pub fn from_python(context: Context<'_>, address: &Bound<'_, PyAny>) -> Result<SockAddr> {
    let bluetooth = match context.proto {
        L2CAP => l2cap_from_python(context, address),
        RFCOMM => rfcomm_from_python(context, address),
        HCI => hci_from_python(context, address),
        SCO => sco_from_python(context, address),
        _ => Err(Error::os(format_args!("{}(): unknown Bluetooth protocol", context.caller))),
    };
    Ok(bluetooth?.encode())
}

fn l2cap_from_python(context: Context<'_>, address: &Bound<'_, PyAny>) -> Result<Bluetooth> {
    const FORMAT: Format<(Text, u16)> = Format::new(c"sH");
    const SINCE_3_14: Format<(Text, u16, u16, u8)> = Format::new(c"sH|HB");
    let tuple = tuple(context, address)?;
    let parsed = if cfg!(Py_3_14) {
        SINCE_3_14.tuple(tuple, (None, 0, 0, CLASSIC))
    } else {
        FORMAT.tuple(tuple, (None, 0)).map(|(device, psm)| (device, psm, 0, CLASSIC))
    };
    let (device, psm, cid, kind) = parsed.map_err(|error| as_wrong_format(context, tuple, error))?;
    Ok(Bluetooth::L2cap { device: device_from_python(device)?, psm, cid, kind })
}

fn rfcomm_from_python(context: Context<'_>, address: &Bound<'_, PyAny>) -> Result<Bluetooth> {
    const FORMAT: Format<(Text, u8)> = Format::new(c"sB");
    let tuple = tuple(context, address)?;
    let parsed = FORMAT.tuple(tuple, (None, 0));
    let (device, channel) = parsed.map_err(|error| as_wrong_format(context, tuple, error))?;
    Ok(Bluetooth::Rfcomm { device: device_from_python(device)?, channel })
}

fn hci_from_python(context: Context<'_>, address: &Bound<'_, PyAny>) -> Result<Bluetooth> {
    const FORMAT: Format<(u16,)> = Format::new(c"H");
    const SINCE_3_14: Format<(u16, u16)> = Format::new(c"H|H");
    if cfg!(Py_3_14) && is_index(address) {
        let (adapter,) = FORMAT.object(address, (0,))?;
        return Ok(Bluetooth::Hci { adapter, channel: RAW_CHANNEL });
    }
    let tuple = tuple(context, address)?;
    let parsed = if cfg!(Py_3_14) {
        SINCE_3_14.tuple(tuple, (0, RAW_CHANNEL))
    } else {
        FORMAT.tuple(tuple, (0,)).map(|(adapter,)| (adapter, RAW_CHANNEL))
    };
    let (adapter, channel) = parsed.map_err(|error| as_wrong_format(context, tuple, error))?;
    Ok(Bluetooth::Hci { adapter, channel })
}

fn is_index(address: &Bound<'_, PyAny>) -> bool {
    // SAFETY: `address` is an object.
    unsafe { ffi::PyIndex_Check(address.as_ptr()) != 0 }
}

fn sco_from_python(context: Context<'_>, address: &Bound<'_, PyAny>) -> Result<Bluetooth> {
    const BYTES: Format<(Text,)> = Format::new(c"y");
    const STR: Format<(Text,)> = Format::new(c"s");
    if let (Ok(bytes), false) = (address.cast::<PyBytes>(), cfg!(Py_3_12)) {
        // As in C, the text ends at its first NUL.
        let text = bytes.as_bytes().split(|&byte| byte == 0).next();
        let device = parse_device(text.unwrap_or_default())?;
        return Ok(Bluetooth::Sco { device });
    }
    let (device,) = if address.is_instance_of::<PyBytes>() {
        BYTES.object(address, (None,))?
    } else if address.is_instance_of::<PyString>() && cfg!(Py_3_12) {
        STR.object(address, (None,))?
    } else {
        return Err(wrong_format(context));
    };
    Ok(Bluetooth::Sco { device: device_from_python(device)? })
}

fn device_from_python(text: Option<&CStr>) -> Result<Device> {
    parse_device(text.unwrap_or_default().to_bytes())
}

fn parse_device(text: &[u8]) -> Result<Device> {
    Device::parse(text).ok_or_else(|| Error::os("bad bluetooth address"))
}

fn tuple<'a, 'py>(context: Context<'_>, address: &'a Bound<'py, PyAny>) -> Result<&'a Bound<'py, PyTuple>> {
    address.cast::<PyTuple>().map_err(|_| wrong_format(context))
}

/// Replaces any exception about a tuple, except `MemoryError`, by "wrong format", as CPython does.
fn as_wrong_format(context: Context<'_>, tuple: &Bound<'_, PyTuple>, error: Error) -> Error {
    if error.is_no_memory(tuple.py()) {
        return error;
    }
    error.discard(tuple.py());
    wrong_format(context)
}

fn wrong_format(context: Context<'_>) -> Error {
    Error::os(format_args!("{}(): wrong format", context.caller))
}

fn text(device: Device) -> Result<String> {
    Ok(memory::try_format(format_args!("{device}"))?)
}

/// An address in the form of the socket's protocol. `ValueError` for an unknown protocol.
pub fn to_python<'py>(py: Python<'py>, address: &SockAddr, origin: Origin<'_>) -> Result<Bound<'py, PyAny>> {
    let Some(bluetooth) = Bluetooth::decode(bytes_of(address), origin.proto) else {
        return Err(Error::value("Unknown Bluetooth protocol"));
    };
    match bluetooth {
        Bluetooth::L2cap { device, psm, cid, kind } if cfg!(Py_3_14) && kind != CLASSIC => {
            (text(device)?.as_str(), psm, cid, kind).into_object(py)
        }
        Bluetooth::L2cap { device, psm, cid, .. } if cfg!(Py_3_14) && cid != 0 => {
            (text(device)?.as_str(), psm, cid).into_object(py)
        }
        Bluetooth::L2cap { device, psm, .. } => (text(device)?.as_str(), psm).into_object(py),
        Bluetooth::Rfcomm { device, channel } => (text(device)?.as_str(), channel).into_object(py),
        Bluetooth::Hci { adapter, channel } if cfg!(Py_3_14) && channel != RAW_CHANNEL => {
            (adapter, channel).into_object(py)
        }
        Bluetooth::Hci { adapter, .. } => adapter.into_object(py),
        Bluetooth::Sco { device } => text(device)?.as_str().into_object(py),
    }
}

#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use std::ffi::{CString, c_char, c_uint};

    use super::*;

    const DEVICE: Device = Device([6, 5, 4, 3, 2, 0xa1]);

    #[track_caller]
    fn check_round_trip(bluetooth: Bluetooth, proto: c_int, bytes: &[u8]) {
        assert_eq!(bytes_of(&bluetooth.encode()), bytes);
        assert_eq!(Bluetooth::decode(bytes, proto), Some(bluetooth));
    }

    #[test]
    fn l2cap_survives_a_round_trip() {
        let l2cap = Bluetooth::L2cap { device: DEVICE, psm: 0x0201, cid: 0x0403, kind: 2 };
        check_round_trip(l2cap, L2CAP, &[31, 0, 1, 2, 6, 5, 4, 3, 2, 0xa1, 3, 4, 2, 0]);
    }

    #[test]
    fn rfcomm_survives_a_round_trip() {
        let rfcomm = Bluetooth::Rfcomm { device: DEVICE, channel: 0xff };
        check_round_trip(rfcomm, RFCOMM, &[31, 0, 6, 5, 4, 3, 2, 0xa1, 0xff, 0]);
    }

    #[test]
    fn hci_survives_a_round_trip() {
        let hci = Bluetooth::Hci { adapter: 0x0201, channel: 3 };
        check_round_trip(hci, HCI, &[31, 0, 1, 2, 3, 0]);
    }

    #[test]
    fn sco_survives_a_round_trip() {
        check_round_trip(Bluetooth::Sco { device: DEVICE }, SCO, &[31, 0, 6, 5, 4, 3, 2, 0xa1]);
    }

    #[test]
    fn missing_bytes_decode_as_zeros() {
        let no_device = Device::default();
        let decode = |proto| Bluetooth::decode(&[31, 0, 1], proto).unwrap();
        assert_eq!(decode(L2CAP), Bluetooth::L2cap { device: no_device, psm: 1, cid: 0, kind: 0 });
        assert_eq!(decode(RFCOMM), Bluetooth::Rfcomm { device: Device([1, 0, 0, 0, 0, 0]), channel: 0 });
        assert_eq!(decode(HCI), Bluetooth::Hci { adapter: 1, channel: 0 });
        assert_eq!(decode(SCO), Bluetooth::Sco { device: Device([1, 0, 0, 0, 0, 0]) });
        assert_eq!(Bluetooth::decode(&[], SCO), Some(Bluetooth::Sco { device: no_device }));
    }

    #[test]
    fn an_unknown_protocol_has_no_address() {
        assert_eq!(Bluetooth::decode(&[31, 0, 1, 2], 4), None);
        assert!(!is_known(4) && !is_known(-1));
        assert!((L2CAP..=RFCOMM).all(is_known));
    }

    #[test]
    fn a_device_has_six_bytes() {
        assert_eq!(DEVICE.to_string(), "A1:02:03:04:05:06");
        assert_eq!(Device::parse(b"A1:02:03:04:05:06"), Some(DEVICE));
        assert_eq!(Device::parse(b"a1:2:3:4:5:6"), Some(DEVICE));
        assert_eq!(Device::parse(b"A1:02:03:04:05"), None);
        assert_eq!(Device::parse(b"A1:02:03:04:05:06:07"), None);
        assert_eq!(Device::parse(b"A1:02:03:04:05:106"), None);
    }

    /// The device as `sscanf(3)` reads it.
    fn scanned(text: &[u8]) -> Option<Device> {
        let text = CString::new(text).unwrap();
        let mut numbers: [c_uint; 6] = [0; 6];
        let mut rest: c_char = 0;
        let [a, b, c, d, e, f] = &mut numbers;
        // SAFETY: each pointer has the type that its place in the format requires.
        let read =
            unsafe { libc::sscanf(text.as_ptr(), c"%X:%X:%X:%X:%X:%X%c".as_ptr(), a, b, c, d, e, f, &raw mut rest) };
        if read != 6 || numbers.iter().any(|&number| number > 255) {
            return None;
        }
        numbers.reverse();
        Some(Device(numbers.map(|number| number as u8)))
    }

    /// Except `0x` without digits, which C libraries and their versions read differently.
    #[test]
    #[cfg_attr(miri, ignore = "Miri has no sscanf")]
    fn a_device_is_parsed_as_sscanf_parses_it() {
        let numbers = [
            "0",
            "ff",
            "FF",
            "100",
            "0ff",
            "00000000000000000000ff",
            "100000001",
            "11111111111111111",
            "-1",
            "-ffffffff",
            "-fffffffffffffffff",
            "-ffffffffffffffff",
            "+1",
            "+-1",
            "0x1",
            "0X1",
            "x1",
            "0x0x1",
            "-0x1",
            "-0xffffffff",
            " 1",
            "1 ",
            "\t\n\x0b\x0c\r1",
            "- 1",
            "",
            " ",
            "-",
            "+",
            "g",
            "1g",
            "1.5",
            "\u{661}",
        ];
        for number in numbers {
            for text in [
                format!("{number}:2:3:4:5:6"),
                format!("1:2:{number}:4:5:6"),
                format!("1:2:3:4:5:{number}"),
                format!("1:2:3:4:5:6:{number}"),
                format!("1:2:3:4:5:6{number}"),
                format!("1:2:3:4:5{number}"),
            ] {
                assert_eq!(Device::parse(text.as_bytes()), scanned(text.as_bytes()), "{text:?}");
            }
        }
    }
}
