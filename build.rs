//! Defines `#[cfg(Py_3_13)]` and the like for the crate. Without this call the compiler takes each of them as false, silently.

fn main() {
    pyo3_build_config::use_pyo3_cfgs();
}
