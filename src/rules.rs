#![doc = include_str!("../resources/rules.md")]
