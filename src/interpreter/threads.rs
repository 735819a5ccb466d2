//! Whether other threads may want the interpreter.

use pyo3::ffi;
use pyo3::prelude::*;

use crate::sys::thread;

/// Whether no other thread can have wanted the GIL lately: the process has no other one.
///
/// It is not enough that the interpreter knows none. A thread of other code, which calls back into Python (`PyGILState_Ensure`), is known to
/// it in a call back only.
pub fn is_alone(py: Python<'_>) -> bool {
    is_only_one_known(py) && thread::is_only_one()
}

/// Whether the interpreter knows no other thread, and is the only one of the process. This asks nothing of the system.
fn is_only_one_known(_py: Python<'_>) -> bool {
    // The newest thread, and the newest interpreter, are the first of their lists.
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
            assert!(!is_only_one_known(py));
            end.send(()).unwrap();
            py.detach(|| other.join().unwrap());
        });
    }

    #[test]
    #[cfg_attr(miri, ignore = "needs the interpreter")]
    fn a_thread_that_is_not_attached_is_another() {
        Python::initialize();
        let (end, may_end) = channel::<()>();
        let other = thread::spawn(move || may_end.recv().unwrap());
        Python::attach(|py| assert!(!is_alone(py)));
        end.send(()).unwrap();
        other.join().unwrap();
    }
}
