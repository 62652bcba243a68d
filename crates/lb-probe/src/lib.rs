//! Runs health probes on a timetable: TCP connect and HTTP.
