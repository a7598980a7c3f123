//! What bounds a simulated execution besides its gas.

use crate::machine::Ctx;
use revm::context::ContextTr;
use revm::context_interface::context::ContextError;
use revm::inspector::Inspector;
use revm::interpreter::interpreter::EthInterpreter;
use revm::interpreter::interpreter_types::MemoryTr;
use revm::interpreter::{CallInputs, CallOutcome, CreateInputs, CreateOutcome, FrameInput, Interpreter};
use revm::primitives::Log;
use std::sync::atomic::{AtomicBool, Ordering};
use vigil_primitives::{Address, U256};

/// Bounds of a simulated execution.
#[derive(Clone, Copy, Debug)]
pub struct Limits<'s> {
    /// Set from outside when the execution is to end: its time is over, or nobody waits for it any more.
    pub stop: &'s AtomicBool,
    /// Most bytes that a trace may take in memory, about.
    pub trace_bytes_max: usize,
}

/// What one step adds to a trace, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct StepCost {
    /// Of each step.
    pub(crate) fixed: usize,
    /// Whether the stack is copied.
    pub(crate) stack: bool,
    /// Whether the memory is copied.
    pub(crate) memory: bool,
}

/// Bytes that a call adds to a trace besides its input and output.
const CALL_BYTES: usize = 1_000;
/// Bytes of a log besides its data.
const LOG_BYTES: usize = 300;

/// An inspector within limits.
pub(crate) struct Limited<'s, I> {
    pub(crate) inner: I,
    limits: Limits<'s>,
    cost: StepCost,
    bytes: usize,
}

impl<'s, I> Limited<'s, I> {
    pub(crate) fn new(inner: I, limits: Limits<'s>, cost: StepCost) -> Self {
        Self { inner, limits, cost, bytes: 0 }
    }

    fn take(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
    }

    fn exceeded(&self) -> Option<&'static str> {
        if self.limits.stop.load(Ordering::Relaxed) {
            return Some(STOPPED);
        }
        (self.bytes > self.limits.trace_bytes_max).then_some(TRACE_TOO_LARGE)
    }
}

/// The execution was ended from outside.
pub(crate) const STOPPED: &str = "execution aborted: it took too long";
/// Its trace would be too large.
pub(crate) const TRACE_TOO_LARGE: &str =
    "the trace is too large: ask for less (disableStack, onlyTopCall), or for another tracer";

impl<'w, I: Inspector<Ctx<'w>, EthInterpreter>> Inspector<Ctx<'w>, EthInterpreter> for Limited<'_, I> {
    fn initialize_interp(&mut self, interp: &mut Interpreter, context: &mut Ctx<'w>) {
        self.inner.initialize_interp(interp, context);
    }

    fn step(&mut self, interp: &mut Interpreter, context: &mut Ctx<'w>) {
        let stack = if self.cost.stack { 32 * interp.stack.len() } else { 0 };
        let memory = if self.cost.memory { interp.memory.size() } else { 0 };
        self.take(self.cost.fixed + stack + memory);
        if let Some(why) = self.exceeded() {
            *context.error() = Err(ContextError::Custom(why.to_owned()));
            return interp.halt_fatal();
        }
        self.inner.step(interp, context);
    }

    fn step_end(&mut self, interp: &mut Interpreter, context: &mut Ctx<'w>) {
        self.inner.step_end(interp, context);
    }

    fn log(&mut self, context: &mut Ctx<'w>, log: Log) {
        self.take(LOG_BYTES + log.data.data.len());
        self.inner.log(context, log);
    }

    fn log_full(&mut self, interp: &mut Interpreter, context: &mut Ctx<'w>, log: Log) {
        self.take(LOG_BYTES + log.data.data.len());
        self.inner.log_full(interp, context, log);
    }

    fn frame_start(&mut self, context: &mut Ctx<'w>, input: &mut FrameInput) -> Option<revm::handler::FrameResult> {
        self.inner.frame_start(context, input)
    }

    fn frame_end(&mut self, context: &mut Ctx<'w>, input: &FrameInput, result: &mut revm::handler::FrameResult) {
        self.inner.frame_end(context, input, result);
    }

    fn call(&mut self, context: &mut Ctx<'w>, inputs: &mut CallInputs) -> Option<CallOutcome> {
        self.take(CALL_BYTES + inputs.input.len());
        self.inner.call(context, inputs)
    }

    fn call_end(&mut self, context: &mut Ctx<'w>, inputs: &CallInputs, outcome: &mut CallOutcome) {
        self.take(outcome.result.output.len());
        self.inner.call_end(context, inputs, outcome);
    }

    fn create(&mut self, context: &mut Ctx<'w>, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        self.take(CALL_BYTES + inputs.init_code().len());
        self.inner.create(context, inputs)
    }

    fn create_end(&mut self, context: &mut Ctx<'w>, inputs: &CreateInputs, outcome: &mut CreateOutcome) {
        self.take(outcome.result.output.len());
        self.inner.create_end(context, inputs, outcome);
    }

    fn selfdestruct(&mut self, contract: Address, target: Address, value: U256) {
        Inspector::<Ctx<'w>, EthInterpreter>::selfdestruct(&mut self.inner, contract, target, value);
    }
}
