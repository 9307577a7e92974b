"""Who can do what in an account: its users and roles with every policy that binds them, asked for all requests."""
