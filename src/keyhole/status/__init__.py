"""How an app is now: what differs from its file, what is public, how old its keys are, what rings."""
