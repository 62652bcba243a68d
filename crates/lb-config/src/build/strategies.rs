use crate::plan::{self, CookieInsert};
use lb_persist::{ClientIp, ClientIpOptions, CookieInsertOptions};
use lb_types::BackendId;
use std::sync::OnceLock;

pub(super) fn client_ip(client: &plan::ClientIp) -> Result<ClientIp, String> {
    let mut options = ClientIpOptions::default();
    options.prefix_v4 = client.netmask_v4;
    options.prefix_v6 = client.netmask_v6;
    ClientIp::new(options).map_err(|error| error.to_string())
}

pub(super) fn cookie_insert(
    pool: &plan::Pool,
    cookie: &CookieInsert,
    backends: &[BackendId],
) -> Result<lb_persist::CookieInsert, String> {
    let mut options = CookieInsertOptions::default();
    options.name = cookie.name.clone();
    options.domain = cookie.domain.clone();
    options.path = cookie.path.clone();
    options.secure = cookie.secure;
    options.http_only = cookie.http_only;
    options.same_site = cookie.same_site;
    options.partitioned = cookie.partitioned;
    options.max_age = cookie.max_age;
    options.refresh = cookie.refresh;
    options.forward_to_backend = cookie.forward_to_backend;
    options.mark_private = cookie.mark_private;
    let secret = cookie.secret.as_ref().unwrap_or_else(|| secret_of_this_process());
    lb_persist::CookieInsert::new(options, &secret.key(&pool.name, &cookie.name), backends)
        .map_err(|error| error.to_string())
}

/// Signs cookies of pools without a secret: stays the same over reloads, ends with the process.
fn secret_of_this_process() -> &'static crate::Secret {
    static SECRET: OnceLock<crate::Secret> = OnceLock::new();
    SECRET.get_or_init(crate::Secret::random)
}
