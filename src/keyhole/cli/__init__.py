"""The command line: one file per command. Commands parse, call and show; what they do stands below them."""
