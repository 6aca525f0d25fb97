//! Lanes: one queue per stream in use, so that commands to one case are decided one after another, in the order in which they
//! came, while those to other cases go on beside them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use schemas::AggregateId;

/// The most commands that one lane decides as a chain before it appends. Bounds the work lost when the chain loses.
pub const CHAIN_COMMANDS_MAX: usize = 32;

/// The queues. A lane exists while somebody works on it.
#[derive(Debug)]
pub struct Lanes<T> {
    queues: Mutex<HashMap<AggregateId, VecDeque<T>>>,
}

/// Whether a pushed task opened its lane: then the caller has to start somebody who works on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Pushed {
    /// Nobody works on this lane yet.
    Opened,
    /// Somebody does, and will come to it.
    Joined,
}

impl<T> Default for Lanes<T> {
    fn default() -> Self {
        Self {
            queues: Mutex::new(HashMap::new()),
        }
    }
}

impl<T> Lanes<T> {
    /// Puts a task at the end of its lane.
    pub fn push(&self, lane: AggregateId, task: T) -> Pushed {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = queues.get_mut(&lane) {
            queue.push_back(task);
            Pushed::Joined
        } else {
            queues.insert(lane, VecDeque::from([task]));
            Pushed::Opened
        }
    }

    /// Takes the next tasks, at most [`CHAIN_COMMANDS_MAX`]. None left: the lane is closed, and its worker must end.
    pub fn take(&self, lane: AggregateId) -> Vec<T> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(queue) = queues.get_mut(&lane) else {
            return Vec::new();
        };
        if queue.is_empty() {
            queues.remove(&lane);
            return Vec::new();
        }
        let most = queue.len().min(CHAIN_COMMANDS_MAX);
        queue.drain(..most).collect()
    }
}

/// A worker's hold on its lane. Where the worker ends by a panic the lane is closed with what waits in it: dropped unanswered,
/// a caller hears `unavailable` and a durable command is parked, and the lane can be opened again.
pub struct Working<'l, T> {
    lanes: &'l Lanes<T>,
    lane: Option<AggregateId>,
}

impl<T> Lanes<T> {
    /// Takes hold of a lane that was just opened.
    pub fn working(&self, lane: AggregateId) -> Working<'_, T> {
        Working {
            lanes: self,
            lane: Some(lane),
        }
    }
}

impl<T> Working<'_, T> {
    /// Lets go of a lane that [`Lanes::take`] has closed.
    pub fn done(mut self) {
        self.lane = None;
    }
}

impl<T> Drop for Working<'_, T> {
    fn drop(&mut self) {
        if let Some(lane) = self.lane {
            let mut queues = self.lanes.queues.lock().unwrap_or_else(PoisonError::into_inner);
            queues.remove(&lane);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_lane_keeps_the_order_and_closes_when_it_is_empty() {
        let lanes = Lanes::default();
        let lane = AggregateId(Uuid::from_u128(1));
        assert_eq!(lanes.push(lane, 1), Pushed::Opened);
        assert_eq!(lanes.push(lane, 2), Pushed::Joined);
        assert_eq!(lanes.take(lane), [1, 2]);
        assert_eq!(lanes.push(lane, 3), Pushed::Joined, "its worker still has it");
        assert_eq!(lanes.take(lane), [3]);
        assert!(lanes.take(lane).is_empty());
        assert!(lanes.queues.lock().unwrap().is_empty());
        assert_eq!(lanes.push(lane, 4), Pushed::Opened);
    }

    #[test]
    fn a_chain_is_bounded() {
        let lanes = Lanes::default();
        let lane = AggregateId(Uuid::from_u128(1));
        for task in 0..CHAIN_COMMANDS_MAX + 1 {
            let _ = lanes.push(lane, task);
        }
        assert_eq!(lanes.take(lane).len(), CHAIN_COMMANDS_MAX);
        assert_eq!(lanes.take(lane), [CHAIN_COMMANDS_MAX]);
    }

    #[test]
    fn a_lane_whose_worker_fails_can_be_opened_again() {
        let lanes = Lanes::default();
        let lane = AggregateId(Uuid::from_u128(1));
        let _ = lanes.push(lane, 1);
        let working = lanes.working(lane);
        assert_eq!(lanes.push(lane, 2), Pushed::Joined);
        drop(working);
        assert_eq!(lanes.push(lane, 3), Pushed::Opened);
        let working = lanes.working(lane);
        assert_eq!(lanes.take(lane), [3]);
        assert!(lanes.take(lane).is_empty());
        assert_eq!(lanes.push(lane, 4), Pushed::Opened, "somebody else's by now");
        working.done();
        assert_eq!(lanes.take(lane), [4]);
    }
}
