//! Longer pages: the changelog, and a guide for hosts that use blockifier today.

#[doc = include_str!("../resources/documentation/changelog.md")]
pub mod changelog {}

#[doc = include_str!("../resources/documentation/coming_from_blockifier.md")]
pub mod coming_from_blockifier {}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
