//! How many nodes a local network has, and what each does.

use super::devnet;

/// Up to so many guardians have a process each.
const PROCESS_EACH_MAX: usize = 4;
/// Guardians in a process, where that gives 4 to 8 processes.
const GUARDIANS_PER_PROCESS: usize = 25;
const PROCESSES_MAX: usize = 8;

/// Validators come first, a process each; then the processes that hold the guardians.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Validators.
    pub validators: usize,
    /// Guardians.
    pub guardians: usize,
    /// Processes that they are spread over.
    pub guardian_processes: usize,
}

/// A network that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum ShapeError {
    #[error("--validators must be 1 to {max}, is {got}", max = devnet::VALIDATORS_MAX)]
    Validators { got: usize },
    #[error("--guardians must be 0 to {max}, is {got}", max = devnet::GUARDIANS_MAX)]
    Guardians { got: usize },
    #[error("--guardian-processes must be 1 to the number of guardians, {guardians}, is {got}")]
    GuardianProcesses { guardians: usize, got: usize },
}

impl Shape {
    /// `guardian_processes`: `None` for one each up to four guardians, else four to eight.
    ///
    /// # Errors
    /// [`ShapeError`].
    pub fn new(validators: usize, guardians: usize, guardian_processes: Option<usize>) -> Result<Self, ShapeError> {
        if !(1..=devnet::VALIDATORS_MAX).contains(&validators) {
            return Err(ShapeError::Validators { got: validators });
        }
        if guardians > devnet::GUARDIANS_MAX {
            return Err(ShapeError::Guardians { got: guardians });
        }
        let guardian_processes = match guardian_processes {
            Some(got) if got == 0 || got > guardians => {
                return Err(ShapeError::GuardianProcesses { guardians, got });
            }
            Some(given) => given,
            None if guardians <= PROCESS_EACH_MAX => guardians,
            None => guardians.div_ceil(GUARDIANS_PER_PROCESS).clamp(PROCESS_EACH_MAX, PROCESSES_MAX),
        };
        Ok(Self { validators, guardians, guardian_processes })
    }

    /// Processes.
    pub fn nodes(&self) -> usize {
        self.validators + self.guardian_processes
    }

    /// How many guardians node `node` holds: none if it is a validator.
    pub fn guardians_of(&self, node: usize) -> usize {
        match node.checked_sub(self.validators) {
            Some(i) if i < self.guardian_processes => {
                let (each, rest) = (self.guardians / self.guardian_processes, self.guardians % self.guardian_processes);
                each + usize::from(i < rest)
            }
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guardians_are_spread_over_processes() {
        let processes = |guardians| Shape::new(4, guardians, None).expect("possible").guardian_processes;
        let counts = [0, 1, 4, 5, 99, 101, 176, 201, 1_000];
        assert_eq!(counts.map(processes), [0, 1, 4, 4, 4, 5, 8, 8, 8]);
        for (guardians, given) in [(0, None), (3, None), (100, None), (1_000, None), (10, Some(3)), (1_000, Some(7))] {
            let shape = Shape::new(4, guardians, given).expect("possible");
            let held: Vec<_> = (0..shape.nodes()).map(|node| shape.guardians_of(node)).collect();
            assert_eq!((held[..4].iter().sum::<usize>(), held.iter().sum::<usize>()), (0, guardians), "{held:?}");
            let (least, most) = (held[4..].iter().min(), held[4..].iter().max());
            assert!(most.copied().unwrap_or(0) - least.copied().unwrap_or(0) <= 1, "{held:?}");
        }
    }

    #[test]
    fn impossible_networks_name_the_flag() {
        let error = |v, g, p| Shape::new(v, g, p).expect_err("impossible").to_string();
        assert!(error(0, 0, None).starts_with("--validators must be 1 to"));
        assert_eq!(error(4, 1_001, None), "--guardians must be 0 to 1000, is 1001");
        for (guardians, processes) in [(0, 1), (3, 0), (3, 4)] {
            assert!(error(4, guardians, Some(processes)).contains("--guardian-processes must be 1 to"));
        }
    }
}
