"""moto and the gate read botocore's data together where they may, and apart where moto changes it."""

from __future__ import annotations

import subprocess
import sys

import botocore.session
from moto.core import utils
from moto.core.base_backend import AccountSpecificBackend

from keyhole.aws.service_models import builtin_models
from keyhole.local.moto_models import lend_models, share_models

COUNTING = """
from keyhole.aws.service_models import PlainFiles
from botocore.loaders import JSONFileLoader
reads = []
for kind in (PlainFiles, JSONFileLoader):
    original = kind.load_file
    kind.load_file = lambda self, path, original=original: reads.append(path) or original(self, path)
from keyhole.local.moto_backend import MotoBackend, _response_class
MotoBackend()
_response_class("ec2")
print(sum(path.endswith("ec2/2016-11-15/service-2") for path in reads))
"""


def test_ec2_s_model_is_read_once_for_its_regions() -> None:
    """Importing moto's EC2 asks three times which regions there are: one reading answers."""
    done = subprocess.run([sys.executable, "-c", COUNTING], check=True, capture_output=True, text=True)
    assert done.stdout == "1\n"


def test_moto_s_own_changes_to_models_stay_its_own() -> None:
    """S3's error of an unsatisfiable range is in moto's model, which the gate does not parse by."""
    share_models()
    mine = builtin_models().load_service_model("s3", "service-2")
    own = utils.get_service_model("s3")
    assert "InvalidRange" in own.shape_names
    assert "InvalidRange" not in mine["shapes"]


def test_loaders_are_lent_for_the_time_of_an_import() -> None:
    """Sessions made within share the loader; afterwards those of others have their own again, also after nesting."""
    original = botocore.session.create_loader
    with lend_models():
        with lend_models():
            pass
        assert botocore.session.Session().get_component("data_loader") is builtin_models()
    assert botocore.session.create_loader is original
    assert botocore.session.Session().get_component("data_loader") is not builtin_models()


def test_regions_are_still_all_there() -> None:
    """moto's list of regions is botocore's."""
    share_models()
    regions = AccountSpecificBackend.get_session().get_available_regions("sns")
    assert regions == botocore.session.Session().get_available_regions("sns")
    assert "eu-central-1" in regions
