//! Makes `#[cfg(Py_3_13)]` and its like known to the crate: without this call they are silently false.

fn main() {
    pyo3_build_config::use_pyo3_cfgs();
}
