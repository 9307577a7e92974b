"""An AWS on this machine: a gate that authenticates and authorizes, in front of moto."""
