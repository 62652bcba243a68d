//! What a load balancer says of itself: counters, end reasons and access-log lines.
