//! How a call on a socket is made: on which descriptor, attached or detached, with which deadline.
//!
//! | file | what |
//! | --- | --- |
//! | [`socket`] | the state of a socket, which its calls read and write |
//! | [`spec`] | family, type and protocol |
//! | [`descriptor`] | the descriptor, and the calls that run on it |
//! | [`transfer`] | receives and sends: first attempt, detach, wait |
//! | [`blocking`] | calls that may block, detached |
//! | [`attached_wait`] | a short wait without detaching, beside a thread that computes |
//! | [`contention`] | how long threads wait for the GIL after a call, and whether any does |
//! | [`turnaround`], [`allowance`] | where a short wait pays, and how much of it there may be |
//! | [`moment`] | the clock of these |
//! | [`attempts`] | the sockets on which a first attempt is allowed |
//! | [`predictor`] | whether a first attempt is likely to succeed |
//! | [`scope`] | the deadlines of a thread |
//! | [`neighbours`] | whether other threads need the GIL often and briefly |
//! | [`turn`] | when a thread whose transfers are all ready lets other threads run |
//! | [`switch_interval`] | how long a thread waits for the GIL before it asks for it |
//! | [`timeout`] | timeouts, from and to Python |
//! | [`deadline`] | when a call stops waiting |
//! | [`failure`], [`hooks`] | what a failed call knows about itself, and who is told |

mod allowance;
pub mod attached_wait;
pub mod attempts;
pub mod blocking;
mod contention;
pub mod deadline;
pub mod descriptor;
pub mod failure;
pub mod hooks;
mod moment;
mod neighbours;
pub mod predictor;
pub mod scope;
pub mod socket;
pub mod spec;
mod switch_interval;
pub mod timeout;
pub mod transfer;
pub mod turn;
mod turnaround;
