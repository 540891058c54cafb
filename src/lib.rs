//! x
#[allow(missing_docs)] pub mod call;
pub mod fee;
pub mod protocol;
pub mod state;
#[allow(missing_docs)] pub mod syscall;
