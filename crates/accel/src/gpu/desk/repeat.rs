//! The same work many times on what is on the card already: how fast the kernels are, without copies.

use super::{Desk, Messages, Points, Task, params, word};
use crate::gpu::card::{Buffer, Fault, Kernel, Launch};
use crate::gpu::fp381::Routine;
use crate::gpu::question::Question;
use crate::gpu::tag::Seeds;
use std::time::{Duration, Instant};

/// Multiplications of a round of `imad_rate`.
pub(crate) const IMADS_OF_A_ROUND: usize = 16 * 8;

/// What was measured: the answers of the last time, and what one time took.
pub(crate) type Timed = (Vec<u32>, Duration);

impl Desk {
    /// As [`Desk::signatures`], once and then `times` times more.
    pub(crate) fn signatures_repeated<Q: Question>(
        &mut self,
        rows: &[u32],
        tables: Option<(&Buffer, usize)>,
        (seeds, times, limit): (Seeds, u32, Duration),
    ) -> Result<Timed, Fault> {
        let count = rows.len() / Q::ROW;
        self.signatures::<Q>(rows, tables, seeds, limit)?;
        let launch = |desk: &mut Self| desk.launch_signatures::<Q>(count, tables, seeds);
        self.repeated(count * Q::ANSWER, times, limit, launch)
    }

    /// As [`Desk::digests`].
    pub(crate) fn digests_repeated(
        &mut self,
        messages: &Messages,
        (seeds, times, limit): (Seeds, u32, Duration),
    ) -> Result<Timed, Fault> {
        self.digests(messages, seeds, limit)?;
        let count = messages.count();
        let launch = |desk: &mut Self| desk.launch_hash::<true>(count, Messages::ANSWER, seeds);
        self.repeated(count * Messages::ANSWER, times, limit, launch)
    }

    /// A program on rows of inputs.
    pub(crate) fn run_repeated(
        &mut self,
        routine: &'static Routine,
        inputs: &[u32],
        (times, limit): (u32, Duration),
    ) -> Result<Timed, Fault> {
        let (count, registers) = (inputs.len() / routine.input_row(), routine.program.registers);
        let task = |inputs| Task { count, room: count, registers, offset: 0, inputs };
        self.run(routine, &task(inputs))?;
        self.answers(routine, count, limit)?;
        self.repeated(count * routine.answer_row(), times, limit, |desk| desk.run(routine, &task(&[])))
    }

    /// The first additions of [`Desk::fold`]; then all others once.
    pub(crate) fn fold_repeated(&mut self, points: &Points, (times, limit): (u32, Duration)) -> Result<Timed, Fault> {
        self.fold(points, limit)?;
        let (_, took) = self.repeated(1, times, limit, |desk| desk.add_pairs(points, 0))?;
        Ok((self.folded(points, 1, limit)?, took))
    }

    /// Multiplications: `rounds` of [`IMADS_OF_A_ROUND`] in each of `threads`. The answers have a word a thread.
    pub(crate) fn multiply_repeated(
        &mut self,
        threads: usize,
        rounds: u32,
        (times, limit): (u32, Duration),
    ) -> Result<Timed, Fault> {
        let launch = |desk: &mut Self| {
            let buffers = &[desk.answers.of(&desk.card, threads)?];
            let params = params(&[word(threads), rounds], Seeds([0; 2]));
            desk.lane.launch(&Launch { kernel: Kernel::ImadRate, threads, buffers, params })
        };
        launch(self)?;
        self.repeated(threads, times, limit, launch)
    }

    /// Launches and waits until the last is done; the answers are read after the clock has stopped.
    fn repeated(
        &mut self,
        answers: usize,
        times: u32,
        limit: Duration,
        mut launch: impl FnMut(&mut Self) -> Result<(), Fault>,
    ) -> Result<Timed, Fault> {
        self.lane.read(self.answers.of(&self.card, answers)?, 0..1, limit)?;
        let begun = Instant::now();
        for _ in 0..times {
            launch(self)?;
        }
        self.lane.read(self.answers.of(&self.card, answers)?, 0..1, limit)?;
        let took = begun.elapsed() / times.max(1);
        let words = self.lane.read(self.answers.of(&self.card, answers)?, 0..answers, limit)?;
        self.all_is_done();
        Ok((words, took))
    }
}
