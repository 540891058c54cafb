//! Panics of this thread that were caught: the executor turns them into errors, or the other engine takes
//! over. They are recorded here all the same.

use std::cell::RefCell;
use std::panic::{PanicHookInfo, set_hook};

thread_local! {
    static SEEN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Records panics from now on instead of printing them.
pub fn watch() {
    set_hook(Box::new(|info: &PanicHookInfo<'_>| {
        let place = info.location().map_or_else(String::new, ToString::to_string);
        let payload = info.payload();
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default();
        SEEN.with_borrow_mut(|seen| seen.push(format!("{place}: {text}")));
    }));
}

/// The panics recorded on this thread since the last call.
pub fn take() -> Vec<String> {
    SEEN.with_borrow_mut(std::mem::take)
}
