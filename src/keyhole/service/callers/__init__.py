"""Who calls: tokens, JWTs, sessions of the page, limits, and credentials no wider than the caller."""
