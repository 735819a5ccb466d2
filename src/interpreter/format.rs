//! Format strings of `PyArg_Parse*`, checked at compile time.
//!
//! A format is a string of format units (`i` for a C `int`, `O` for an object). The parsers write through one pointer for each unit, and
//! cannot check its type. So a [`Format`] has a type for each unit, and its constructor compares the two; in a constant it does so at
//! compile time. Only a `Format` calls the parsers.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::marker::PhantomData;
use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::type_object::PyTypeInfo;
use pyo3::types::{PyBytes, PyDict, PyTuple};

use super::buffer::{Buffer, Readable, Writable};
use crate::error::{Error, Result};

/// A format whose units have the types `T`, a tuple of [`Unit`]s: `Format<(isize, c_int)>` for `n|i:recv`.
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
    /// A format with this text. Panics (in a constant: at compile time) if its units do not have the types `T`.
    pub const fn new(text: &'static CStr) -> Self {
        assert!(has_types(text.to_bytes(), T::UNITS), "the units of a format stand for the types that are parsed");
        Format { text, _units: PhantomData }
    }

    /// Parses a tuple with `PyArg_ParseTuple`. A missing argument keeps its default.
    pub fn tuple<'a, 'py>(
        self,
        tuple: &'a Bound<'py, PyTuple>,
        defaults: T::Values<'a, 'py>,
    ) -> Result<T::Values<'a, 'py>> {
        // SAFETY: the targets have the types of the format's units, as `new` checked. The tuple, which is immutable and lives for `'a`,
        // holds the objects that the values borrow from.
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
        // SAFETY: the targets have the types of the format's units, as `new` checked. The values borrow from the object itself, which lives
        // for `'a`: `new` refuses units that borrow from an item of the object, within parentheses.
        unsafe {
            parse::<T>(object.py(), defaults, |[a, b, c, d, e, f, g, h]| {
                ffi::PyArg_Parse(object.as_ptr(), self.text.as_ptr(), a, b, c, d, e, f, g, h)
            })
        }
    }

    /// Parses positional and keyword arguments with `PyArg_ParseTupleAndKeywords`. Each unit has a name; a missing argument keeps its
    /// default.
    pub fn keywords<'a, 'py, const N: usize>(
        self,
        names: [&CStr; N],
        tuple: &'a Bound<'py, PyTuple>,
        dict: Option<&'a Bound<'py, PyDict>>,
        defaults: T::Values<'a, 'py>,
    ) -> Result<T::Values<'a, 'py>> {
        const { assert!(N == T::UNITS.len() && N < MAX_TARGETS, "each unit has a name") };
        const { assert!(!borrows(T::UNITS), "a dict can be changed while a value borrows from it") };
        let mut null_terminated = [ptr::null::<c_char>(); MAX_TARGETS];
        for (place, name) in null_terminated.iter_mut().zip(names) {
            *place = name.as_ptr();
        }
        let dict = dict.map_or(ptr::null_mut(), pyo3::Bound::as_ptr);
        // SAFETY: the targets have the types of the format's units, as `new` checked. No unit borrows. The array of names has one for each
        // unit, and then a null pointer.
        unsafe {
            parse::<T>(tuple.py(), defaults, |[a, b, c, d, e, f, g, h]| {
                let (tuple, format, names) =
                    (tuple.as_ptr(), self.text.as_ptr(), null_terminated.as_ptr().cast_mut().cast());
                ffi::PyArg_ParseTupleAndKeywords(tuple, dict, format, names, a, b, c, d, e, f, g, h)
            })
        }
    }
}

/// The largest number of pointers that a format needs. A parser always gets this many, and does not read those that it does not need.
const MAX_TARGETS: usize = 8;

/// The pointers that a parser gets, in the order of the units.
#[derive(Debug)]
pub struct Targets {
    pointers: [*mut c_void; MAX_TARGETS],
    count: usize,
}

impl Targets {
    fn push<P>(&mut self, pointer: *mut P) {
        self.pointers[self.count] = pointer.cast();
        self.count += 1;
    }
}

/// Calls a parser with the targets of the units, and returns their values, or the exception that it raised.
///
/// # Safety
///
/// `parser` writes through the targets as the units require, or returns 0 with an exception set. The arguments that the values borrow from
/// live for `'a`.
unsafe fn parse<'a, 'py, T: Units>(
    py: Python<'py>,
    defaults: T::Values<'a, 'py>,
    parser: impl FnOnce([*mut c_void; MAX_TARGETS]) -> c_int,
) -> Result<T::Values<'a, 'py>> {
    let mut raw = T::raw(py, defaults);
    let mut targets = Targets { pointers: [ptr::null_mut(); MAX_TARGETS], count: 0 };
    T::targets(&mut raw, &mut targets);
    if parser(targets.pointers) == 0 {
        return Err(Error::Raised);
    }
    // SAFETY: the parser succeeded, and wrote through the targets as the units require. The caller guarantees the lifetimes.
    Ok(unsafe { T::values(py, raw) })
}

/// The type of a format unit: how a parser converts an argument to a value.
///
/// # Safety
///
/// For each of the units `TEXTS`, a parser takes as many pointers as `targets` pushes, of the same types.
pub unsafe trait Unit {
    /// The format units with this type.
    const TEXTS: &'static [&'static str];
    /// Whether the value borrows from the argument.
    const BORROWS: bool = false;
    /// Whether the parser writes a pointer to something that only the argument keeps alive, until the value is made of it.
    const POINTS: bool = Self::BORROWS;
    /// The type of the value, and of the default for an argument that may be missing.
    type Value<'a, 'py>;
    /// The memory that the parser writes to.
    type Raw<'py>;

    /// The memory for the parser, with the state for a missing argument.
    fn raw<'py>(py: Python<'py>, default: Self::Value<'_, 'py>) -> Self::Raw<'py>;

    /// The pointers for the parser.
    fn targets(raw: &mut Self::Raw<'_>, targets: &mut Targets);

    /// The value of an argument.
    ///
    /// # Safety
    ///
    /// A parser has succeeded with the targets of `raw`, and the argument lives for `'a`.
    unsafe fn value<'a, 'py>(py: Python<'py>, raw: Self::Raw<'py>) -> Self::Value<'a, 'py>;
}

/// Numbers, which the parser writes as C types.
macro_rules! numbers {
    ($($number:ty: $($text:literal)|*;)*) => {$(
        // SAFETY: Python's documentation has this C type for these units.
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

/// A `str` (in UTF-8) or bytes, without NUL, borrowed from the argument; `None` for a missing one.
#[derive(Debug)]
pub struct Text;

// SAFETY: the parser writes a pointer to a C string that the argument owns.
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
        // SAFETY: the pointer is null for a missing argument, or to a C string that the argument owns; the argument lives for `'a`.
        (!raw.is_null()).then(|| unsafe { CStr::from_ptr(raw) })
    }
}

/// Any object; `None` for a missing one.
#[derive(Debug)]
pub struct Object;

// SAFETY: the parser writes a borrowed reference.
unsafe impl Unit for Object {
    const TEXTS: &'static [&'static str] = &["O"];
    const POINTS: bool = true;
    type Value<'a, 'py> = Option<Bound<'py, PyAny>>;
    type Raw<'py> = *mut ffi::PyObject;

    fn raw<'py>(_py: Python<'py>, _default: Option<Bound<'py, PyAny>>) -> *mut ffi::PyObject {
        ptr::null_mut()
    }

    fn targets(raw: &mut *mut ffi::PyObject, targets: &mut Targets) {
        targets.push(raw);
    }

    unsafe fn value<'a, 'py>(py: Python<'py>, raw: *mut ffi::PyObject) -> Self::Value<'a, 'py> {
        // SAFETY: the pointer is null for a missing argument, or a borrowed reference to it, of which this makes an owned one.
        unsafe { Bound::from_borrowed_ptr_or_opt(py, raw) }
    }
}

/// An object of the class `T`; `None` for a missing one.
#[derive(Debug)]
pub struct Instance<T>(PhantomData<T>);

// SAFETY: the parser reads a pointer to a class, and writes a borrowed reference.
unsafe impl<T: PyTypeInfo> Unit for Instance<T> {
    const TEXTS: &'static [&'static str] = &["O!"];
    const POINTS: bool = true;
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
        // SAFETY: as for `Object`.
        unsafe { Bound::from_borrowed_ptr_or_opt(py, raw) }
    }
}

/// A name or path in the file system's encoding, without NUL: a new bytes object, made from a `str`, bytes or `os.PathLike`. `None` for a
/// missing one.
#[derive(Debug)]
pub struct FsPath;

// SAFETY: the parser reads a pointer to a converter, which writes an owned reference.
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
        // SAFETY: the pointer is null for a missing argument, or an owned reference to a bytes object, as `PyUnicode_FSConverter` makes it.
        unsafe { Some(Bound::from_owned_ptr_or_opt(py, raw)?.cast_into_unchecked()) }
    }
}

/// The name of a host, without NUL: a `str` encoded in IDNA, or bytes or bytearray unchanged. `None` for a missing one.
#[derive(Debug)]
pub struct HostName;

/// A C string that a parser allocated for encoded text.
#[derive(Debug)]
pub struct Encoded(*mut c_char);

impl Encoded {
    /// The text.
    pub fn as_c_str(&self) -> &CStr {
        // SAFETY: the pointer is to a C string, which is freed when this is dropped.
        unsafe { CStr::from_ptr(self.0) }
    }
}

impl Drop for Encoded {
    fn drop(&mut self) {
        // SAFETY: the parser allocated the memory with `PyMem_Malloc`; it is freed once. The thread is the one that parsed, because a
        // pointer makes this type neither `Send` nor `Sync`. Not guaranteed by the type: that the thread is attached; every caller drops it
        // attached.
        unsafe { ffi::PyMem_Free(self.0.cast()) };
    }
}

// SAFETY: the parser reads the name of an encoding, and writes a pointer to memory that the caller must free.
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

/// Buffers to read from, or to write to; `None` for a missing argument.
macro_rules! buffers {
    ($($access:ty: $text:literal;)*) => {$(
        // SAFETY: the parser fills the empty `Py_buffer`, or leaves it empty.
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

/// A tuple of [`Unit`]s.
pub trait Units {
    /// What each unit may be, in their order.
    const UNITS: &'static [Allowed];
    /// Their values.
    type Values<'a, 'py>;
    /// The memory that a parser writes to.
    type Raw<'py>;

    /// The memory for a parser, with the state for missing arguments.
    fn raw<'py>(py: Python<'py>, defaults: Self::Values<'_, 'py>) -> Self::Raw<'py>;

    /// The pointers for the parser.
    fn targets(raw: &mut Self::Raw<'_>, targets: &mut Targets);

    /// The values of the arguments.
    ///
    /// # Safety
    ///
    /// As for [`Unit::value`].
    unsafe fn values<'a, 'py>(py: Python<'py>, raw: Self::Raw<'py>) -> Self::Values<'a, 'py>;
}

/// The format units that a type allows.
#[derive(Clone, Copy, Debug)]
pub struct Allowed {
    texts: &'static [&'static str],
    borrows: bool,
    points: bool,
}

macro_rules! units {
    ($(($($unit:ident $raw:ident),*))*) => {$(
        impl<$($unit: Unit),*> Units for ($($unit,)*) {
            const UNITS: &'static [Allowed] = &[$(Allowed { texts: $unit::TEXTS, borrows: $unit::BORROWS, points: $unit::POINTS }),*];
            type Values<'a, 'py> = ($($unit::Value<'a, 'py>,)*);
            type Raw<'py> = ($($unit::Raw<'py>,)*);

            fn raw<'py>(py: Python<'py>, ($($raw,)*): Self::Values<'_, 'py>) -> Self::Raw<'py> {
                ($($unit::raw(py, $raw),)*)
            }

            fn targets(($($raw,)*): &mut Self::Raw<'_>, targets: &mut Targets) {
                $($unit::targets($raw, targets);)*
            }

            unsafe fn values<'a, 'py>(py: Python<'py>, ($($raw,)*): Self::Raw<'py>) -> Self::Values<'a, 'py> {
                // SAFETY: the caller guarantees it for each unit.
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

/// Whether any of the units borrows.
const fn borrows(units: &[Allowed]) -> bool {
    let mut place = 0;
    while place < units.len() {
        if units[place].borrows {
            return true;
        }
        place += 1;
    }
    false
}

/// Whether each unit of a format is one that its type allows, and none points into an item of a sequence, which a sequence
/// that makes its items on demand drops at once.
const fn has_types(format: &[u8], units: &[Allowed]) -> bool {
    let (mut place, mut unit, mut depth) = (0, 0, 0);
    while place < format.len() {
        match format[place] {
            // The function's name follows, or the whole error message.
            b':' | b';' => break,
            // The arguments from here on are optional, or keyword-only.
            b'|' | b'$' => place += 1,
            b'(' => (place, depth) = (place + 1, depth + 1),
            b')' => (place, depth) = (place + 1, depth - 1),
            _ => {
                let length = unit_length(format, place);
                if unit == units.len() || (depth > 0 && units[unit].points) {
                    return false;
                }
                if !is_one_of(format, place, length, units[unit].texts) {
                    return false;
                }
                (place, unit) = (place + length, unit + 1);
            }
        }
    }
    unit == units.len()
}

/// The number of characters of the unit that begins at this place.
const fn unit_length(format: &[u8], place: usize) -> usize {
    let letters = if format[place] == b'e' { 2 } else { 1 };
    let end = place + letters;
    if end < format.len() && matches!(format[end], b'*' | b'#' | b'!' | b'&') { letters + 1 } else { letters }
}

/// Whether the `length` characters of a format at this place are one of the texts.
const fn is_one_of(format: &[u8], place: usize, length: usize, texts: &[&str]) -> bool {
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
        !has_types(text.to_bytes(), T::UNITS)
    }

    #[test]
    fn units_that_have_the_types_are_accepted() {
        Format::<(isize, c_int)>::new(c"n|i:recv");
        Format::<(c_int, c_int, Readable)>::new(c"(iiy*):[sendmsg() ancillary data items]");
        Format::<(Text, u16, u16, u8)>::new(c"sH|HB");
        Format::<(HostName,)>::new(c"et:gethostbyname");
        Format::<(c_int, c_int, Instance<pyo3::types::PyNone>, u32)>::new(c"iiO!I:setsockopt");
    }

    #[test]
    fn a_unit_of_another_type_is_refused() {
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
    fn a_unit_that_points_into_an_item_of_a_sequence_is_refused() {
        assert!(is_refused::<(Object, c_int)>(c"(Oi)"));
        assert!(is_refused::<(Text, c_int)>(c"(si)"));
        assert!(is_refused::<(c_int, Text)>(c"(i)(s)"));
        assert!(!is_refused::<(c_int, Text)>(c"(i)s"));
    }

    #[test]
    #[cfg_attr(miri, ignore = "needs the interpreter")]
    fn a_missing_argument_keeps_its_default() {
        const FORMAT: Format<(c_int, c_int, Text)> = Format::new(c"i|is:f");
        Python::initialize();
        Python::attach(|py| {
            let tuple = super::super::make::tuple(py, [py.eval(c"7", None, None).unwrap()]).unwrap();
            assert_eq!(FORMAT.tuple(&tuple, (0, 8, None)).unwrap(), (7, 8, None));
        });
    }
}
