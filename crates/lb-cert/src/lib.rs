//! Certificates that anyone can load, check, mend and understand.
