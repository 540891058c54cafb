//! The rules of behaviour that this crate implements, C1 to C250, each with an anchor (`crate::rules#c123`).
//!
#![doc = include_str!("../resources/rules.md")]
