//! Doing again what was done before, without doing it: a journal takes over what another one read and changed.
//!
//! In: the parts of the other journal. Out: whether they hold here, and a journal that looks as if the work had been done in it.
//! Knows nothing of what the work was.

use super::journal::read_error;
use super::{InitialReads, Journal, JournalParts, StateError, StateKey};

impl Journal<'_> {
    /// Whether all these cells have these values now. What is asked for that is not noted as read: if the answer is no, it was not.
    pub(crate) fn holds(&self, reads: &InitialReads) -> Result<bool, StateError> {
        let touched = &self.state.touched;
        for (&(address, key), value) in &reads.storage {
            let read =
                || self.reader.storage_at(address, key).map_err(read_error(StateKey::Storage(address, key)));
            if touched.storage.current(&(address, key)).map_or_else(read, Ok)? != *value {
                return Ok(false);
            }
        }
        for (&address, value) in &reads.nonces {
            let read = || self.reader.nonce_at(address).map_err(read_error(StateKey::Nonce(address)));
            if touched.nonces.current(&address).map_or_else(read, Ok)? != *value {
                return Ok(false);
            }
        }
        for (&address, value) in &reads.class_hashes {
            let read =
                || self.reader.class_hash_at(address).map_err(read_error(StateKey::ClassHash(address)));
            if touched.class_hashes.current(&address).map_or_else(read, Ok)? != *value {
                return Ok(false);
            }
        }
        for (&class_hash, value) in &reads.compiled_class_hashes {
            let cell = StateKey::CompiledClassHash(class_hash);
            let read = || self.reader.compiled_class_hash(class_hash).map_err(read_error(cell));
            if touched.compiled_class_hashes.current(&class_hash).map_or_else(read, Ok)? != *value {
                return Ok(false);
            }
        }
        for (&class_hash, value) in &reads.declared {
            let known =
                touched.classes.get(&class_hash).and_then(|known| known.visible()).map(|it| it.is_some());
            let read = || {
                let class = self.reader.class(class_hash).map_err(read_error(StateKey::Class(class_hash)))?;
                Ok::<_, StateError>(class.is_some())
            };
            if known.map_or_else(read, Ok)? != *value {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Takes over what another journal read and changed, over a state that [holds](Self::holds) what it read. Nonces and
    /// declarations are not taken over.
    pub(crate) fn adopt(&mut self, parts: &JournalParts) -> Result<(), StateError> {
        let JournalParts { changes, initial_reads: reads, classes } = parts;
        let touched = &mut self.state.touched;
        reads.storage.iter().for_each(|(cell, value)| touched.storage.record_initial(*cell, *value));
        reads.nonces.iter().for_each(|(address, nonce)| touched.nonces.record_initial(*address, *nonce));
        for (address, class_hash) in &reads.class_hashes {
            touched.class_hashes.record_initial(*address, *class_hash);
        }
        for (class_hash, compiled) in &reads.compiled_class_hashes {
            touched.compiled_class_hashes.record_initial(*class_hash, *compiled);
        }
        for (class_hash, declared) in &reads.declared {
            let known = touched.classes.entry(*class_hash).or_default();
            if known.declared.is_none() && known.initial.is_none() {
                known.initial = Some(*declared);
                known.loaded = classes.loaded.get(class_hash).cloned();
            }
        }
        for ((address, key), value) in &changes.storage {
            self.set_storage(*address, *key, *value)?;
        }
        for (address, class_hash) in &changes.class_hashes {
            self.set_class_hash(*address, *class_hash)?;
        }
        Ok(())
    }
}
