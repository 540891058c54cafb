//! The text of a caught panic. A base file like `sync`: every module may use it.

use std::any::Any;

/// Returns the message that a panic was raised with, or "no message" if its payload is not text.
pub(crate) fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message").to_owned()
}
