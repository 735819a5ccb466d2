//! Formats of the interpreter's parsers, `PyArg_Parse*`, held to the types of what they parse.
//!
//! A format is a string of units (`i` for a C `int`, `O` for an object), and the parsers write through as many pointers as it has units,
//! whatever these point to. So a [`Format`] has a type for each unit, and its constructor compares them. In a constant it does so at compile
//! time; and nothing but a `Format` calls the parsers.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::marker::PhantomData;
use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::type_object::PyTypeInfo;
use pyo3::types::{PyBytes, PyDict, PyTuple};

use super::buffer::{Buffer, Readable, Writable};
use crate::error::{Error, Result};

/// A format whose units stand for the types `T`, a tuple of [`Unit`]s: `Format<(isize, c_int)>` for `n|i:recv`.
#[derive(Debug)]
pub struct Format<T> {
    text: &'static CStr,
    _units: PhantomData<fn() -> T>,
}

impl<T> Clone for Format<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Format<T> {}

impl<T: Units> Format<T> {
    /// The format of this text. Panics, in a constant at compile time, where its units do not stand for the types.
    pub const fn new(text: &'static CStr) -> Self {
        assert!(stands_for(text.to_bytes(), T::UNITS), "the units of a format stand for the types that are parsed");
        Format { text, _units: PhantomData }
    }

    /// Parses a tuple with `PyArg_ParseTuple`. What the format leaves out keeps its default.
    pub fn tuple<'a, 'py>(
        self,
        tuple: &'a Bound<'py, PyTuple>,
        defaults: T::Values<'a, 'py>,
    ) -> Result<T::Values<'a, 'py>> {
        // SAFETY: the targets are those of the format's units. What they borrow is held by the tuple, which cannot be changed.
        unsafe {
            parse::<T>(tuple.py(), defaults, |[a, b, c, d, e, f, g, h]| {
                ffi::PyArg_ParseTuple(tuple.as_ptr(), self.text.as_ptr(), a, b, c, d, e, f, g, h)
            })
        }
    }

    /// Parses one object with `PyArg_Parse`.
    pub fn object<'a, 'py>(
        self,
        object: &'a Bound<'py, PyAny>,
        defaults: T::Values<'a, 'py>,
    ) -> Result<T::Values<'a, 'py>> {
        // SAFETY: the targets are those of the format's units. What they borrow is held by the object itself: units within parentheses,
        // which are items of the object, borrow nothing.
        unsafe {
            parse::<T>(object.py(), defaults, |[a, b, c, d, e, f, g, h]| {
                ffi::PyArg_Parse(object.as_ptr(), self.text.as_ptr(), a, b, c, d, e, f, g, h)
            })
        }
    }

    /// Parses positional and keyword arguments with `PyArg_ParseTupleAndKeywords`. Each unit has a name.
    pub fn keywords<'a, 'py, const N: usize>(
        self,
        names: [&CStr; N],
        tuple: &'a Bound<'py, PyTuple>,
        dict: Option<&'a Bound<'py, PyDict>>,
        defaults: T::Values<'a, 'py>,
    ) -> Result<T::Values<'a, 'py>> {
        const { assert!(N == T::UNITS.len() && N < MOST, "each unit has a name") };
        const { assert!(!borrows(T::UNITS), "a dict can be changed while something of it is borrowed") };
        let mut ended = [ptr::null::<c_char>(); MOST];
        for (place, name) in ended.iter_mut().zip(names) {
            *place = name.as_ptr();
        }
        let dict = dict.map_or(ptr::null_mut(), |dict| dict.as_ptr());
        // SAFETY: the targets are those of the format's units, none of which borrows; there is a name for each, and then a null pointer.
        unsafe {
            parse::<T>(tuple.py(), defaults, |[a, b, c, d, e, f, g, h]| {
                let (tuple, format, names) = (tuple.as_ptr(), self.text.as_ptr(), ended.as_ptr().cast_mut().cast());
                ffi::PyArg_ParseTupleAndKeywords(tuple, dict, format, names, a, b, c, d, e, f, g, h)
            })
        }
    }
}

/// The most pointers that a format needs. A parser gets so many in any case: what it does not need it does not look at.
const MOST: usize = 8;

/// Where a parser writes to, in the order of the units.
#[derive(Debug)]
pub struct Targets {
    pointers: [*mut c_void; MOST],
    count: usize,
}

impl Targets {
    fn push<P>(&mut self, pointer: *mut P) {
        self.pointers[self.count] = pointer.cast();
        self.count += 1;
    }
}

/// Calls a parser with the targets of some units, and returns their values.
///
/// # Safety
///
/// `parser` writes what the units say, and returns 0 where it failed, with an exception set. What the values borrow lives for `'a`.
unsafe fn parse<'a, 'py, T: Units>(
    py: Python<'py>,
    defaults: T::Values<'a, 'py>,
    parser: impl FnOnce([*mut c_void; MOST]) -> c_int,
) -> Result<T::Values<'a, 'py>> {
    let mut raw = T::raw(py, defaults);
    let mut targets = Targets { pointers: [ptr::null_mut(); MOST], count: 0 };
    T::targets(&mut raw, &mut targets);
    if parser(targets.pointers) == 0 {
        return Err(Error::Raised);
    }
    // SAFETY: the parser succeeded, and wrote what the units say. The lifetimes are the caller's promise.
    Ok(unsafe { T::values(py, raw) })
}

/// What a unit of a format is, and what it makes of an argument.
///
/// # Safety
///
/// A parser writes for each of the units `TEXTS` through as many pointers as `targets` pushes, of the types that they have.
pub unsafe trait Unit {
    /// The units, of which a format has one.
    const TEXTS: &'static [&'static str];
    /// Whether the value borrows from the argument.
    const BORROWS: bool = false;
    /// The value, and the default for an argument that may be missing.
    type Value<'a, 'py>;
    /// What the parser writes to.
    type Raw<'py>;

    /// What the parser writes to, as it is for a missing argument.
    fn raw<'py>(py: Python<'py>, default: Self::Value<'_, 'py>) -> Self::Raw<'py>;

    /// The pointers for the parser.
    fn targets(raw: &mut Self::Raw<'_>, targets: &mut Targets);

    /// The value, after a parser has succeeded.
    ///
    /// # Safety
    ///
    /// A parser has succeeded with the targets, and the argument lives for `'a`.
    unsafe fn value<'a, 'py>(py: Python<'py>, raw: Self::Raw<'py>) -> Self::Value<'a, 'py>;
}

/// Numbers, which the parser writes as C has them.
macro_rules! numbers {
    ($($number:ty: $($text:literal)|*;)*) => {$(
        // SAFETY: the interpreter's documentation names this C type for these units.
        unsafe impl Unit for $number {
            const TEXTS: &'static [&'static str] = &[$($text),*];
            type Value<'a, 'py> = $number;
            type Raw<'py> = $number;

            fn raw<'py>(_py: Python<'py>, default: $number) -> $number {
                default
            }

            fn targets(raw: &mut $number, targets: &mut Targets) {
                targets.push(raw);
            }

            unsafe fn value<'a, 'py>(_py: Python<'py>, raw: $number) -> Self::Value<'a, 'py>{
                raw
            }
        }
    )*};
}

numbers! {
    u8: "B";
    u16: "H";
    c_int: "i";
    isize: "n";
}

#[cfg(target_pointer_width = "64")]
numbers! {
    u32: "I";
    u64: "K" | "k";
}

#[cfg(not(target_pointer_width = "64"))]
numbers! {
    u32: "I" | "k";
    u64: "K";
}

/// Text or bytes without NUL, borrowed from the argument; `None` for a missing one.
#[derive(Debug)]
pub struct Text;

// SAFETY: the parser writes a pointer to a string with its NUL, which the object holds.
unsafe impl Unit for Text {
    const TEXTS: &'static [&'static str] = &["s", "y"];
    const BORROWS: bool = true;
    type Value<'a, 'py> = Option<&'a CStr>;
    type Raw<'py> = *const c_char;

    fn raw<'py>(_py: Python<'py>, _default: Option<&CStr>) -> *const c_char {
        ptr::null()
    }

    fn targets(raw: &mut *const c_char, targets: &mut Targets) {
        targets.push(raw);
    }

    unsafe fn value<'a, 'py>(_py: Python<'py>, raw: *const c_char) -> Self::Value<'a, 'py> {
        // SAFETY: null where the argument is missing, or a string of the argument, which lives for 'a.
        (!raw.is_null()).then(|| unsafe { CStr::from_ptr(raw) })
    }
}

/// Any object; `None` for a missing one.
#[derive(Debug)]
pub struct Object;

// SAFETY: the parser writes a pointer to an object, of which it keeps no reference.
unsafe impl Unit for Object {
    const TEXTS: &'static [&'static str] = &["O"];
    type Value<'a, 'py> = Option<Bound<'py, PyAny>>;
    type Raw<'py> = *mut ffi::PyObject;

    fn raw<'py>(_py: Python<'py>, _default: Option<Bound<'py, PyAny>>) -> *mut ffi::PyObject {
        ptr::null_mut()
    }

    fn targets(raw: &mut *mut ffi::PyObject, targets: &mut Targets) {
        targets.push(raw);
    }

    unsafe fn value<'a, 'py>(py: Python<'py>, raw: *mut ffi::PyObject) -> Self::Value<'a, 'py> {
        // SAFETY: null where the argument is missing, or an object, which lives; the reference is a new one.
        unsafe { Bound::from_borrowed_ptr_or_opt(py, raw) }
    }
}

/// An object of the class `T`; `None` for a missing one.
#[derive(Debug)]
pub struct Instance<T>(PhantomData<T>);

// SAFETY: the parser reads a pointer to a class, and writes one to an object, of which it keeps no reference.
unsafe impl<T: PyTypeInfo> Unit for Instance<T> {
    const TEXTS: &'static [&'static str] = &["O!"];
    type Value<'a, 'py> = Option<Bound<'py, PyAny>>;
    type Raw<'py> = (*mut ffi::PyTypeObject, *mut ffi::PyObject);

    fn raw<'py>(py: Python<'py>, _default: Option<Bound<'py, PyAny>>) -> Self::Raw<'py> {
        (T::type_object_raw(py), ptr::null_mut())
    }

    fn targets((class, object): &mut Self::Raw<'_>, targets: &mut Targets) {
        targets.push(*class);
        targets.push(object);
    }

    unsafe fn value<'a, 'py>(py: Python<'py>, (_class, raw): Self::Raw<'py>) -> Self::Value<'a, 'py> {
        // SAFETY: as for any object.
        unsafe { Bound::from_borrowed_ptr_or_opt(py, raw) }
    }
}

/// A name or path in the file system's encoding: new bytes without NUL, made of a `str`, bytes or `os.PathLike`. `None` for a missing one.
#[derive(Debug)]
pub struct FsPath;

// SAFETY: the parser reads a pointer to a converter, and has it write one to an object, which is the caller's to release.
unsafe impl Unit for FsPath {
    const TEXTS: &'static [&'static str] = &["O&"];
    type Value<'a, 'py> = Option<Bound<'py, PyBytes>>;
    type Raw<'py> = *mut ffi::PyObject;

    fn raw<'py>(_py: Python<'py>, _default: Option<Bound<'py, PyBytes>>) -> *mut ffi::PyObject {
        ptr::null_mut()
    }

    fn targets(raw: &mut *mut ffi::PyObject, targets: &mut Targets) {
        targets.push(ffi::PyUnicode_FSConverter as *mut c_void);
        targets.push(raw);
    }

    unsafe fn value<'a, 'py>(py: Python<'py>, raw: *mut ffi::PyObject) -> Self::Value<'a, 'py> {
        // SAFETY: null where the argument is missing, or a new bytes object, as the converter makes it.
        unsafe { Some(Bound::from_owned_ptr_or_opt(py, raw)?.cast_into_unchecked()) }
    }
}

/// The name of a host: a `str` in IDNA, or bytes or bytearray as they are; without NUL. `None` for a missing one.
#[derive(Debug)]
pub struct HostName;

/// Text that a parser has encoded.
#[derive(Debug)]
pub struct Encoded(*mut c_char);

impl Encoded {
    /// The text.
    pub fn as_c_str(&self) -> &CStr {
        // SAFETY: a string with its NUL, which is released when this is dropped.
        unsafe { CStr::from_ptr(self.0) }
    }
}

impl Drop for Encoded {
    fn drop(&mut self) {
        // SAFETY: what the parser allocated, released once, in the thread that parsed: the pointer keeps this type in it.
        unsafe { ffi::PyMem_Free(self.0.cast()) };
    }
}

// SAFETY: the parser reads the name of an encoding, and writes a pointer to memory that is the caller's to release.
unsafe impl Unit for HostName {
    const TEXTS: &'static [&'static str] = &["et"];
    type Value<'a, 'py> = Option<Encoded>;
    type Raw<'py> = *mut c_char;

    fn raw<'py>(_py: Python<'py>, _default: Option<Encoded>) -> *mut c_char {
        ptr::null_mut()
    }

    fn targets(raw: &mut *mut c_char, targets: &mut Targets) {
        targets.push(c"idna".as_ptr().cast_mut());
        targets.push(raw);
    }

    unsafe fn value<'a, 'py>(_py: Python<'py>, raw: *mut c_char) -> Self::Value<'a, 'py> {
        (!raw.is_null()).then(|| Encoded(raw))
    }
}

/// Memory to read from, or to write to; `None` for a missing argument.
macro_rules! buffers {
    ($($access:ty: $text:literal;)*) => {$(
        // SAFETY: the parser fills the `Py_buffer`, which was empty, or leaves it empty.
        unsafe impl Unit for $access {
            const TEXTS: &'static [&'static str] = &[$text];
            type Value<'a, 'py> = Option<Buffer<'py, $access>>;
            type Raw<'py> = Buffer<'py, $access>;

            fn raw<'py>(py: Python<'py>, _default: Self::Value<'_, 'py>) -> Self::Raw<'py> {
                Buffer::unfilled(py)
            }

            fn targets(raw: &mut Self::Raw<'_>, targets: &mut Targets) {
                targets.push(raw.as_mut_ptr());
            }

            unsafe fn value<'a, 'py>(_py: Python<'py>, raw: Self::Raw<'py>) -> Self::Value<'a, 'py>{
                (!raw.is_absent()).then_some(raw)
            }
        }
    )*};
}

buffers! {
    Readable: "y*";
    Writable: "w*";
}

/// What [`Unit`]s are together.
pub trait Units {
    /// The units, in their order.
    const UNITS: &'static [Permitted];
    /// Their values.
    type Values<'a, 'py>;
    /// What a parser writes to.
    type Raw<'py>;

    /// What a parser writes to, as it is for missing arguments.
    fn raw<'py>(py: Python<'py>, defaults: Self::Values<'_, 'py>) -> Self::Raw<'py>;

    /// The pointers for the parser.
    fn targets(raw: &mut Self::Raw<'_>, targets: &mut Targets);

    /// The values, after a parser has succeeded.
    ///
    /// # Safety
    ///
    /// As for [`Unit::value`].
    unsafe fn values<'a, 'py>(py: Python<'py>, raw: Self::Raw<'py>) -> Self::Values<'a, 'py>;
}

/// What may stand in a format for a type.
#[derive(Clone, Copy, Debug)]
pub struct Permitted {
    texts: &'static [&'static str],
    borrows: bool,
}

macro_rules! units {
    ($(($($unit:ident $raw:ident),*))*) => {$(
        impl<$($unit: Unit),*> Units for ($($unit,)*) {
            const UNITS: &'static [Permitted] = &[$(Permitted { texts: $unit::TEXTS, borrows: $unit::BORROWS }),*];
            type Values<'a, 'py> = ($($unit::Value<'a, 'py>,)*);
            type Raw<'py> = ($($unit::Raw<'py>,)*);

            fn raw<'py>(py: Python<'py>, ($($raw,)*): Self::Values<'_, 'py>) -> Self::Raw<'py> {
                ($($unit::raw(py, $raw),)*)
            }

            fn targets(($($raw,)*): &mut Self::Raw<'_>, targets: &mut Targets) {
                $($unit::targets($raw, targets);)*
            }

            unsafe fn values<'a, 'py>(py: Python<'py>, ($($raw,)*): Self::Raw<'py>) -> Self::Values<'a, 'py> {
                // SAFETY: as the caller promises.
                unsafe { ($($unit::value(py, $raw),)*) }
            }
        }
    )*};
}

units! {
    (A a)
    (A a, B b)
    (A a, B b, C c)
    (A a, B b, C c, D d)
    (A a, B b, C c, D d, E e)
    (A a, B b, C c, D d, E e, F f)
}

/// Whether a unit borrows.
const fn borrows(units: &[Permitted]) -> bool {
    let mut place = 0;
    while place < units.len() {
        if units[place].borrows {
            return true;
        }
        place += 1;
    }
    false
}

/// Whether a format's units are, one by one, among those that are permitted.
const fn stands_for(format: &[u8], units: &[Permitted]) -> bool {
    let (mut place, mut unit, mut depth) = (0, 0, 0);
    while place < format.len() {
        match format[place] {
            // What follows is the function's name, or the whole message.
            b':' | b';' => break,
            // Arguments from here on may be missing, or are given by keyword only.
            b'|' | b'$' => place += 1,
            b'(' => (place, depth) = (place + 1, depth + 1),
            b')' => (place, depth) = (place + 1, depth - 1),
            _ => {
                let length = unit_length(format, place);
                if unit == units.len() || (depth > 0 && units[unit].borrows) {
                    return false;
                }
                if !is_among(format, place, length, units[unit].texts) {
                    return false;
                }
                (place, unit) = (place + length, unit + 1);
            }
        }
    }
    unit == units.len()
}

/// How many characters the unit has that begins at this place.
const fn unit_length(format: &[u8], place: usize) -> usize {
    let letters = if format[place] == b'e' { 2 } else { 1 };
    let end = place + letters;
    if end < format.len() && matches!(format[end], b'*' | b'#' | b'!' | b'&') { letters + 1 } else { letters }
}

/// Whether these characters of a format are one of the texts.
const fn is_among(format: &[u8], place: usize, length: usize, texts: &[&str]) -> bool {
    let mut index = 0;
    while index < texts.len() {
        let text = texts[index].as_bytes();
        let mut same = 0;
        while same < length && text.len() == length && text[same] == format[place + same] {
            same += 1;
        }
        if same == length {
            return true;
        }
        index += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_refused<T: Units>(text: &'static CStr) -> bool {
        !stands_for(text.to_bytes(), T::UNITS)
    }

    #[test]
    fn units_stand_for_types() {
        Format::<(isize, c_int)>::new(c"n|i:recv");
        Format::<(c_int, c_int, Readable)>::new(c"(iiy*):[sendmsg() ancillary data items]");
        Format::<(Text, u16, u16, u8)>::new(c"sH|HB");
        Format::<(HostName,)>::new(c"et:gethostbyname");
        Format::<(c_int, c_int, Instance<pyo3::types::PyNone>, u32)>::new(c"iiO!I:setsockopt");
    }

    #[test]
    fn another_type_is_refused() {
        assert!(is_refused::<(c_int, c_int)>(c"n|i:recv"));
        assert!(is_refused::<(Object,)>(c"O!:f"));
        assert!(is_refused::<(Readable,)>(c"w*:f"));
        assert!(is_refused::<(Text,)>(c"s*:f"));
        assert!(is_refused::<(u64,)>(c"L:f"));
    }

    #[test]
    fn another_number_of_units_is_refused() {
        assert!(is_refused::<(isize,)>(c"n|i:recv"));
        assert!(is_refused::<(isize, c_int, c_int)>(c"n|i:recv"));
    }

    #[test]
    fn nothing_is_borrowed_from_an_item_of_a_sequence() {
        assert!(is_refused::<(Text, c_int)>(c"(si)"));
        assert!(is_refused::<(c_int, Text)>(c"(i)(s)"));
        assert!(!is_refused::<(c_int, Text)>(c"(i)s"));
    }

    #[test]
    #[cfg_attr(miri, ignore = "needs the interpreter")]
    fn what_is_missing_keeps_its_default() {
        const FORMAT: Format<(c_int, c_int, Text)> = Format::new(c"i|is:f");
        Python::initialize();
        Python::attach(|py| {
            let tuple = super::super::make::tuple(py, [py.eval(c"7", None, None).unwrap()]).unwrap();
            assert_eq!(FORMAT.tuple(&tuple, (0, 8, None)).unwrap(), (7, 8, None));
        });
    }
}
