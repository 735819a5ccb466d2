//! Files of the trace.

#[path = "../../../../src/beyond/trace/address.rs"]
pub mod address;
#[path = "../../../../src/beyond/trace/attribute.rs"]
pub mod attribute;
#[path = "../../../../src/beyond/trace/catalogue.rs"]
pub mod catalogue;
#[path = "../../../../src/beyond/trace/clock.rs"]
pub mod clock;
#[path = "../../../../src/beyond/trace/data.rs"]
pub mod data;
#[path = "../../../../src/beyond/trace/event.rs"]
pub mod event;
#[path = "../../../../src/beyond/trace/filter.rs"]
pub mod filter;
#[path = "../../../../src/beyond/trace/line.rs"]
pub mod line;
#[path = "../../../../src/beyond/trace/words.rs"]
pub mod words;
