"""Questions about all requests: what policies allow as sets, compared and searched exactly, with witnesses."""
