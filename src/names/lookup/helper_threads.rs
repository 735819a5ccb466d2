//! The helpers, and waiting for them.

use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::question::{Answer, Question};
use super::running::{Collected, Id, Outcome, Running};
use crate::sys::futex;
use crate::sys::resolver::{self, Failure};
use crate::sys::thread::{self, NetworkNamespace};

/// The longest wait without a look at the signals. A signal may come after its caller has looked for it, and before the wait begins.
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// The helpers of the process.
pub static HELPERS: Helpers = Helpers::new(c_library);

fn c_library(question: &Question<'_>) -> Result<Answer, Failure> {
    question.ask()
}

/// Threads that make look-ups, one each.
#[derive(Debug)]
pub struct Helpers {
    running: Mutex<Running>,
    /// Counts the look-ups that have ended. Callers wait for it to change.
    ended: AtomicU32,
    resolver: Resolver,
}

/// What answers questions.
type Resolver = fn(&Question<'_>) -> Result<Answer, Failure>;

impl Helpers {
    const fn new(resolver: Resolver) -> Self {
        Helpers { running: Mutex::new(Running::new()), ended: AtomicU32::new(0), resolver }
    }

    /// The look-ups of now. No Python code runs while they are locked.
    pub fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A look-up that begins when its caller waits for it.
    pub fn look_up<'a>(&'static self, question: &'a Question<'a>, until: Option<Instant>) -> LookUp<'a> {
        LookUp { helpers: self, question, until, id: None }
    }

    /// Joins a look-up of an equal question, or begins one.
    fn enter(&'static self, question: &Question<'_>) -> Entered {
        let namespace = NetworkNamespace::current();
        let mut running = self.running();
        if let Some(id) = running.join(question, namespace) {
            return Entered::Waiting(id);
        }
        if running.is_full() {
            return Entered::Full;
        }
        let Ok(copy) = question.try_to_owned() else {
            return Entered::NoHelper;
        };
        let Ok(id) = running.add(question, namespace) else {
            return Entered::NoHelper;
        };
        let h_errno = resolver::h_errno();
        if thread::spawn(c"oxisocket-names", move || self.help(id, copy, h_errno)).is_err() {
            running.remove(id);
            return Entered::NoHelper;
        }
        Entered::Waiting(id)
    }

    /// Makes a look-up. It is all that a helper does.
    fn help(&self, id: Id, question: Question<'static>, h_errno: c_int) {
        resolver::set_h_errno(h_errno);
        let answer = catch_unwind(AssertUnwindSafe(|| (self.resolver)(&question)));
        let answer = answer.unwrap_or(Err(Failure::AddrInfo(libc::EAI_FAIL)));
        drop(question);
        let outcome = Outcome { answer, h_errno: resolver::h_errno(), helper: thread::Id::current() };
        // The lock is released before the outcome is dropped.
        let unclaimed = self.running().finish(id, outcome);
        drop(unclaimed);
        self.ended.fetch_add(1, Ordering::Release);
        futex::wake_all(&self.ended);
    }
}

/// How a look-up began.
enum Entered {
    /// A helper makes it.
    Waiting(Id),
    /// Too many abandoned look-ups still run.
    Full,
    /// There is no memory for it, or no thread.
    NoHelper,
}

/// How a caller stopped waiting.
#[derive(Debug)]
pub enum Progress {
    /// The look-up has ended.
    Ended(Result<Answer, Failure>),
    /// The deadline has passed.
    TimedOut,
    /// It is time to look at the signals.
    Interrupted,
}

/// A look-up that its caller waits for. To drop it is to give it up.
#[derive(Debug)]
pub struct LookUp<'a> {
    helpers: &'static Helpers,
    question: &'a Question<'a>,
    until: Option<Instant>,
    /// The look-up that a helper makes.
    id: Option<Id>,
}

impl LookUp<'_> {
    /// Waits for the answer, detached. Where there can be no helper, makes the look-up itself.
    pub fn wait(&mut self) -> Progress {
        let start = Instant::now();
        loop {
            let ended = self.helpers.ended.load(Ordering::Acquire);
            if let Some(answer) = self.collect() {
                return Progress::Ended(answer);
            }
            let now = Instant::now();
            if self.until.is_some_and(|until| until <= now) {
                return Progress::TimedOut;
            }
            if self.id.is_none()
                && let Some(answer) = self.begin()
            {
                return Progress::Ended(answer);
            }
            let pause = start + LONGEST_WAIT;
            let wait = self.until.map_or(pause, |until| until.min(pause)).saturating_duration_since(now);
            if now >= pause || futex::wait(&self.helpers.ended, ended, wait).is_err() {
                return Progress::Interrupted;
            }
        }
    }

    /// Begins the look-up, if there is a helper for it. Without one, returns the answer. If too many look-ups are abandoned, a caller with a
    /// deadline has to wait.
    fn begin(&mut self) -> Option<Result<Answer, Failure>> {
        match self.helpers.enter(self.question) {
            Entered::Waiting(id) => self.id = Some(id),
            Entered::Full if self.until.is_some() => {}
            Entered::Full | Entered::NoHelper => return Some((self.helpers.resolver)(self.question)),
        }
        None
    }

    /// The answer, if the helper has ended.
    fn collect(&mut self) -> Option<Result<Answer, Failure>> {
        let collected = self.helpers.running().collect(self.id?);
        match collected {
            Collected::Pending => None,
            Collected::Ended(outcome) => {
                self.id = None;
                resolver::set_h_errno(outcome.h_errno);
                outcome.helper.wait_for_end();
                Some(outcome.answer)
            }
            // A signal handler has forked, and this is the child: it begins again.
            Collected::Unknown => {
                self.id = None;
                None
            }
        }
    }
}

impl Drop for LookUp<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.helpers.running().leave(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::Condvar;
    use std::sync::atomic::AtomicUsize;
    use std::thread::ThreadId;

    use super::super::running::MOST_ABANDONED;
    use super::*;
    use crate::names::ip::Ip;

    const LONG: Duration = Duration::from_secs(20);
    const SHORT: Duration = Duration::from_millis(10);

    fn question(number: u8) -> Question<'static> {
        Question::HostByAddr(Ip::V4(Ipv4Addr::new(192, 0, 2, number)))
    }

    fn within(time: Duration) -> Option<Instant> {
        Some(Instant::now() + time)
    }

    /// Waits for the end, as a caller does: the failure of the look-up, or `None` at the deadline.
    fn end(look_up: &mut LookUp<'_>) -> Option<Failure> {
        loop {
            match look_up.wait() {
                Progress::Ended(answer) => return Some(answer.unwrap_err()),
                Progress::TimedOut => return None,
                Progress::Interrupted => {}
            }
        }
    }

    /// Begins a look-up, and gives it up.
    fn abandon(helpers: &'static Helpers, question: &Question<'_>) {
        assert!(helpers.look_up(question, within(LONG)).begin().is_none());
    }

    /// Holds look-ups up until it is opened.
    struct Gate {
        is_open: Mutex<bool>,
        opened: Condvar,
        calls: AtomicUsize,
    }

    impl Gate {
        const fn new() -> Self {
            Gate { is_open: Mutex::new(false), opened: Condvar::new(), calls: AtomicUsize::new(0) }
        }

        fn pass(&self) -> Result<Answer, Failure> {
            self.calls.fetch_add(1, Ordering::Relaxed);
            let is_open = self.is_open.lock().unwrap();
            drop(self.opened.wait_while(is_open, |is_open| !*is_open).unwrap());
            Err(Failure::Host(1))
        }

        fn open(&self) {
            *self.is_open.lock().unwrap() = true;
            self.opened.notify_all();
        }

        fn calls(&self) -> usize {
            self.calls.load(Ordering::Relaxed)
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri has no thread attributes")]
    fn a_helper_makes_the_look_up() {
        static THREAD: Mutex<Option<ThreadId>> = Mutex::new(None);
        static HELPERS: Helpers = Helpers::new(|_| {
            *THREAD.lock().unwrap() = Some(std::thread::current().id());
            Err(Failure::System(5))
        });
        let question = question(1);
        assert_eq!(end(&mut HELPERS.look_up(&question, None)), Some(Failure::System(5)));
        assert_ne!(THREAD.lock().unwrap().unwrap(), std::thread::current().id());
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri has no thread attributes")]
    fn an_abandoned_look_up_is_joined() {
        static GATE: Gate = Gate::new();
        static HELPERS: Helpers = Helpers::new(|_| GATE.pass());
        let question = question(1);
        abandon(&HELPERS, &question);
        let mut first = HELPERS.look_up(&question, within(LONG));
        let mut second = HELPERS.look_up(&question, within(SHORT));
        assert!(first.begin().is_none() && second.begin().is_none());
        assert_eq!(end(&mut second), None);
        GATE.open();
        assert_eq!((end(&mut first), GATE.calls()), (Some(Failure::Host(1)), 1));
        assert_eq!((end(&mut second), GATE.calls()), (Some(Failure::Host(1)), 1), "the answer beats the deadline");
        assert_eq!(end(&mut HELPERS.look_up(&question, None)), Some(Failure::Host(1)));
        assert_eq!(GATE.calls(), 2, "answers are not kept");
    }

    #[test]
    fn a_deadline_that_has_passed_begins_nothing() {
        static GATE: Gate = Gate::new();
        static HELPERS: Helpers = Helpers::new(|_| GATE.pass());
        assert_eq!(end(&mut HELPERS.look_up(&question(1), within(Duration::ZERO))), None);
        assert_eq!(GATE.calls(), 0);
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri has no thread attributes")]
    fn a_panic_is_a_failure() {
        static HELPERS: Helpers = Helpers::new(|_| panic!("as planned"));
        assert_eq!(end(&mut HELPERS.look_up(&question(1), None)), Some(Failure::AddrInfo(libc::EAI_FAIL)));
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri has no thread attributes")]
    fn too_many_abandoned_look_ups_hold_new_ones_up() {
        static GATE: Gate = Gate::new();
        static HELPERS: Helpers = Helpers::new(|question| match question {
            Question::HostByName(_) => Err(Failure::Host(2)),
            _ => GATE.pass(),
        });
        for number in 0..MOST_ABANDONED {
            abandon(&HELPERS, &question(number as u8));
        }
        let other = Question::HostByName(c"other.test".into());
        assert_eq!(end(&mut HELPERS.look_up(&other, within(SHORT))), None, "no place became free");
        assert_eq!(end(&mut HELPERS.look_up(&other, None)), Some(Failure::Host(2)), "the caller made it itself");
        let mut waiting = HELPERS.look_up(&other, within(LONG));
        assert!(waiting.begin().is_none() && waiting.id.is_none());
        GATE.open();
        assert_eq!(end(&mut waiting), Some(Failure::Host(2)));
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri has no thread attributes")]
    fn a_child_begins_again() {
        static GATE: Gate = Gate::new();
        static HELPERS: Helpers = Helpers::new(|_| GATE.pass());
        let question = question(1);
        let mut look_up = HELPERS.look_up(&question, within(LONG));
        assert!(look_up.begin().is_none());
        while GATE.calls() == 0 {
            std::thread::yield_now();
        }
        // As in a child, but that the first helper is there.
        HELPERS.running().forget();
        GATE.open();
        assert_eq!((end(&mut look_up), GATE.calls()), (Some(Failure::Host(1)), 2));
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri has no h_errno")]
    fn h_errno_goes_to_the_helper_and_back() {
        static HELPERS: Helpers = Helpers::new(|_| {
            let before = resolver::h_errno();
            resolver::set_h_errno(7);
            Err(Failure::Host(before))
        });
        resolver::set_h_errno(3);
        assert_eq!(end(&mut HELPERS.look_up(&question(1), None)), Some(Failure::Host(3)));
        assert_eq!(resolver::h_errno(), 7);
    }
}
