//! What an engine made of a class's code.
//!
//! Made when a call first needs it, kept with the class and shared by all calls. The class does not know what it is.

use std::any::Any;
use std::sync::{Arc, OnceLock};

/// A place for it; `None` inside if the engine does not run such code.
#[derive(Default)]
pub(crate) struct EngineCode(OnceLock<Option<Arc<dyn Any + Send + Sync>>>);

impl EngineCode {
    /// What was made of the code, or is made now.
    pub(crate) fn get_or_make<T: Any + Send + Sync>(
        &self,
        make: impl FnOnce() -> Option<T>,
    ) -> Option<Arc<T>> {
        let made = self.0.get_or_init(|| Some(Arc::new(make()?)));
        Arc::clone(made.as_ref()?).downcast().ok()
    }
}
