"""Image headers, one module for each format: each gives width and height in pixels, or says what is broken."""
