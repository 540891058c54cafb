//! x
pub mod block;
pub mod call;
pub mod class;
pub mod fee;
pub mod protocol;
pub mod replay;
pub mod state;
pub mod syscall;
pub mod transaction;
mod vm;
