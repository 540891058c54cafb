//! The hints of a class, indexed by pc.
//!
//! Input: the hint lists of a compiled class. Output: for every pc the hints to run before its instruction.
//! Must not know: the effect of a hint.
//!
//! One list has all hints in the order of pc; a second list has the index of the first hint for every pc. A
//! lookup, which the run loop of cairo-vm makes at every step, costs two loads; the table takes four bytes
//! per felt of bytecode.

use std::collections::BTreeMap;

use cairo_lang_casm::hints::Hint;

use super::error::ClassError;

/// The hints of a class, Cairo 0 or Cairo 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HintTable<H = Hint> {
    hints: Vec<H>,
    /// `starts[pc]..starts[pc + 1]` are the hints of `pc`; empty if the class has none.
    starts: Vec<u32>,
}

impl<H> HintTable<H> {
    /// Sorts the lists of a compiled class. If a pc occurs twice, the later list is used, as in blockifier,
    /// which collects the lists into a map.
    pub(super) fn new(lists: Vec<(usize, Vec<H>)>, bytecode_len: usize) -> Result<Self, ClassError> {
        let mut by_pc = BTreeMap::new();
        for (pc, hints) in lists {
            if pc >= bytecode_len {
                return Err(ClassError::HintOutsideBytecode { pc, bytecode_len });
            }
            by_pc.insert(pc, hints);
        }
        // A saturated sum is too long too.
        let count = by_pc.values().map(Vec::len).fold(0, usize::saturating_add);
        if u32::try_from(count).is_err() {
            return Err(ClassError::TooLong { what: "hints", length: count, limit: u32::MAX as usize });
        }
        let mut table = Self { hints: Vec::with_capacity(count), starts: Vec::new() };
        if count == 0 {
            return Ok(table);
        }
        table.starts.reserve_exact(bytecode_len.saturating_add(1)); // only a capacity
        for (pc, mut hints) in by_pc {
            table.fill_starts(pc);
            table.hints.append(&mut hints);
        }
        table.fill_starts(bytecode_len);
        Ok(table)
    }

    /// Sets the start of every pc up to and including `pc` that has none to the current end of the hints.
    fn fill_starts(&mut self, pc: usize) {
        let end = u32::try_from(self.hints.len()).unwrap_or(u32::MAX); // checked in `new`
        self.starts.resize(pc.saturating_add(1), end);
    }

    /// Returns the hints to run before the instruction at `pc`, in order; empty outside the bytecode.
    pub(crate) fn at(&self, pc: usize) -> &[H] {
        match self.starts.get(pc..) {
            Some([start, end, ..]) => self.hints.get(*start as usize..*end as usize).unwrap_or_default(),
            _ => &[],
        }
    }

    /// Returns all hints, in the order of pc.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &H> {
        self.hints.iter()
    }

    /// Returns the number of hints.
    pub(crate) fn len(&self) -> usize {
        self.hints.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(value: u32) -> Hint {
        serde_json::from_value(
            serde_json::json!({"AllocSegment": {"dst": {"register": "AP", "offset": value}}}),
        )
        .unwrap()
    }

    #[test]
    fn each_pc_has_its_own_hints() {
        let table = HintTable::new(
            vec![(4, vec![hint(4)]), (0, vec![hint(0), hint(1)]), (2, vec![]), (4, vec![hint(5)])],
            6,
        )
        .unwrap();
        assert_eq!(table.at(0), [hint(0), hint(1)]);
        assert_eq!(table.at(4), [hint(5)]);
        for pc in [1, 2, 3, 5, 6, 7, usize::MAX] {
            assert!(table.at(pc).is_empty(), "{pc}");
        }
        assert_eq!(table.len(), 3);
        assert_eq!(HintTable::new(vec![(5, vec![hint(9)])], 6).unwrap().at(5), [hint(9)]);
        assert!(HintTable::<Hint>::new(vec![], 6).unwrap().at(0).is_empty());
        assert_eq!(
            HintTable::<Hint>::new(vec![(6, vec![])], 6),
            Err(ClassError::HintOutsideBytecode { pc: 6, bytecode_len: 6 })
        );
    }
}
