use lb_types::Time;
use std::collections::VecDeque;

/// A request on its way through a simulated backend.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Job {
    pub(crate) came: Time,
    /// Nanoseconds of work at speed 1.
    pub(crate) work: u64,
}

/// What a simulated backend is doing: so many places at work, the others wait in line.
#[derive(Debug, Default)]
pub(crate) struct Server {
    pub(crate) places: u32,
    pub(crate) busy: u32,
    pub(crate) line: VecDeque<Job>,
    pub(crate) is_dead: bool,
    /// Grows with each death: completions of a former life are void.
    pub(crate) life: u32,
    pub(crate) picks: u64,
    pub(crate) cut: u64,
    worst_line: usize,
    worst_in_flight: usize,
    seen: Time,
    line_time: f64,
    busy_time: f64,
}

impl Server {
    pub(crate) fn new(places: u32) -> Self {
        Self {
            places,
            ..Self::default()
        }
    }

    /// Requests waiting or at work.
    pub(crate) fn in_flight(&self) -> usize {
        self.line.len() + self.busy as usize
    }

    /// Counts what was since the last change; to be called before each.
    pub(crate) fn pass(&mut self, now: Time) {
        let seconds = now.since(self.seen).as_secs_f64();
        self.line_time += seconds * self.line.len() as f64;
        self.busy_time += seconds * f64::from(self.busy);
        self.seen = now;
    }

    /// Notes the worst; to be called after requests came.
    pub(crate) fn note_worst(&mut self) {
        self.worst_line = self.worst_line.max(self.line.len());
        self.worst_in_flight = self.worst_in_flight.max(self.in_flight());
    }

    pub(crate) fn worst_line(&self) -> usize {
        self.worst_line
    }

    pub(crate) fn worst_in_flight(&self) -> usize {
        self.worst_in_flight
    }

    /// Requests that waited, on average over `span` seconds.
    pub(crate) fn mean_line(&self, span: f64) -> f64 {
        self.line_time / span
    }

    /// Requests there, on average over `span` seconds.
    pub(crate) fn mean_in_flight(&self, span: f64) -> f64 {
        (self.line_time + self.busy_time) / span
    }

    /// The part of its places that was at work over `span` seconds.
    pub(crate) fn utilisation(&self, span: f64) -> f64 {
        self.busy_time / span / f64::from(self.places.max(1))
    }
}
