"""An access key on its way to where the file says: env file, TOML, CSV, Secrets Manager. Nothing shows its secret."""

from keyhole.handover.place import Place, PlaceState, check_place, read_key, read_place
from keyhole.handover.values import Key, Scalar

__all__ = ["Key", "Place", "PlaceState", "Scalar", "check_place", "read_key", "read_place"]
