//! Threads that outlive the call that starts them.
//!
//! `std::thread` ends the process when there is no memory for a new thread. [`spawn`] reports that instead.

use std::ffi::{CStr, c_int, c_void};
use std::mem::MaybeUninit;
use std::thread;
use std::time::Duration;

use super::system::task;
pub use super::system::task::Number;
use super::wake::without_signals;
use crate::sys::{memory, thread_block};

/// The size of a thread's stack in bytes, that of Rust's own threads. A module of the name service switch may need a lot, and only pages
/// that are touched take memory.
const STACK: usize = 2 << 20;

/// Runs `body` in a new thread of this name (at most 15 bytes), which is detached and has every signal blocked. The new thread inherits the
/// other attributes of this one: namespaces, credentials, CPU affinity. Returns `body` if there can be no thread: because of a limit or a
/// filter of system calls, or because there is no memory.
///
/// A panic of `body` ends the process.
pub fn spawn<F: FnOnce() + Send + 'static>(name: &'static CStr, body: F) -> Result<(), F> {
    if !has_room() {
        return Err(body);
    }
    let job = Box::into_raw(memory::try_box(Job { name, body }).map_err(|job| job.body)?);
    if without_signals(|| create(run::<F>, job.cast())) == 0 {
        return Ok(());
    }
    // SAFETY: the pointer of a box, which no thread has got.
    Err(unsafe { Box::from_raw(job) }.body)
}

/// Whether there is memory for what a thread allocates when it starts, apart from its stack: its data, and Rust's own. Neither can fail.
pub fn has_room() -> bool {
    memory::has_room(thread_block::ROOM)
}

/// The work of a new thread.
struct Job<F> {
    name: &'static CStr,
    body: F,
}

extern "C" fn run<F: FnOnce()>(job: *mut c_void) -> *mut c_void {
    // SAFETY: the box that `spawn` gave up for this thread.
    let Job { name, body } = *unsafe { Box::from_raw(job.cast::<Job<F>>()) };
    task::set_name(name);
    body();
    std::ptr::null_mut()
}

/// `pthread_create(3)` of a detached thread: 0 or an errno.
fn create(run: extern "C" fn(*mut c_void) -> *mut c_void, argument: *mut c_void) -> c_int {
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    let mut thread = MaybeUninit::<libc::pthread_t>::uninit();
    // SAFETY: the attributes are initialised first and destroyed last. The new thread alone uses the argument from now on.
    unsafe {
        let refused = libc::pthread_attr_init(attributes.as_mut_ptr());
        if refused != 0 {
            return refused;
        }
        libc::pthread_attr_setdetachstate(attributes.as_mut_ptr(), libc::PTHREAD_CREATE_DETACHED);
        libc::pthread_attr_setstacksize(attributes.as_mut_ptr(), STACK);
        let refused = libc::pthread_create(thread.as_mut_ptr(), attributes.as_ptr(), run, argument);
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        refused
    }
}

/// `getpid(2)`: this process.
pub fn process() -> libc::pid_t {
    // SAFETY: always safe.
    unsafe { libc::getpid() }
}

/// Whether this process has no thread but the calling one, as far as is known.
pub fn is_only_one() -> bool {
    task::is_only_one().unwrap_or(false)
}

/// A thread, as the kernel calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id(Number);

impl Id {
    /// The calling thread.
    pub fn current() -> Self {
        Id(task::current())
    }

    /// The number, to be shown.
    pub fn number(self) -> Number {
        self.0
    }

    /// Whether this is the process's first thread; in a child process, the thread that forked.
    pub fn is_main(self) -> bool {
        task::is_main(self.0)
    }

    /// Waits for a thread that is about to end, so that the kernel does not count it any more. Since Python 3.12 `os.fork()` warns when
    /// the kernel counts more than one thread. Gives up after some milliseconds.
    pub fn wait_for_end(self) {
        const YIELDS: u32 = 50;
        const SLEEPS: u32 = 100;
        for attempt in 0..YIELDS + SLEEPS {
            if !self.exists() {
                return;
            }
            // The thread may wait for this very processor.
            if attempt < YIELDS {
                thread::yield_now();
            } else {
                thread::sleep(Duration::from_micros(50));
            }
        }
    }

    /// Whether this process has such a thread.
    fn exists(self) -> bool {
        task::exists(self.0)
    }
}

/// A network namespace, by a number, where the system has such: it decides which name servers a thread reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkNamespace(pub Option<u64>);

impl NetworkNamespace {
    /// The namespace of the calling thread. Where that is not known, all threads seem to have the same.
    pub fn current() -> Self {
        NetworkNamespace(task::network_namespace())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "Miri has no thread attributes")]
    fn a_thread_runs_its_body_and_ends() {
        let (sender, receiver) = mpsc::channel();
        let spawned = spawn(c"oxisocket-test", move || sender.send(Id::current()).unwrap());
        assert!(spawned.is_ok());
        let id = receiver.recv().unwrap();
        id.wait_for_end();
        assert!(!id.exists() && !id.is_main());
        assert!(Id::current().exists());
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri has no /proc")]
    fn threads_share_their_namespace() {
        let here = NetworkNamespace::current();
        assert_eq!(thread::spawn(NetworkNamespace::current).join().unwrap(), here);
    }
}
