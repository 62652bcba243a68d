//! Agents: what the programs beside the backends say reaches the machines that judge the backends.

use super::ControlLoop;
use crate::note::note;
use lb_config::Plan;
use lb_probe::{AgentEvent, AgentNews, AgentState, AgentWord, Asked};
use std::fmt::Write;

impl ControlLoop {
    /// An agent changed its mind, fell silent, or answers again.
    pub(super) fn on_agent(&mut self, event: AgentEvent) {
        let AgentEvent {
            backend, state, news, ..
        } = event;
        let news = match news {
            AgentNews::Silent(fault) => Some(format!("{fault}; what it said last stays")),
            AgentNews::Back => Some("it answers again".to_owned()),
            AgentNews::Again => None,
            _ => Some(describe(&state)),
        };
        for (index, entry) in self.snapshot.pools.iter().enumerate() {
            let Some(slot) = entry.pool.find(backend) else { continue };
            if let (Some(backend), Some(news)) = (entry.pool.backends().get(slot.index()), news) {
                note(format_args!(
                    "agent of backend {} of pool {}: {news}",
                    backend.name,
                    entry.pool.name(),
                ));
            }
            // a weight above the usual one is not the machine's business
            self.standings.mark_changed(index);
            break;
        }
        self.prober.advise(backend, state.advice());
    }
}

/// Whom to ask.
pub(super) fn asked(plan: &Plan) -> Result<Vec<Asked>, Box<dyn std::error::Error>> {
    let mut list = Vec::new();
    for pool in &plan.pools {
        let Some(health) = &pool.health else { continue };
        for backend in &pool.backends {
            if let Some(agent) = lb_config::agent(health, backend.address)? {
                list.push(Asked {
                    backend: backend.id(pool),
                    name: format!("{}/{}", pool.name, backend.name),
                    agent,
                });
            }
        }
    }
    Ok(list)
}

fn describe(state: &AgentState) -> String {
    let mut text = format!("{}, {}", state.word.as_str(), state.admin.as_str());
    // Writing to a String cannot fail.
    if state.weight_percent != 100 {
        let _ = write!(text, ", {}% of the weight", state.weight_percent);
    }
    if let Some(most) = state.max_connections {
        let _ = write!(text, ", maxconn:{most} (not obeyed: set `max_connections`)");
    }
    if state.word != AgentWord::Up && !state.note.is_empty() {
        let _ = write!(text, " ({})", state.note);
    }
    text
}
