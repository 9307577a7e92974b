"""The file `keyhole.toml`: its model, loading it with line numbers, its JSON schema."""

from keyhole.spec.load import DEFAULT_FILE, Places, Spec, load_spec
from keyhole.spec.model import App

__all__ = ["DEFAULT_FILE", "App", "Places", "Spec", "load_spec"]
