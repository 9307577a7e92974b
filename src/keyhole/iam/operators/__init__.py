"""The condition operators, one file per type of value; `registry` is the table of them."""
