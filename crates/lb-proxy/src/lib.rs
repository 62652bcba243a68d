//! Serves TCP and HTTP/1.1: one task per client connection, buffers only while bytes move.
