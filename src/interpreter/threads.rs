//! Whether the program has other Python threads.

use pyo3::ffi;
use pyo3::prelude::*;

/// Whether this thread is the interpreter's only one, and the interpreter the only one of the process: then nobody waits for the GIL.
///
/// The newest thread, and the newest interpreter, are the first of their lists.
pub fn is_alone(_py: Python<'_>) -> bool {
    // SAFETY: this thread is attached, so its own state and its interpreter live on. Only those two are read, and looked for at the head of
    // their lists. Not guaranteed: that the lists stay as they are. Another thread may add itself meanwhile, and is then found the next time.
    unsafe {
        let (thread, interpreter) = (ffi::PyThreadState_Get(), ffi::PyInterpreterState_Get());
        ffi::PyInterpreterState_ThreadHead(interpreter) == thread
            && ffi::PyThreadState_Next(thread).is_null()
            && ffi::PyInterpreterState_Head() == interpreter
            && ffi::PyInterpreterState_Next(interpreter).is_null()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "needs the interpreter")]
    fn an_attached_thread_is_another() {
        Python::initialize();
        let (attached, is_attached) = channel();
        let (end, may_end) = channel::<()>();
        Python::attach(|py| {
            let other = thread::spawn(move || {
                Python::attach(|py| {
                    attached.send(()).unwrap();
                    py.detach(move || may_end.recv().unwrap());
                });
            });
            py.detach(move || is_attached.recv().unwrap());
            assert!(!is_alone(py));
            end.send(()).unwrap();
            py.detach(|| other.join().unwrap());
        });
    }
}
