//! The start of a frame: its memory is set up like that of `cairo-vm`, segment by segment (C75-C78).

use std::sync::Arc;

use starknet_api::transaction::fields::Calldata;

use super::cell::VmCell;
use super::decode::Program;
use super::frame::FastFrame;
use super::machine::Machine;
use super::memory::{EXECUTION, VmMemory};
use super::record::SyscallRecord;
use crate::protocol::Builtin;
use crate::syscall::Pointer;
use crate::vm::frame_setup::{Cairo0FrameSetup, Cairo1FrameSetup, FrameSetup};

/// The initial capacity of the list of read-only segments, enough for most frames.
const READ_ONLY: usize = 16;

impl FastFrame {
    /// Sets up a frame of Cairo 1 code; `None` if the engine does not support the class. With
    /// `marks_accesses`, memory holes are counted.
    pub(in crate::vm) fn start_cairo1(setup: Cairo1FrameSetup, marks_accesses: bool) -> Option<Box<Self>> {
        let program = setup.class.engine_code.get_or_make(|| Program::of_cairo1(&setup.class))?;
        let mut memory = VmMemory::new(Arc::clone(&program.code));
        let mut stack = Vec::with_capacity(setup.builtins.len().saturating_add(6));
        let mut builtins = Vec::with_capacity(setup.builtins.len());
        for builtin in &setup.builtins {
            let (segment, start) = if *builtin == Builtin::SegmentArena {
                let infos = memory.add_segment(None, []);
                let counts = [VmCell::pointer(infos, 0), VmCell::small(0), VmCell::small(0)];
                (memory.add_segment(Some(*builtin), counts), 3)
            } else {
                (memory.add_segment(Some(*builtin), []), 0)
            };
            builtins.push((*builtin, segment));
            stack.push(VmCell::pointer(segment, start));
        }
        let prices = memory.add_segment(None, setup.prices.map(VmCell::small));
        memory.prices = VmCell::pointer(prices, 0);
        let syscalls = memory.add_segment(None, []);
        let (calldata, calldata_length) = add_calldata(&mut memory, &setup.calldata)?;
        stack.extend([
            VmCell::small(setup.gas),
            VmCell::pointer(syscalls, 0),
            VmCell::pointer(calldata, 0),
            VmCell::pointer(calldata, calldata_length),
        ]);
        let prices_length = u64::try_from(setup.prices.len()).ok()?;
        let mut read_only = Vec::with_capacity(READ_ONLY);
        read_only.extend([(prices, prices_length), (calldata, calldata_length)]);
        let builder = FrameBuilder { program, memory, stack, builtins, read_only, syscalls };
        builder.build(setup.offset, marks_accesses, FrameSetup::Cairo1(setup))
    }

    /// Sets up a frame of Cairo 0 code; `None` if the engine does not support the class.
    pub(in crate::vm) fn start_cairo0(setup: Cairo0FrameSetup) -> Option<Box<Self>> {
        let class = &setup.class;
        let program = class.engine_code.get_or_make(|| Program::of_cairo0(class))?;
        let mut memory = VmMemory::new(Arc::clone(&program.code));
        let builtins: Vec<(Builtin, u64)> = class
            .builtins()
            .iter()
            .map(|builtin| (*builtin, memory.add_segment(Some(*builtin), [])))
            .collect();
        let syscalls = memory.add_segment(None, []);
        let (calldata, calldata_length) = add_calldata(&mut memory, &setup.calldata)?;
        let pointers = builtins.iter().map(|(_, segment)| VmCell::pointer(*segment, 0));
        let implicit = memory.add_segment(None, [VmCell::pointer(syscalls, 0)].into_iter().chain(pointers));
        let stack = vec![
            VmCell::of_felt(&setup.selector),
            VmCell::pointer(implicit, 0),
            VmCell::small(calldata_length),
            VmCell::pointer(calldata, 0),
        ];
        let read_only = vec![(calldata, calldata_length)];
        let builder = FrameBuilder { program, memory, stack, builtins, read_only, syscalls };
        builder.build(setup.offset, true, FrameSetup::Cairo0(setup))
    }
}

/// The parts of a frame that depend on the language.
struct FrameBuilder {
    program: Arc<Program>,
    memory: VmMemory,
    /// The arguments, which `build` extends by the return frame pointer and the return address.
    stack: Vec<VmCell>,
    builtins: Vec<(Builtin, u64)>,
    read_only: Vec<(u64, u64)>,
    syscalls: u64,
}

impl FrameBuilder {
    /// Writes the stack, and creates the frame.
    fn build(self, offset: usize, marks_accesses: bool, setup: FrameSetup) -> Option<Box<FastFrame>> {
        let Self { program, mut memory, mut stack, builtins, read_only, syscalls } = self;
        let arguments = u64::try_from(stack.len()).ok()?;
        let end = memory.add_segment(None, []);
        stack.extend([VmCell::small(0), VmCell::pointer(end, 0)]);
        let first_fp = u64::try_from(stack.len()).ok()?;
        for (offset, cell) in (0..first_fp).zip(stack) {
            memory.write(EXECUTION, offset, cell).ok()?;
        }
        if marks_accesses {
            memory.mark_accessed(EXECUTION, first_fp.checked_sub(1)?);
        }
        Some(Box::new(FastFrame {
            machine: Machine {
                program: Some(program),
                memory,
                pc: u64::try_from(offset).ok()?,
                ap: first_fp,
                fp: first_fp,
                first_fp,
                is_at_end: false,
                end,
                marks_accesses,
                steps: 0,
                blakes: 0,
                resume: None,
                hint_state: Default::default(),
                interrupt_check: Default::default(),
                syscall_pointer: VmCell::EMPTY,
            },
            builtins,
            read_only,
            syscalls,
            syscall_pointer: Pointer { segment: isize::try_from(syscalls).ok()?, offset: 0 },
            arguments,
            record: SyscallRecord::new(),
            held_cells: 0,
            setup,
        }))
    }
}

/// Adds a segment with the calldata. Returns the segment and its length.
fn add_calldata(memory: &mut VmMemory, calldata: &Calldata) -> Option<(u64, u64)> {
    let length = u64::try_from(calldata.0.len()).ok()?;
    Some((memory.add_segment(None, calldata.0.iter().map(VmCell::of_felt)), length))
}
