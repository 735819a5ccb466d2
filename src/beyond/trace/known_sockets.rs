//! The sockets that a trace has seen.

use pyo3::prelude::*;

use super::socket_facts::{By, Facts, key};
use super::state::State;
use crate::call::socket::Socket;

/// The facts of a socket, which is seen for the first time perhaps.
pub fn know<'a>(
    py: Python<'_>,
    state: &'a mut State,
    socket: &Socket,
    by: By,
    opened: Option<String>,
) -> Option<&'a mut Facts> {
    let key = key(socket);
    let fd = socket.descriptor().number();
    // Another `__init__` gives an object another socket.
    let is_known = state.sockets.get(&key).is_some_and(|facts| fd < 0 || (facts.fd == fd && !facts.is_closed));
    if !is_known {
        if fd < 0 || state.sockets.try_reserve(1).is_err() {
            return None;
        }
        let number = state.next_socket();
        let facts = Facts::new(py, number, socket, by, opened);
        state.sockets.insert(key, facts);
    }
    state.sockets.get_mut(&key)
}

/// Finds the other one of a pair, if the socket is of one.
pub fn pair_up(state: &mut State, key: usize) {
    let Some((number, cookie)) = state.sockets.get(&key).and_then(|facts| Some((facts.number, facts.cookie?))) else {
        return;
    };
    let Some(index) = state.pairs.iter().position(|pair| pair.contains(&cookie)) else { return };
    let [one, other] = state.pairs[index];
    let twin_cookie = if one == cookie { other } else { one };
    let twin = state
        .sockets
        .iter()
        .find(|(_, facts)| facts.cookie == Some(twin_cookie))
        .map(|(key, facts)| (*key, facts.number));
    let Some(facts) = state.sockets.get_mut(&key) else { return };
    match twin {
        Some((twin_key, twin)) => {
            facts.set_twin(twin);
            if let Some(facts) = state.sockets.get_mut(&twin_key) {
                facts.set_twin(number);
            }
            state.pairs.remove(index);
        }
        None => facts.begin_pair(),
    }
}
