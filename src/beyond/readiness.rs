//! What a socket is ready for, and how much lies in its queues.

use std::ffi::c_int;

use crate::interpreter::ObjectResult;
use crate::interpreter::make::IntoObject;
use crate::socket::object::SocketRef;
use crate::sys;

/// `_readiness()`: `(unread, unacknowledged, revents)`, each a number, or None where the socket has none to report.
pub fn readiness<'py>(this: SocketRef<'_, 'py>) -> ObjectResult<'py> {
    let py = this.py();
    let answers = this.socket().descriptor().attached(py, |fd| {
        Ok((sys::socket::siocinq(fd).ok(), sys::socket::siocoutq(fd).ok(), sys::wait::poll_now(fd).ok()))
    });
    let number = |answer: Option<c_int>| answer.map_or_else(|| Ok(this.none()), |answer| answer.into_object(py));
    let (unread, unacknowledged, events) = answers.unwrap_or_default();
    (number(unread)?, number(unacknowledged)?, number(events.map(c_int::from))?).into_object(py)
}
