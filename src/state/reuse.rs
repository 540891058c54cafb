//! Reuse of an earlier execution: a journal validates its read set and applies its changes.
//!
//! Input: the parts of the other journal. Output: whether its read set is still valid here, and a journal as
//! if the execution had taken place in it. Does not know what was executed.

use super::journal::read_error;
use super::kind::{FeltKind, Tables, for_each_kind};
use super::touched::TouchedKind;
use super::{InitialReads, Journal, JournalParts, StateError, StateKey};

impl Journal<'_> {
    /// Returns `true` if all these cells have these values now. Reads of the host that this takes are not
    /// recorded: if the read set is not valid, the execution that had it does not take place.
    pub(crate) fn is_valid(&self, reads: &InitialReads) -> Result<bool, StateError> {
        let touched = &self.state.touched;
        for_each_kind!(Kind => {
            for (&key, value) in Tables::<Kind>::table(reads) {
                let load = || Kind::load(self.reader, key).map_err(read_error(Kind::state_key(key)));
                if Kind::cells(touched).current(&key).map_or_else(load, Ok)? != *value {
                    return Ok(false);
                }
            }
        });
        for (&class_hash, was_declared) in &reads.declared {
            let is_declared = match touched.visible_class(class_hash) {
                Some(class) => class.is_some(),
                None => {
                    self.reader.class(class_hash).map_err(read_error(StateKey::Class(class_hash)))?.is_some()
                }
            };
            if is_declared != *was_declared {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Applies the reads and changes of another journal, whose read set is [valid](Self::is_valid) here and
    /// which declared no class.
    pub(crate) fn apply(&mut self, parts: &JournalParts) -> Result<(), StateError> {
        let JournalParts { changes, initial_reads, classes } = parts;
        self.state.touched.record_reads(initial_reads);
        self.state.touched.record_loaded(classes.loaded.clone());
        for_each_kind!(Kind => {
            for (key, value) in Tables::<Kind>::table(changes) {
                self.write::<Kind>(*key, *value)?;
            }
        });
        Ok(())
    }
}
