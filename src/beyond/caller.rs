//! Who in the program calls: the nearest code that is neither the standard library's nor this package's.

use std::sync::OnceLock;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::error::{Error, Result};
use crate::interpreter::place::{Line, Place, folder_of};
use crate::name;
use crate::sys::{memory, working_directory};

/// The files whose calls are not the program's: those of the standard library, and of this package.
struct Skipped {
    standard_library: Option<String>,
    package: Option<String>,
}

impl Skipped {
    fn get(py: Python<'_>) -> Result<&Self> {
        static SKIPPED: PyOnceLock<Skipped> = PyOnceLock::new();
        if let Some(skipped) = SKIPPED.get(py) {
            return Ok(skipped);
        }
        let skipped =
            Skipped { standard_library: folder_of(py, name!("os"))?, package: folder_of(py, name!("oxisocket"))? };
        let _first_wins = SKIPPED.set(py, skipped);
        SKIPPED.get(py).ok_or_else(|| Error::runtime("the folders were not kept"))
    }

    fn contains(&self, file: &str) -> bool {
        let within = |folder: &Option<String>| folder.as_ref().and_then(|folder| file.strip_prefix(folder.as_str()));
        let is_installed = |rest: &str| rest.starts_with("site-packages/") || rest.starts_with("dist-packages/");
        file.starts_with("<frozen ")
            || within(&self.package).is_some()
            || within(&self.standard_library).is_some_and(|rest| !is_installed(rest))
    }
}

/// The nearest caller that is the program's.
pub fn place(py: Python<'_>) -> Result<Option<Place>> {
    let skipped = Skipped::get(py)?;
    Place::of_caller(py, |file| !skipped.contains(file))
}

/// The nearest caller that is the program's, as it is shown: `server.py:12`. `None` if there is none, or no memory.
pub fn here(py: Python<'_>) -> Option<String> {
    let line = place(py).and_then(|place| {
        let Some(place) = place else { return Ok(None) };
        let line = place.line(py);
        place.release(py);
        line.map(Some)
    });
    match line {
        Ok(line) => line.and_then(|line| shown(&line)),
        Err(error) => {
            error.discard(py);
            None
        }
    }
}

/// The line as it is shown: a file in the folder that the program was started in goes without that.
fn shown(line: &Line) -> Option<String> {
    let within = |folder: &String| line.file.strip_prefix(folder.as_str())?.strip_prefix('/');
    let file = folder().and_then(within).unwrap_or(&line.file);
    memory::try_format(format_args!("{file}:{}", line.number)).ok()
}

/// The folder that the program was in when this was first asked for.
fn folder() -> Option<&'static String> {
    static FOLDER: OnceLock<Option<String>> = OnceLock::new();
    if FOLDER.get().is_none() {
        let _first_wins = FOLDER.set(working_directory::getcwd().ok()?);
    }
    FOLDER.get()?.as_ref()
}
