//! The look-ups that helpers make now, and who waits for them.
//!
//! A look-up that nobody waits for any more is *abandoned*: its helper ends by itself, and the answer is dropped. A second question that is
//! equal joins the look-up that still runs. An answer is for those who waited for it, and is never kept for later questions.

use std::collections::TryReserveError;
use std::ffi::c_int;

use super::question::{Answer, Question};
use crate::sys::resolver::Failure;
use crate::sys::thread::{self, NetworkNamespace};

/// How many abandoned look-ups there may be before new ones have to wait.
pub const MOST_ABANDONED: usize = 64;

/// The number of a look-up, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id(u64);

/// What a helper leaves.
#[derive(Debug)]
pub struct Outcome {
    /// The answer.
    pub answer: Result<Answer, Failure>,
    /// The helper's `h_errno`.
    pub h_errno: c_int,
    /// The helper, which is about to end.
    pub helper: thread::Id,
}

/// All look-ups that run, and those that have ended and whose answer was not collected yet.
#[derive(Debug)]
pub struct Running {
    look_ups: Vec<LookUp>,
    next: u64,
}

#[derive(Debug)]
struct LookUp {
    id: Id,
    question: Question<'static>,
    /// An equal question may have another answer in another namespace.
    namespace: NetworkNamespace,
    /// How many threads wait for it.
    waiting: usize,
    outcome: Option<Outcome>,
}

/// What a caller finds when it looks for an answer.
#[derive(Debug)]
pub enum Collected {
    /// The helper has not ended.
    Pending,
    /// The answer. The caller does not wait any more.
    Ended(Outcome),
    /// There is no such look-up: this process is a child, and its parent has the helper.
    Unknown,
}

impl Running {
    /// None.
    pub const fn new() -> Self {
        Running { look_ups: Vec::new(), next: 0 }
    }

    /// Joins a look-up of an equal question that still runs.
    pub fn join(&mut self, question: &Question<'_>, namespace: NetworkNamespace) -> Option<Id> {
        let same = |look_up: &&mut LookUp| {
            look_up.outcome.is_none() && look_up.namespace == namespace && look_up.question == *question
        };
        let look_up = self.look_ups.iter_mut().find(same)?;
        look_up.waiting += 1;
        Some(look_up.id)
    }

    /// Whether there may be no new look-up now.
    pub fn is_full(&self) -> bool {
        self.look_ups.iter().filter(|look_up| look_up.waiting == 0).count() >= MOST_ABANDONED
    }

    /// Adds a look-up for which one thread waits.
    pub fn add(&mut self, question: &Question<'_>, namespace: NetworkNamespace) -> Result<Id, TryReserveError> {
        let question = question.try_to_owned()?;
        self.look_ups.try_reserve(1)?;
        let id = Id(self.next);
        self.next += 1;
        self.look_ups.push(LookUp { id, question, namespace, waiting: 1, outcome: None });
        Ok(id)
    }

    /// Removes a look-up that got no helper.
    pub fn remove(&mut self, id: Id) {
        self.look_ups.retain(|look_up| look_up.id != id);
    }

    /// Stores what the helper found. Returns it if nobody waits for it.
    pub fn finish(&mut self, id: Id, outcome: Outcome) -> Option<Outcome> {
        match self.place(id) {
            Some(place) if self.look_ups[place].waiting > 0 => self.look_ups[place].outcome.replace(outcome),
            Some(place) => {
                self.look_ups.swap_remove(place);
                Some(outcome)
            }
            None => Some(outcome),
        }
    }

    /// The answer, for one of the threads that wait for it.
    pub fn collect(&mut self, id: Id) -> Collected {
        let Some(place) = self.place(id) else {
            return Collected::Unknown;
        };
        let look_up = &mut self.look_ups[place];
        let Some(outcome) = &look_up.outcome else {
            return Collected::Pending;
        };
        look_up.waiting -= 1;
        if look_up.waiting > 0 {
            return Collected::Ended(outcome.copy());
        }
        self.look_ups.swap_remove(place).outcome.map_or(Collected::Unknown, Collected::Ended)
    }

    /// One thread does not wait any more.
    pub fn leave(&mut self, id: Id) {
        if let Some(place) = self.place(id) {
            let look_up = &mut self.look_ups[place];
            look_up.waiting -= 1;
            if look_up.waiting == 0 && look_up.outcome.is_some() {
                self.look_ups.swap_remove(place);
            }
        }
    }

    /// Forgets all look-ups, in a child process.
    pub fn forget(&mut self) {
        self.look_ups.clear();
    }

    fn place(&self, id: Id) -> Option<usize> {
        self.look_ups.iter().position(|look_up| look_up.id == id)
    }
}

impl Outcome {
    fn copy(&self) -> Self {
        let answer = match &self.answer {
            Ok(answer) => answer.try_clone().map_err(Failure::from),
            Err(failure) => Err(*failure),
        };
        Outcome { answer, h_errno: self.h_errno, helper: self.helper }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::names::ip::Ip;

    fn question(last: u8) -> Question<'static> {
        Question::HostByAddr(Ip::V4(Ipv4Addr::new(127, 0, 0, last)))
    }

    fn outcome(code: c_int) -> Outcome {
        Outcome { answer: Err(Failure::Host(code)), h_errno: code, helper: thread::Id::current() }
    }

    fn code(collected: Collected) -> Option<c_int> {
        match collected {
            Collected::Ended(outcome) => Some(outcome.h_errno),
            _ => None,
        }
    }

    fn add(running: &mut Running, last: u8) -> Id {
        running.add(&question(last), NetworkNamespace(None)).unwrap()
    }

    fn join(running: &mut Running, last: u8) -> Option<Id> {
        running.join(&question(last), NetworkNamespace(None))
    }

    #[test]
    fn an_answer_is_collected_once() {
        let mut running = Running::new();
        let id = add(&mut running, 1);
        assert!(matches!(running.collect(id), Collected::Pending));
        assert!(running.finish(id, outcome(7)).is_none());
        assert_eq!(code(running.collect(id)), Some(7));
        assert!(matches!(running.collect(id), Collected::Unknown));
    }

    #[test]
    fn an_equal_question_joins_while_the_look_up_runs() {
        let mut running = Running::new();
        let id = add(&mut running, 1);
        assert_eq!(join(&mut running, 2), None);
        assert_eq!(join(&mut running, 1), Some(id));
        running.finish(id, outcome(7));
        assert_eq!(join(&mut running, 1), None, "answers are not kept");
        assert_eq!((code(running.collect(id)), code(running.collect(id))), (Some(7), Some(7)));
        assert!(matches!(running.collect(id), Collected::Unknown));
    }

    #[test]
    fn another_namespace_does_not_join() {
        let mut running = Running::new();
        add(&mut running, 1);
        assert_eq!(running.join(&question(1), NetworkNamespace(Some(1))), None);
    }

    #[test]
    fn an_abandoned_look_up_is_joined_or_dropped() {
        let mut running = Running::new();
        let id = add(&mut running, 1);
        running.leave(id);
        assert_eq!(join(&mut running, 1), Some(id));
        running.leave(id);
        assert!(running.finish(id, outcome(7)).is_some());
        assert!(matches!(running.collect(id), Collected::Unknown));
    }

    #[test]
    fn the_last_thread_to_leave_drops_the_answer() {
        let mut running = Running::new();
        let id = add(&mut running, 1);
        join(&mut running, 1);
        running.finish(id, outcome(7));
        running.leave(id);
        running.leave(id);
        assert!(matches!(running.collect(id), Collected::Unknown));
    }

    #[test]
    fn only_abandoned_look_ups_count() {
        let mut running = Running::new();
        let ids: Vec<Id> = (0..MOST_ABANDONED).map(|last| add(&mut running, last as u8)).collect();
        assert!(!running.is_full());
        for id in &ids {
            running.leave(*id);
        }
        assert!(running.is_full());
        running.finish(ids[5], outcome(0));
        assert!(!running.is_full());
    }

    #[test]
    fn a_child_knows_none() {
        let mut running = Running::new();
        let id = add(&mut running, 1);
        running.forget();
        assert!(matches!(running.collect(id), Collected::Unknown));
        running.leave(id);
        assert_ne!(add(&mut running, 1), id);
    }
}
