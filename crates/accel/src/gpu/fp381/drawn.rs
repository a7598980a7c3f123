//! Numbers that show that an answer is of this launch: a Miller value of the last checkpoint is as good a number as any, and votes
//! for that one would do for this one with it.

use super::constants::{number_of, words_of};
use super::program::NUMBER;
use super::programs::Routine;
use crate::bls::library;
use crate::gpu::card::Fault;
use blst::blst_fp;
use rand::RngCore;

/// One number for each row of a run.
#[derive(Clone, Debug)]
pub(crate) struct Drawn(Vec<[u32; NUMBER]>);

impl Drawn {
    /// So many, below p.
    pub(crate) fn new(count: usize) -> Self {
        let mut dice = rand::rng();
        let draw = |_| std::array::from_fn(|word| if word + 1 < NUMBER { dice.next_u32() } else { 0 });
        Self((0..count).map(draw).collect())
    }

    /// Rows of inputs, each with its number behind it.
    pub(crate) fn behind(&self, inputs: &[u32], routine: &Routine) -> Vec<u32> {
        let mut rows = Vec::with_capacity(self.0.len() * routine.input_row());
        for (row, drawn) in inputs.chunks_exact(routine.input).zip(&self.0) {
            rows.extend(row);
            rows.extend(drawn);
        }
        rows
    }

    /// The answers of a program for each row.
    ///
    /// # Errors
    /// [`Fault::Lies`] if one is not of these rows.
    pub(crate) fn of_each(&self, answers: &[u32], routine: &Routine) -> Result<Vec<u32>, Fault> {
        let mut there = Vec::with_capacity(self.0.len() * routine.answer);
        for (row, drawn) in answers.chunks_exact(routine.answer_row()).zip(&self.0) {
            there.extend(answer(row, routine, drawn)?);
        }
        Ok(there)
    }

    /// The answer of a tree over all rows.
    ///
    /// # Errors
    /// As [`Drawn::of_each`].
    pub(crate) fn of_all(&self, row: &[u32], out: &Routine) -> Result<Vec<u32>, Fault> {
        let sum = self.0.iter().fold(blst_fp::default(), |sum, drawn| library::sum(&sum, &number_of(drawn)));
        answer(row, out, &words_of(&sum)).map(<[u32]>::to_vec)
    }
}

fn answer<'a>(row: &'a [u32], routine: &Routine, drawn: &[u32; NUMBER]) -> Result<&'a [u32], Fault> {
    let (answer, there) = row.split_at(routine.answer);
    if there == drawn { Ok(answer) } else { Err(Fault::Lies("a program's answer is of another launch".to_owned())) }
}
