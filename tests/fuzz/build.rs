//! The conditions on the version of Python, as in the product, and the system calls that the targets play themselves.

fn main() {
    pyo3_build_config::use_pyo3_cfgs();
    // The stdlib's `_socket` is a shared library: it finds these functions in the program before those of the C library.
    for name in ["bind", "getaddrinfo", "getsockname", "recvmsg"] {
        println!("cargo::rustc-link-arg=-Wl,--export-dynamic-symbol={name}");
    }
}
