//! What does GitHub send?
