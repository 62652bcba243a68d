//! Session persistence: recognise a returning client by address or cookie and lead it to the same backend.
