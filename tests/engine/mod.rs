//! The engines: programs that both must run with equal results.

mod cairo0;
mod edges;
mod programs;
