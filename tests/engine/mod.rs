//! The engines: programs that both must run alike.

mod cairo0;
mod edges;
mod programs;
