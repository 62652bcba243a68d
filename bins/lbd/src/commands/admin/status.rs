use super::args::Status;
use super::{ask, table_options};
use std::process::ExitCode;

/// `lbd status`.
pub(crate) fn run(status: &Status) -> ExitCode {
    ask(
        &status.reach,
        async |client| client.state(status.pool.as_deref()).await,
        |state| {
            if status.certificates {
                if status.json {
                    lb_admin::text::json(&state.certificates)
                } else {
                    lb_admin::text::certificates(&state.certificates, table_options())
                }
            } else if status.json {
                lb_admin::text::json(&state)
            } else {
                lb_admin::text::table(&state, table_options())
            }
        },
    )
}
