//! Agents: programs beside the backends that report weight and state of their own accord, as HAProxy's agents do.

mod ask;
mod line;
mod service;
mod state;

pub use ask::{Agent, AgentError, AgentOptions};
pub use line::{AgentLine, AgentWord, LineError};
pub use service::{AgentEvent, AgentNews, Agents, Asked};
pub use state::AgentState;
