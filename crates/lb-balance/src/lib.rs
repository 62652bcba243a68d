//! From the facts of a request to a backend: routes, pools, standings, tickets and retry budgets.

mod backend;
mod picker;
mod pool;
mod recalled;
mod retry;
pub mod route;
mod standing;
mod ticket;
mod tried;

pub use backend::Backend;
pub use picker::{Hint, PickError, Picker};
pub use pool::{BuildError, Pool};
pub use recalled::Recalled;
pub use retry::{RetryBudget, RetryOptions};
pub use route::Routes;
pub use standing::{Condition, FailOpen, Standing, Standings, standings};
pub use ticket::{Outcome, Ticket, Why};
pub use tried::Tried;
