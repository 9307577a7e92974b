"""botocore's data as Keyhole reads it: the same as botocore's own loader gives, once, and in the gate nothing else."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.exceptions import DataNotFoundError
from botocore.loaders import create_loader

from keyhole.aws.client import BotocoreAws, Credentials
from keyhole.aws.service_models import PlainFiles, ServiceModels, builtin_models, service_models

SERVICES = ("s3", "iam", "sts", "ec2", "sns", "dynamodb", "resourcegroupstaggingapi")


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("kind", ["service-2", "endpoint-rule-set-1", "paginators-1"])
def test_models_are_botocore_s(service: str, kind: str) -> None:
    """Each model is what botocore's loader reads, its additions for SDKs included."""
    try:
        expected = create_loader().load_service_model(service, kind)
    except DataNotFoundError:
        with pytest.raises(DataNotFoundError):
            ServiceModels([]).load_service_model(service, kind)
    else:
        assert ServiceModels([]).load_service_model(service, kind) == expected


def test_the_services_are_botocore_s() -> None:
    """No folder is missing or too much; one that is not there says so."""
    assert builtin_models().list_available_services("service-2") == create_loader().list_available_services("service-2")
    with pytest.raises(DataNotFoundError):
        builtin_models().load_service_model("nonsense", "service-2")


def test_a_model_is_read_once() -> None:
    """Threads that ask at the same time get the same object, which one of them read."""
    reads: list[str] = []

    class Counting(PlainFiles):
        def load_file(self, file_path: str) -> object:
            reads.append(file_path)
            return super().load_file(file_path)

    models = ServiceModels([])
    models.file_loader = Counting()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: models.load_service_model("sns", "service-2"), range(8)))
    assert all(one is found[0] for one in found)
    assert len([path for path in reads if path.endswith("sns/2010-03-31/service-2")]) == 1


def test_the_users_models_count_for_clients_and_not_for_the_gate(tmp_path: Path) -> None:
    """A folder of AWS_DATA_PATH comes before botocore's; the gate parses by what botocore ships."""
    folder = tmp_path / "sns" / "2010-03-31"
    folder.mkdir(parents=True)
    (folder / "service-2.json").write_text(json.dumps({"metadata": {"serviceId": "changed"}}), "utf-8")
    found = service_models(str(tmp_path)).load_service_model("sns", "service-2")
    assert found["metadata"]["serviceId"] == "changed"
    assert builtin_models().load_service_model("sns", "service-2")["metadata"]["serviceId"] == "SNS"


def test_clients_share_what_was_read() -> None:
    """A second account makes its client from the same model."""
    keys = Credentials("AKIAEXAMPLE", "secret")
    first, second = (
        BotocoreAws("us-east-1", credentials=keys, endpoint_url="http://127.0.0.1:9").client("sns") for _ in range(2)
    )
    operation = "Publish"
    assert first is not second
    assert (
        first.meta.service_model.operation_model(operation)._operation_model
        is second.meta.service_model.operation_model(operation)._operation_model
    )
