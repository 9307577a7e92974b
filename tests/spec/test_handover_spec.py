"""A hand-over in the file: what is taken, and what is refused with its line."""

from pathlib import Path

import pytest

from key_story import HEAD
from keyhole.errors import SpecError
from keyhole.spec import load_spec


def mistake(folder: Path, text: str) -> str:
    """Give the whole of what is wrong in a file."""
    file = folder / "keyhole.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(SpecError) as caught:
        load_spec(file, "dev" if "[environments" in text else "")
    return str(caught.value)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("", "the key is handed over nowhere"),
        ('env_file = "out/"\n', "is not the path of a file"),
        ('env_file = "{stage}.env"\n', "has an unknown placeholder `{stage}`"),
        ('secret = "a b"\n', "is not a name that a secret can have"),
        ('secret = "app-abcdef"\n', "ends like an ARN"),
        ('env_file = "x"\ncsv_file = "x"\n', "two forms of the key go to one file"),
        ('csv_file = "x"\nenv = { A = "{access_key_id}" }\n', "`env` names variables, and nothing has them"),
        ('csv_file = "x"\ntoml = { a = { b = "{access_key_id}" } }\n', "`toml` names keys, and no file has them"),
        ('env_file = "x"\nenv = { A = "{access_key_id}" }\n', "no value that is just `{secret_access_key}`"),
        ('env_file = "x"\nenv = { A = "a b" }\n', "readers of env files take differently"),
        ('env_file = "x"\nenv = { A = "{acces_key}" }\n', "unknown placeholder `{acces_key}`"),
        ('env_file = "x"\nenv = { "A B" = "x" }\n', "is not the name of an environment variable"),
        ('env_file = "x"\nenv = { A = "{buckets.none}" }\n', "`{buckets.none}` names no bucket of this file"),
    ],
)
def test_a_hand_over_that_cannot_work_is_refused(tmp_path: Path, lines: str, message: str) -> None:
    """Before any call, with the line and what to write."""
    found = mistake(tmp_path, HEAD + lines)
    assert message in found
    assert "keyhole.toml:1" in found


def test_a_bucket_that_is_not_clear_is_refused(tmp_path: Path) -> None:
    """`{bucket}` is the one bucket of the grants."""
    two = HEAD.replace("[workloads.up]", "[buckets.more]\n[workloads.up]").replace(
        'verbs = ["read"] }]', 'verbs = ["read"] }, { bucket = "more", verbs = ["read"] }]'
    )
    values = 'env = { A = "{access_key_id}", B = "{secret_access_key}", C = "{bucket}" }\n'
    assert "`{bucket}` is not clear: workload `up` has grants on several buckets" in mistake(
        tmp_path, f'{two}env_file = "x"\n{values}'
    )


def test_no_two_write_one_place(tmp_path: Path) -> None:
    """Neither two workloads nor two environments: one would take the other's key away."""
    other = '[workloads.down]\nkind = "access-key"\nhandover = { env_file = "./app.env" }\n'
    assert "both hand their key over in" in mistake(tmp_path, f'{HEAD}env_file = "app.env"\n{other}')
    stages = HEAD.replace('user_name = "up"\n', "") + 'env_file = "app.env"\n[environments.dev]\n[environments.prod]\n'
    assert "`app.env` is the env file in the environments `dev` and `prod`" in mistake(tmp_path, stages)
    file = tmp_path / "keyhole.toml"
    file.write_text(stages.replace('"app.env"', '"{environment}.env"'), "utf-8")
    assert load_spec(file, "prod").app.workloads["up"].kind == "access-key"
