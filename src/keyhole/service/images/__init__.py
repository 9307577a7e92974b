"""Uploaded images: nothing of them is believed before a process that can be killed has decoded them."""
