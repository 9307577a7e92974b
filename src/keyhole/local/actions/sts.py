"""STS: operation → action. AssumeRole is decided with the role's trust policy, so its row is asked there too.

AWS: Service Authorization Reference, "Actions, resources, and condition keys for AWS Security Token Service".
"""

from __future__ import annotations

from keyhole.local.actions.row import Row

# Answered and decided together: who may assume a role depends on its trust policy, who may ask for a session token
# or for its own identity on nothing but being somebody.
ROWS: dict[str, Row] = {
    "AssumeRole": (),
    "GetCallerIdentity": (),
    "GetSessionToken": (),
}
