//! A socket in one line.

use super::package;
use crate::interpreter::ObjectResult;
use crate::name;
use crate::socket::object::SocketRef;

/// `describe()`, which is Python: nobody describes sockets in a hurry.
pub fn describe<'py>(this: SocketRef<'_, 'py>) -> ObjectResult<'py> {
    let py = this.py();
    package::call(name!(py, "oxisocket._beyond.description")?, name!(py, "describe")?, this.object().to_owned())
}
