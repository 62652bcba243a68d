//! Words of HAProxy, nginx, Caddy, Traefik, Envoy and Kubernetes, and what to write here instead. Data, and
//! therefore long: a test writes every mend into a file and reads it.

/// A key of another program in a table of ours.
#[derive(Debug, Clone, Copy)]
pub(super) struct Foreign {
    /// Our tables in which it may be met, as [`Section::path`](crate::schema::Section::path).
    pub(super) at: &'static [&'static str],
    /// Spellings, with blanks between them: small letters, underscores.
    words: &'static str,
    /// What to write: a header, or keys of the same table. Empty: there is nothing to write here.
    pub(super) write: &'static str,
    /// The reason, or where it stands.
    pub(super) why: &'static str,
}

/// A value of another program.
#[derive(Debug, Clone, Copy)]
pub(super) struct ForeignValue {
    /// The table and the key.
    pub(super) of: (&'static str, &'static str),
    /// Spellings, with blanks between them: small letters, underscores.
    words: &'static str,
    /// Our word for it; empty: there is none.
    pub(super) ours: &'static str,
    /// Keys of the same table to write, or a sentence; empty: the word is all.
    pub(super) why: &'static str,
}

impl Foreign {
    /// Each spelling.
    pub(super) fn words(&self) -> impl Iterator<Item = &'static str> {
        self.words.split_whitespace()
    }
}

impl ForeignValue {
    /// Each spelling.
    pub(super) fn words(&self) -> impl Iterator<Item = &'static str> {
        self.words.split_whitespace()
    }
}

const fn key(at: &'static [&'static str], words: &'static str, write: &'static str, why: &'static str) -> Foreign {
    Foreign { at, words, write, why }
}

const fn value(
    of: (&'static str, &'static str),
    words: &'static str,
    ours: &'static str,
    why: &'static str,
) -> ForeignValue {
    ForeignValue { of, words, ours, why }
}

/// Keys that are not ours under another name only: those stand in [`SYNONYMS`].
pub(super) const KEYS: &[Foreign] = &[
    // the top of the file
    key(
        &[""],
        "upstream upstreams backend backends cluster clusters service services target_group loadbalancer \
         load_balancer servers",
        "[[pools]]",
        "backends behind one rule are a pool here",
    ),
    key(
        &[""],
        "server",
        "[[listeners]]",
        "that is what nginx's `server` is here; the servers that requests go to stand in `backends` of [[pools]]",
    ),
    key(
        &[""],
        "frontend frontends listen bind entrypoint entrypoints entry_points site sites virtual_host \
         virtualhost http apps",
        "[[listeners]]",
        "an address and what is served there is a listener here",
    ),
    key(&[""], "stream tcp layer4", "[[listeners]]", "with protocol = \"tcp\""),
    key(
        &[""],
        "location locations route routes router routers acl use_backend rules ingress",
        "[[listeners.routes]]",
        "below the listener whose requests they choose among",
    ),
    key(
        &[""],
        "default_backend proxy_pass reverse_proxy",
        "",
        "where requests go is said in the listener: pool = \"..\"",
    ),
    key(
        &[""],
        "global defaults default events main options settings",
        "",
        "what holds for everything stands at the top of the file itself, limits in [limits], times in [timeouts]",
    ),
    key(
        &[""],
        "access_log log_format logging logs accesslog",
        "[log]",
        "access = \"stdout\" or a file, and its format",
    ),
    key(
        &["", "log"],
        "error_log error errors level log_level loglevel",
        "",
        "what lbd says of itself goes to standard error, without levels; the access log says how each request ended",
    ),
    key(
        &[""],
        "resolver resolvers dns",
        "",
        "the system's resolver is asked, once, when the file is read",
    ),
    key(
        &[""],
        "user group chroot daemon pid pidfile pid_file daemonize",
        "",
        "that is the service manager's work: systemd has User=, Group= and RootDirectory=",
    ),
    key(
        &[""],
        "include includes import conf_d",
        "",
        "one file holds everything: files are not joined",
    ),
    key(
        &[""],
        "metrics prometheus dashboard stats_uri",
        "[admin]",
        "then `lbd status` shows every backend; there is no page of metrics yet",
    ),
    key(
        &["", "listeners"],
        "maxconn max_conns maxconnections max_connections worker_connections",
        "limits = { max_connections = 1000 }",
        "how many clients may be connected at once",
    ),
    key(
        &["", "listeners"],
        "timeout",
        "timeouts = { head = \"10s\", response = \"60s\" }",
        "each wait has its own",
    ),
    // TLS, and what else is not there
    key(
        &["", "listeners", "listeners.routes"],
        "ssl https crt cert certs certificate certificates ssl_certificate ssl_certificate_key cert_file key_file \
         tls_config ssl_protocols",
        "[listeners.tls]",
        "below its listener, with `certificates`: files or folders, keys included",
    ),
    key(
        &["", "listeners.routes"],
        "tls",
        "[listeners.tls]",
        "below its listener, with `certificates`: files or folders, keys included; each name may have its own",
    ),
    key(
        &["", "listeners", "listeners.tls", "listeners.tls.sites"],
        "acme auto_https letsencrypt",
        "",
        "certificates are not asked for here: let certbot or cert-manager write them into a folder that `certificates` of \
         [listeners.tls] names",
    ),
    key(
        &["listeners.tls", "listeners.tls.sites"],
        "cert crt certs certificate cert_file certificate_file ssl_certificate chain fullchain pem bind key key_file \
         private_key certificate_key ssl_certificate_key keys",
        "",
        "certificates, chains and keys stand in `certificates`, files or folders in any order: each key finds its own",
    ),
    key(
        &["listeners.tls", "listeners.tls.sites"],
        "ca ca_file ca_cert client_ca client_ca_file ssl_client_certificate trusted_ca client_authentication",
        "",
        "the authorities whose clients are let in stand in `authorities`, beside client_auth = \"required\"",
    ),
    key(
        &["listeners.tls", "listeners.tls.sites"],
        "verify ssl_verify_client mtls mutual client_certificate require_client_cert",
        "",
        "write client_auth = \"required\" or \"optional\", and `authorities`",
    ),
    key(
        &["listeners.tls", "listeners.tls.sites"],
        "ciphers cipher_suites ciphersuites ssl_ciphers curves ecdhe groups ssl_ecdh_curve",
        "",
        "only suites and groups that are good are spoken, and none is chosen by hand",
    ),
    key(
        &["listeners.tls", "listeners.tls.sites"],
        "protocols ssl_protocols versions ssl_min_ver",
        "",
        "write `min_version` and `max_version`: TLS 1.2 and 1.3 are spoken",
    ),
    key(
        &["listeners", "listeners.tls", "listeners.tls.sites"],
        "alpn",
        "",
        "what can be agreed on follows from what the listener speaks: http/1.1 and http/1.0",
    ),
    key(
        &["listeners.tls"],
        "handshake_timeout handshake",
        "",
        "the time of a handshake stands in the listener itself: timeouts = { handshake = \"10s\" }",
    ),
    key(
        &["pools", "pools.backends"],
        "ssl https scheme transport",
        "",
        "write tls = {} in the pool: backends are verified against the system's roots, or your own",
    ),
    key(
        &["pools", "pools.backends"],
        "verify sni ca_file tls_insecure_skip_verify proxy_ssl_verify insecure_skip_verify",
        "",
        "that stands in the pool's `tls`: `roots` for an authority of your own, `pins` for one certificate",
    ),
    key(
        &["pools.tls"],
        "ca ca_file ca_cert cacert trusted_ca root root_ca proxy_ssl_trusted_certificate",
        "",
        "authorities of your own stand in `roots`: files, or \"system\"",
    ),
    key(
        &["pools.tls"],
        "insecure insecure_skip_verify tls_insecure_skip_verify skip_verify",
        "",
        "write `pins` for a certificate that no authority has signed; verify = \"none\" believes everybody",
    ),
    key(
        &["pools.tls"],
        "cert crt certificate cert_file key key_file private_key client_certificate proxy_ssl_certificate",
        "",
        "what is shown to backends stands in `certificates`, keys included",
    ),
    key(
        &["pools.health"],
        "ssl https scheme transport check_ssl",
        "tls = true",
        "without it probes speak TLS when the pool does",
    ),
    key(
        &["pools.health"],
        "verify sni ca_file check_sni tls_insecure_skip_verify proxy_ssl_verify insecure_skip_verify",
        "",
        "what is verified stands in the `tls` of the pool, and holds for probes too",
    ),
    key(
        &["listeners", "pools"],
        "http2 h2 h2c http3 h3 quic grpc",
        "",
        "HTTP/1.1 is all that is spoken yet",
    ),
    key(
        &["listeners"],
        "accept_proxy proxyprotocol",
        "proxy_protocol = \"require\", proxy_protocol_from = [\"10.0.0.0/8\"]",
        "with the addresses of the proxies in front",
    ),
    key(
        &["pools"],
        "send_proxy send_proxy_v2 proxyprotocol",
        "proxy_protocol = \"v2\"",
        "or \"v1\" for those that read text only",
    ),
    key(
        &["pools"],
        "usesrc proxy_bind tproxy",
        "transparent = true",
        "for the client's own address toward backends; it takes CAP_NET_ADMIN and routes",
    ),
    key(
        &["pools.backends"],
        "send_proxy send_proxy_v2 proxy_protocol proxyprotocol",
        "",
        "the PROXY header is the pool's: proxy_protocol = \"v2\"",
    ),
    key(
        &["listeners", "listeners.routes"],
        "gzip compress compression encode deflate brotli",
        "",
        "nothing is compressed here: backends may do it",
    ),
    key(
        &["listeners", "listeners.routes"],
        "root static file_server try_files alias index",
        "",
        "no files are served here: a backend may do it",
    ),
    key(
        &["listeners", "listeners.routes"],
        "proxy_set_header add_header set_header header_up header_down request_header response_header \
         http_request_set_header rewrite strip_prefix replace_path uri_strip_prefix",
        "",
        "requests are passed on as they came: no rule changes fields or paths yet",
    ),
    key(
        &["listeners"],
        "option_forwardfor forwardfor forward_for x_forwarded_for",
        "",
        "X-Forwarded-For is sent without a key; `forwarded = { for = false }` leaves it out",
    ),
    key(
        &["listeners"],
        "websocket websockets upgrade",
        "",
        "that works without a key",
    ),
    key(
        &["listeners", "listeners.routes"],
        "rate_limit ratelimit limit_req auth basic_auth basicauth auth_basic",
        "",
        "there are no rate limits and passwords yet",
    ),
    key(
        &["", "listeners"],
        "limit_conn max_conn_per_ip maxconn_per_ip conn_per_ip connections_per_ip src_conn_cur",
        "limits = { max_connections_per_client = 20 }",
        "how many connections one client may have at once",
    ),
    key(
        &["listeners"],
        "whitelist allowlist ip_allow",
        "allow = [\"10.0.0.0/8\"]",
        "everybody else is refused then",
    ),
    key(
        &["listeners.routes"],
        "whitelist allowlist ip_allow",
        "allow = [\"10.0.0.0/8\"]",
        "everybody else is refused then",
    ),
    key(
        &["listeners"],
        "block blacklist denylist blocklist",
        "deny = [\"192.0.2.0/24\"]",
        "everybody else is let in",
    ),
    key(
        &["listeners.routes"],
        "block blacklist http_request_deny",
        "respond = 403",
        "for every request that the route is for; `deny` is for addresses",
    ),
    key(
        &["listeners"],
        "force_https https_redirect ssl_redirect redirect_scheme",
        "",
        "write redirect_to_https = true in the plain listener, without `pool`",
    ),
    key(
        &["listeners"],
        "strict_transport_security http_strict_transport_security",
        "",
        "write hsts = \"180d\" in the listener with `tls`",
    ),
    // listeners
    key(
        &["listeners"],
        "port ports",
        "address = \"0.0.0.0:8080\"",
        "the port stands behind the address",
    ),
    key(
        &["listeners"],
        "ip addr addresses interface",
        "address = \"0.0.0.0:8080\"",
        "an address of this machine, with the port",
    ),
    key(
        &["listeners"],
        "host hosts hostname server_name domain domains",
        "routes = [{ host = \"www.example.com\", pool = \"app\" }]",
        "hosts of requests are said in routes, where to listen in `address`",
    ),
    key(
        &["listeners"],
        "backends servers server to targets endpoints",
        "pool = \"app\"",
        "backends stand in a pool, under [[pools]]",
    ),
    key(
        &["listeners"],
        "location locations path acl use_backend rules matchers handle",
        "routes = [{ path = \"/api\", pool = \"app\" }]",
        "the most specific route wins, whatever the order",
    ),
    key(
        &["listeners"],
        "redirect return respond redir",
        "routes = [{ path = \"/old\", redirect = { to = \"https://www.example.com/\" } }]",
        "redirects and fixed answers are routes",
    ),
    key(
        &["listeners"],
        "balance algorithm lb_policy lb_algorithm sticky persistence stick_table cookie health check \
         health_check healthcheck option_httpchk retries",
        "",
        "that is said in the pool, under [[pools]]",
    ),
    key(
        &["", "listeners"],
        "client_max_body_size max_body_size",
        "limits = { body_bytes = \"10MiB\" }",
        "how much a request may bring",
    ),
    key(
        &["listeners.forwarded"],
        "host x_forwarded_host",
        "",
        "lbd sends no X-Forwarded-Host: backends see the client's `Host`",
    ),
    // routes
    key(
        &["listeners.routes"],
        "path_reg path_regex path_regexp regex regexp path_end path_sub",
        "path = \"/api\"",
        "paths are prefixes in whole segments; there are no regular expressions",
    ),
    key(
        &["listeners.routes"],
        "header headers method methods query src client_ip cookie",
        "",
        "routes look at host and path only",
    ),
    key(
        &["listeners.routes"],
        "priority order weight",
        "",
        "leave it out: the most specific route wins, whatever the order",
    ),
    // pools
    key(
        &["pools"],
        "address port host ip",
        "backends = [\"10.0.0.1:80\"]",
        "addresses stand in the list of backends",
    ),
    key(
        &["pools"],
        "protocol mode backend_protocol",
        "",
        "what is spoken is said in the listener that leads here",
    ),
    key(
        &["pools"],
        "ip_hash source sh",
        "algorithm = \"ring\"",
        "it places by the client's address unless `hash` says otherwise",
    ),
    key(
        &["pools"],
        "least_conn leastconn least_connections",
        "algorithm = \"least_conn\"",
        "algorithms are values of one key",
    ),
    key(
        &["pools"],
        "round_robin roundrobin rr",
        "algorithm = \"weighted_round_robin\"",
        "which holds without the key",
    ),
    key(
        &["pools"],
        "random two_choices",
        "algorithm = \"two_choices\"",
        "algorithms are values of one key",
    ),
    key(
        &["pools"],
        "cookie sticky_cookie session_affinity affinity appsession",
        "persistence = { kind = \"cookie_insert\" }",
        "a signed cookie leads clients back",
    ),
    key(
        &["pools"],
        "stick stick_on stick_table stick_match source_affinity",
        "persistence = { kind = \"client_ip\" }",
        "clients are known by their address",
    ),
    key(
        &["pools"],
        "option_httpchk httpchk http_check health_uri health_path active_health",
        "health = { kind = \"http\", path = \"/health\" }",
        "probes of the pool's backends",
    ),
    key(
        &["pools"],
        "inter interval rise fall fastinter downinter slowstart slow_start health_interval probe",
        "health = { kind = \"tcp\", interval = \"2s\", rise = 3, fall = 3 }",
        "how backends are probed is said in one table",
    ),
    key(
        &["pools"],
        "max_fails fail_timeout max_failures observe error_limit circuit_breaker outlier_detection \
         passive passive_health",
        "health = { kind = \"passive\", max_failures = 3 }",
        "requests that fail judge a backend too",
    ),
    key(
        &["pools"],
        "weight weights backup maxconn max_conns max_connections drain disabled",
        "backends = [{ address = \"10.0.0.1:80\", weight = 3, max_connections = 100 }]",
        "each backend has its own",
    ),
    key(
        &["pools"],
        "timeout connect_timeout timeout_connect timeout_server proxy_connect_timeout proxy_read_timeout \
         read_timeout response_timeout dial_timeout",
        "timeouts = { connect = \"5s\", response = \"60s\" }",
        "for connecting, and for the answer",
    ),
    key(
        &["pools"],
        "keepalive keep_alive max_idle http_reuse idle_connections",
        "max_idle_connections = 512",
        "unused connections that are kept for each worker and backend",
    ),
    key(
        &["pools"],
        "retry redispatch option_redispatch proxy_next_upstream proxy_next_upstream_tries max_retries \
         lb_try_duration",
        "retries = { attempts = 2 }",
        "second attempts at other backends, never for what may not be repeated",
    ),
    key(
        &["pools"],
        "queue timeout_queue maxqueue",
        "",
        "nobody waits in line yet: when every backend is full, the answer is 503",
    ),
    key(
        &["pools"],
        "resolver resolvers dns srv discovery dynamic server_template",
        "",
        "host names are looked up once, when the file is read: SIGHUP reads it again",
    ),
    key(
        &["pools"],
        "zone",
        "",
        "nginx's shared memory needs no key: loads and health are shared by all workers; where a backend is, is said in \
         the backend",
    ),
    // backends
    key(
        &["pools.backends"],
        "host hostname ip port server dial to uri addr target",
        "address = \"10.0.0.1:80\"",
        "address and port stand together",
    ),
    key(
        &["pools.backends"],
        "check health health_check healthcheck inter interval rise fall slowstart slow_start max_fails \
         max_failures fail_timeout observe on_error error_limit agent_check",
        "",
        "that is said once for all backends, in `health` of the pool",
    ),
    key(
        &["pools.backends"],
        "cookie",
        "",
        "the cookie's value is made from the names of pool and backend: there is nothing to set",
    ),
    key(
        &["pools.backends"],
        "disabled down maintenance maint enabled disable",
        "drain = true",
        "known clients only; at run time `lbd backend drain`, or `maintain` for nobody",
    ),
    // persistence
    key(
        &["pools.persistence"],
        "ttl expires lifetime expiry expire maxlife maxidle",
        "",
        "how long a client is known is `max_age` of kind = \"cookie_insert\", and `timeout` of kind = \"client_ip\"",
    ),
    key(
        &["pools.persistence"],
        "indirect nocache insert preserve",
        "",
        "leave it out: backends do not see the cookie, and answers with it are private, unless `forward_to_backend` and \
         `mark_private` say otherwise",
    ),
    // health
    key(
        &["pools.health"],
        "enabled enable active on",
        "",
        "leave it out: with `health` backends are probed, without they are not",
    ),
    key(
        &["pools.health"],
        "fail_timeout",
        "passive = { max_failures = 3, eject_for = \"10s\" }",
        "how long a backend stays out",
    ),
    key(
        &["pools.health"],
        "start_period initial_delay initial_delay_seconds grace_period",
        "",
        "leave it out: backends are probed from the start",
    ),
    // the admin socket
    key(
        &["admin"],
        "address port listen bind host uri",
        "socket = \"/run/lbd/admin.sock\"",
        "a Unix socket is the only way in, so that the file's permissions say who may",
    ),
    key(
        &["admin"],
        "user password auth token",
        "mode = \"0660\", group = \"1000\"",
        "the file's permissions say who may",
    ),
    key(
        &["pools.timeouts", "timeouts"],
        "queue check",
        "",
        "nobody waits in line, and a probe's time is `timeout` in `health`",
    ),
];

/// Another name of one of our keys, wherever we have that key.
pub(super) const SYNONYMS: &[(&str, &str)] = &[
    ("bind", "address"),
    ("listen", "address"),
    ("url", "address"),
    ("stats", "admin"),
    ("stats_socket", "admin"),
    ("api", "admin"),
    ("control", "admin"),
    ("upstream", "backends"),
    ("upstreams", "backends"),
    ("server", "backends"),
    ("servers", "backends"),
    ("members", "backends"),
    ("nodes", "backends"),
    ("targets", "backends"),
    ("endpoints", "backends"),
    ("upstream", "pool"),
    ("upstreams", "pool"),
    ("backend", "pool"),
    ("cluster", "pool"),
    ("service", "pool"),
    ("default_backend", "pool"),
    ("proxy_pass", "pool"),
    ("reverse_proxy", "pool"),
    ("to", "pool"),
    ("target", "pool"),
    ("balance", "algorithm"),
    ("lb_policy", "algorithm"),
    ("lb_algorithm", "algorithm"),
    ("strategy", "algorithm"),
    ("policy", "algorithm"),
    ("method", "algorithm"),
    ("hash_key", "hash"),
    ("hash_by", "hash"),
    ("hash_type", "algorithm"),
    ("hash_balance_factor", "bounded_load_percent"),
    ("bounded_load", "bounded_load_percent"),
    ("decay", "ewma_decay"),
    ("url_param", "parameter"),
    ("query", "parameter"),
    ("hdr", "header"),
    ("locality", "zone"),
    ("region", "zone"),
    ("availability_zone", "zone"),
    ("mode", "protocol"),
    ("maxconn", "max_connections"),
    ("max_conns", "max_connections"),
    ("maxconnections", "max_connections"),
    ("worker_connections", "max_connections"),
    ("ratio", "weight"),
    ("standby", "backup"),
    ("spare", "backup"),
    ("id", "name"),
    ("tag", "name"),
    ("label", "name"),
    ("cookie_name", "name"),
    ("cookie", "name"),
    ("uri", "path"),
    ("prefix", "path"),
    ("path_prefix", "path"),
    ("path_beg", "path"),
    ("location", "path"),
    ("server_name", "host"),
    ("hostname", "host"),
    ("vhost", "host"),
    ("domains", "hosts"),
    ("check", "health"),
    ("health_check", "health"),
    ("health_checks", "health"),
    ("healthcheck", "health"),
    ("active_health_check", "health"),
    ("type", "kind"),
    ("inter", "interval"),
    ("period", "interval"),
    ("period_seconds", "interval"),
    ("check_interval", "interval"),
    ("downinter", "interval_down"),
    ("fastinter", "interval_changing"),
    ("timeout_seconds", "timeout"),
    ("check_timeout", "timeout"),
    ("passes", "rise"),
    ("healthy_threshold", "rise"),
    ("success_threshold", "rise"),
    ("fails", "fall"),
    ("unhealthy_threshold", "fall"),
    ("failure_threshold", "fall"),
    ("max_fails", "max_failures"),
    ("expect_status", "status"),
    ("expected_status", "status"),
    ("codes", "status"),
    ("http_check_expect", "status"),
    ("expect_body", "body"),
    ("rstring", "expect"),
    ("header", "headers"),
    ("slowstart", "slow_start"),
    ("sticky", "persistence"),
    ("stickiness", "persistence"),
    ("session", "persistence"),
    ("size", "capacity"),
    ("mask", "netmask_v4"),
    ("netmask", "netmask_v4"),
    ("samesite", "same_site"),
    ("httponly", "http_only"),
    ("maxage", "max_age"),
    ("key", "secret"),
    ("return", "respond"),
    ("redir", "redirect"),
    ("nbthread", "workers"),
    ("threads", "workers"),
    ("worker_processes", "workers"),
    ("hard_stop_after", "drain_timeout"),
    ("worker_shutdown_timeout", "drain_timeout"),
    ("grace_period", "drain_timeout"),
    ("http_request", "head"),
    ("client_header_timeout", "head"),
    ("read_header", "head"),
    ("client", "body"),
    ("client_body_timeout", "body"),
    ("read_body", "body"),
    ("send_timeout", "write"),
    ("server", "response"),
    ("server_timeout", "response"),
    ("read", "response"),
    ("proxy_read_timeout", "response"),
    ("response_header_timeout", "response"),
    ("proxy_connect_timeout", "connect"),
    ("dial_timeout", "connect"),
    ("dial", "connect"),
    ("keepalive_timeout", "keep_alive"),
    ("http_keep_alive", "keep_alive"),
    ("websocket", "tunnel"),
    ("idle_timeout", "idle"),
    ("keepalive_requests", "keep_alive_requests"),
    ("client_max_body_size", "body_bytes"),
    ("max_body_size", "body_bytes"),
    ("large_client_header_buffers", "head_bytes"),
    ("max_headers", "fields"),
    ("set_real_ip_from", "trusted_proxies"),
    ("trusted", "trusted_proxies"),
    ("real_ip_from", "trusted_proxies"),
    ("path", "access"),
    ("file", "access"),
    ("output", "access"),
    ("access_log", "access"),
    ("log_format", "format"),
    ("file", "socket"),
    ("stats_socket", "socket"),
    ("redispatch", "attempts"),
    ("retries", "attempts"),
];

const ALGORITHM: (&str, &str) = ("pools", "algorithm");
const PERSISTENCE: (&str, &str) = ("pools.persistence", "kind");
const HEALTH: (&str, &str) = ("pools.health", "kind");
const PROTOCOL: (&str, &str) = ("listeners", "protocol");
const TLS_MIN: (&str, &str) = ("listeners.tls", "min_version");
const POOL_TLS_MIN: (&str, &str) = ("pools.tls", "min_version");
const CLIENT_AUTH: (&str, &str) = ("listeners.tls", "client_auth");
const TOO_OLD: &str = "older ones are broken and not spoken";
const HASH: (&str, &str) = ("pools", "hash");
const HASH_KIND: (&str, &str) = ("pools.hash", "kind");

/// Values.
pub(super) const VALUES: &[ForeignValue] = &[
    value(
        ALGORITHM,
        "roundrobin rr wrr static_rr weighted default smooth_weighted_round_robin",
        "weighted_round_robin",
        "",
    ),
    value(
        ALGORITHM,
        "leastconn least_connections least_connection wlc lc least_outstanding_requests",
        "least_conn",
        "",
    ),
    value(
        ALGORITHM,
        "least_request random_two_least_conn random_two random(2) random_choose p2c power_of_two",
        "two_choices",
        "",
    ),
    value(ALGORITHM, "random(1)", "random", ""),
    value(ALGORITHM, "least_time ewma latency least_latency", "peak_ewma", ""),
    value(ALGORITHM, "ketama ring_hash ringhash chash", "ring", ""),
    value(ALGORITHM, "hrw highest_random_weight", "rendezvous", ""),
    value(ALGORITHM, "first_available", "first", ""),
    value(ALGORITHM, "source source_ip sh client_ip", "", BY_SOURCE),
    value(
        ALGORITHM,
        "ip_hash",
        "",
        "write algorithm = \"ring\"; like ip_hash: hash = { kind = \"source\", netmask_v4 = 24 }",
    ),
    value(
        ALGORITHM,
        "uri url uri_hash url_hash",
        "",
        "write algorithm = \"ring\" and hash = \"url\"",
    ),
    value(
        ALGORITHM,
        "url_param query",
        "",
        "write algorithm = \"ring\" and hash = { parameter = \"..\" }",
    ),
    value(
        ALGORITHM,
        "hdr header",
        "",
        "write algorithm = \"ring\" and hash = { header = \"..\" }",
    ),
    value(
        ALGORITHM,
        "cookie",
        "",
        "write algorithm = \"ring\" and hash = { cookie = \"..\" }",
    ),
    value(
        ALGORITHM,
        "rdp_cookie",
        "",
        "there is no such algorithm: \"ring\" places by the client's address",
    ),
    value(
        ALGORITHM,
        "hash consistent consistent_hash",
        "",
        "write algorithm = \"ring\", and in `hash` what to place by",
    ),
    value(
        ALGORITHM,
        "sticky",
        "",
        "write persistence = { kind = \"cookie_insert\" }: the algorithm places new clients",
    ),
    value(
        PERSISTENCE,
        "cookie sticky insert sticky_cookie lb_cookie session session_cookie",
        "cookie_insert",
        "",
    ),
    value(
        PERSISTENCE,
        "source source_ip ip ip_hash src client clientip stick_table stick_on_src remote_addr",
        "client_ip",
        "",
    ),
    value(
        PERSISTENCE,
        "rewrite prefix learn route app_cookie",
        "cookie_insert",
        "cookies of backends are not read",
    ),
    value(
        PERSISTENCE,
        "hash source_hash target_hash url_hash uri",
        "",
        HASH_IS_OF_THE_POOL,
    ),
    value(
        HEALTH,
        "https",
        "http",
        "write `tls` as well: without it probes speak TLS when the pool does",
    ),
    value(
        HEALTH,
        "ssl ssl_hello_chk tls",
        "tcp",
        "write `tls` as well: without it probes speak TLS when the pool does",
    ),
    value(HEALTH, "httpchk http_check http1 option_httpchk l7 http2", "http", ""),
    value(HEALTH, "tcp_check tcpchk connect l4 check stream port", "tcp", ""),
    value(
        HEALTH,
        "ping icmp",
        "tcp",
        "a machine that answers pings says nothing of its service",
    ),
    value(HEALTH, "grpc", "tcp", "probes do not speak HTTP/2 yet"),
    value(
        HEALTH,
        "exec external_check command script",
        "tcp",
        "no programs are run; an `agent` beside the backend may say how it is",
    ),
    value(HEALTH, "mysql_check mariadb", "mysql", ""),
    value(HEALTH, "pgsql_check postgres pgsql", "postgresql", ""),
    value(HEALTH, "redis_check", "redis", ""),
    value(HEALTH, "smtpchk smtp_check", "smtp", ""),
    value(HEALTH, "half_open", "syn", ""),
    value(HEALTH, "observe max_fails outlier_detection", "passive", ""),
    value(PROTOCOL, "https", "http", "with [listeners.tls] and its `certificates`"),
    value(
        PROTOCOL,
        "tls ssl",
        "",
        "TLS that ends here is [listeners.tls] of a listener that speaks \"http\" or \"tcp\"; \"tls_passthrough\" passes it on",
    ),
    value(
        PROTOCOL,
        "passthrough ssl_passthrough sni tls_pass_through ssl_preread",
        "tls_passthrough",
        "",
    ),
    value(
        TLS_MIN,
        "1_0 1_1 1 tlsv1 tlsv1_0 tlsv1_1 tls1_0 tls1_1 sslv3",
        "1.2",
        TOO_OLD,
    ),
    value(TLS_MIN, "tlsv1_2 tls1_2 tlsv12 tls12 tls_1_2 12", "1.2", ""),
    value(TLS_MIN, "tlsv1_3 tls1_3 tlsv13 tls13 tls_1_3 13", "1.3", ""),
    value(
        POOL_TLS_MIN,
        "1_0 1_1 1 tlsv1 tlsv1_0 tlsv1_1 tls1_0 tls1_1 sslv3",
        "1.2",
        TOO_OLD,
    ),
    value(POOL_TLS_MIN, "tlsv1_2 tls1_2 tlsv12 tls12 tls_1_2 12", "1.2", ""),
    value(POOL_TLS_MIN, "tlsv1_3 tls1_3 tlsv13 tls13 tls_1_3 13", "1.3", ""),
    value(
        CLIENT_AUTH,
        "require require_and_verify on yes true verify mandatory",
        "required",
        "",
    ),
    value(
        CLIENT_AUTH,
        "request optional_no_ca want verify_if_given",
        "optional",
        "",
    ),
    value(CLIENT_AUTH, "off no false", "none", ""),
    value(PROTOCOL, "http1 http/1_1 h1 websocket ws l7", "http", ""),
    value(PROTOCOL, "stream l4", "tcp", ""),
    value(
        PROTOCOL,
        "http2 h2 h2c grpc http3 h3 quic",
        "",
        "HTTP/1.1 is all that is spoken yet: \"http\", or \"tcp\" to pass it on as it is",
    ),
    value(PROTOCOL, "udp", "", "there is no UDP yet"),
    value(HASH, "ip src client_ip source_ip ip_hash remote_addr", "source", ""),
    value(HASH, "uri path destination", "url", ""),
    value(HASH, "request_uri", "url_and_query", ""),
    value(
        HASH_KIND,
        "ip src client_ip source_ip ip_hash remote_addr",
        "source",
        "",
    ),
    value(HASH_KIND, "uri path destination", "url", ""),
    value(HASH_KIND, "request_uri", "url_and_query", ""),
    value(("log", "format"), "clf", "common", ""),
    value(
        ("log", "format"),
        "main httplog apache text default",
        "combined_xff",
        "",
    ),
    value(("pools", "fail_open"), "always true yes on", "when_all_down", ""),
    value(("pools", "fail_open"), "false no off", "never", ""),
];

const HASH_IS_OF_THE_POOL: &str =
    "placing by a hash is the algorithm's work: write algorithm = \"ring\" and `hash` in the pool itself";
const BY_SOURCE: &str = "write algorithm = \"ring\"; it places by the client's address unless `hash` says otherwise";
