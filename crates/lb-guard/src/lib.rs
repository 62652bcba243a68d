//! Who may enter: lists of addresses, longest prefix first, a million entries in one look.
#![no_std]
