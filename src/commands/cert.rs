//! `cert`: what a sealing certificate is and until when it serves.
