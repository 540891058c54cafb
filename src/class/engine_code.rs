//! The decoded code of a class, cached for the engine that decoded it.
//!
//! Input: the decoder of an engine. Output: its result, made when a call first needs it and shared by all
//! calls. The type is erased: `class` must not know `vm`.

use std::any::Any;
use std::sync::{Arc, OnceLock};

/// A cache for decoded code; `None` inside if the engine does not support the code.
#[derive(Default)]
pub(crate) struct EngineCode(OnceLock<Option<Arc<dyn Any + Send + Sync>>>);

impl EngineCode {
    /// Returns the cached code, made by `make` on the first call. `None` if `make` returned `None`.
    pub(crate) fn get_or_make<T: Any + Send + Sync>(
        &self,
        make: impl FnOnce() -> Option<T>,
    ) -> Option<Arc<T>> {
        let made = self.0.get_or_init(|| Some(Arc::new(make()?)));
        Arc::clone(made.as_ref()?).downcast().ok()
    }
}
