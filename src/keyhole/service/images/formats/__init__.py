"""Image containers, one module for each format: each walks a file from its first byte to its end, decoding nothing."""
