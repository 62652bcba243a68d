use super::{Kind, Problem, Severity};
use std::cell::RefCell;

/// Where the readers of one file drop what they find. One thread, one file.
#[derive(Debug, Default)]
pub(crate) struct Sink(RefCell<Vec<Problem>>);

impl Sink {
    pub(crate) fn push(&self, problem: Problem) {
        self.0.borrow_mut().push(problem);
    }

    pub(crate) fn into_list(self) -> Vec<Problem> {
        self.0.into_inner()
    }

    pub(crate) fn has(&self, kinds: &[Kind]) -> bool {
        self.0.borrow().iter().any(|problem| kinds.contains(&problem.kind))
    }

    pub(crate) fn errors(&self) -> usize {
        self.0
            .borrow()
            .iter()
            .filter(|problem| problem.severity == Severity::Error)
            .count()
    }
}
