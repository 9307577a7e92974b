"""The upload service: an API and a page over one bucket, which is all the state there is."""
