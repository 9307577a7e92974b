"""The texts of files that a key is written into: ours is set and taken out, the rest stays byte for byte."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyhole.errors import KeyholeError
from keyhole.handover import csv_text, env_text, json_text, toml_text
from keyhole.handover.values import Scalar

ENV = "# the app\r\nexport PORT=80\r\nKEY='old'\n\nNAME = x\nKEY=older"


def test_an_env_file_keeps_its_other_lines_in_their_order() -> None:
    """A variable is replaced on its line, with its `export`; a new one comes last; the second of two goes."""
    text = env_text.write_values(ENV, {"KEY": "new", "PORT": "81", "MORE": ""})
    assert text == "# the app\r\nexport PORT=81\r\nKEY=new\n\nNAME = x\nMORE=\n"


def test_an_env_file_is_read_as_its_readers_do() -> None:
    """Quotes are taken off, and of two lines the last counts."""
    assert env_text.read_values(ENV) == {"PORT": "80", "KEY": "older", "NAME": "x"}
    assert env_text.read_values("A='b c'\nB=") == {"A": "b c", "B": ""}


def test_variables_are_taken_out_of_an_env_file() -> None:
    """What is not ours stays to the byte, and a file without any of ours is not touched."""
    assert env_text.remove_values(ENV, {"KEY"}) == "# the app\r\nexport PORT=80\r\n\nNAME = x\n"
    assert env_text.remove_values("NAME=x", {"KEY"}) == "NAME=x"


LINES = st.lists(st.sampled_from(["A=1", "B=2", "export A=3", "# A=4", "", "AB=5", "free text"]), max_size=6)


@given(LINES)
def test_writing_and_taking_out_of_an_env_file_leaves_what_others_wrote(lines: list[str]) -> None:
    """Whatever is in the file: what was written is read back, and without it the others' lines are as before."""
    text = "".join(f"{line}\n" for line in lines)
    written = env_text.write_values(text, {"A": "x", "NEW": "y"})
    assert {**env_text.read_values(text), "A": "x", "NEW": "y"} == env_text.read_values(written)
    others = [line for line in lines if not line.removeprefix("export ").startswith("A=")]
    assert env_text.remove_values(written, {"A", "NEW"}) == "".join(f"{line}\n" for line in others)


TOML = """\
# the app
title = "x"

[object_storage] # ours
provider = "old"
retries = 3   # theirs

[server]
ports = [
  1,
  2,
]
"""


def test_a_toml_file_is_edited_key_by_key() -> None:
    """A key of ours changes on its line, a new one joins its table, a new table comes last; all else stays."""
    values: dict[str, Scalar | None] = {
        "object_storage.provider": "s3",
        "object_storage.secret_key": "a/b+c",
        "signed_url.default_ttl": 600,
    }
    text = toml_text.write_values(TOML, values)
    assert (
        text
        == TOML.replace('"old"', '"s3"').replace("# theirs\n", '# theirs\nsecret_key = "a/b+c"\n')
        + "\n[signed_url]\ndefault_ttl = 600\n"
    )
    assert toml_text.read_values(text)["signed_url.default_ttl"] == 600
    assert toml_text.remove_values(text, set(values)) == TOML.replace('provider = "old"\n', "")


def test_a_toml_file_of_ours_alone_comes_and_goes() -> None:
    """From nothing to whole tables, and back to nothing."""
    values: dict[str, Scalar | None] = {"a.x": "1", "a.y": True, "b.z": 2}
    text = toml_text.write_values("", values)
    assert tomllib.loads(text) == {"a": {"x": "1", "y": True}, "b": {"z": 2}}
    assert toml_text.remove_values(text, set(values)) == ""


def test_tables_of_ours_leave_no_gap_before_those_of_others() -> None:
    """Someone added a table below ours: it is all that is left, and between theirs there is one blank line again."""
    values: dict[str, Scalar | None] = {"a.x": "1", "b.z": 2}
    ours, theirs = toml_text.write_values("", values), '[log]\nlevel = "info"\n'
    assert toml_text.remove_values(f"{ours}\n{theirs}", set(values)) == theirs
    assert toml_text.remove_values(f"[c]\n\n{ours}\n{theirs}", set(values)) == f"[c]\n\n{theirs}"


@pytest.mark.parametrize(
    "text",
    [
        'object_storage = { provider = "old" }\n',
        "[[object_storage]]\nprovider = 1\n",
        "object_storage = 3\n",
        'object_storage.provider = """\nold\n"""\n',
        "not toml",
    ],
)
def test_toml_that_cannot_be_edited_is_refused(text: str) -> None:
    """Rather than damage a table that is written in another way, nothing is written."""
    with pytest.raises(KeyholeError):
        toml_text.write_values(text, {"object_storage.provider": "s3", "object_storage.new": 1})


@pytest.mark.parametrize("separator", ["\x85", "\u2028", "\x0c", "\x1e"])
def test_only_a_line_feed_ends_a_line(separator: str) -> None:
    """What else Unicode takes for the end of a line stands in values, and those that others wrote stay whole."""
    theirs = f"MOTD=a{separator}KEY=b\n"
    assert env_text.read_values(theirs) == {"MOTD": f"a{separator}KEY=b"}
    written = env_text.write_values(theirs, {"KEY": "ours"})
    assert written == f"{theirs}KEY=ours\n"
    assert env_text.remove_values(written, {"KEY"}) == theirs
    if separator >= "\x80":  # TOML takes no control characters
        theirs = f'[log]\nmotd = "a{separator}b"\n'
        written = toml_text.write_values(theirs, {"a.key": "ours", "log.level": "x"})
        assert written == f'{theirs}level = "x"\n\n[a]\nkey = "ours"\n'
        assert toml_text.remove_values(written, {"a.key", "log.level"}) == theirs


NAMES = st.sampled_from(["a", "b", "c"])


@given(st.dictionaries(NAMES, st.dictionaries(NAMES, st.integers() | st.text(max_size=5), max_size=3), max_size=3))
def test_toml_is_written_as_it_is_read(tables: dict[str, dict[str, int | str]]) -> None:
    """Whatever the values are: they are read back, beside what was there."""
    values = {f"{table}.{key}": value for table, keys in tables.items() for key, value in keys.items()}
    if any("\x7f" in value for value in values.values() if isinstance(value, str)):
        return
    found = toml_text.read_values(toml_text.write_values(TOML, dict(values)))
    assert {name: found[name] for name in values} == values
    assert found["object_storage.retries"] == 3


def test_the_csv_file_is_the_console_s() -> None:
    """Two headings and one key; a table of something else is neither read nor overwritten."""
    text = csv_text.write_values("", {"Access key ID": "AKIA1", "Secret access key": "s"})
    assert text == "Access key ID,Secret access key\r\nAKIA1,s\r\n"
    assert csv_text.read_values("\ufeff" + text) == {"Access key ID": "AKIA1", "Secret access key": "s"}
    assert csv_text.remove_values(text, set()) == ""
    for other in ("name,mail\nann,a@b\n", text + "AKIA2,t\r\n"):
        with pytest.raises(KeyholeError, match="not one of a single access key"):
            csv_text.write_values(other, {})


def test_a_secret_is_a_json_object() -> None:
    """Members are set and taken out; what is no object is refused."""
    text = json_text.write_values('{"theirs": [1]}', {"KEY": "x", "NO": None})
    assert json_text.read_values(text) == {"KEY": "x"}
    assert json_text.remove_values(text, {"KEY"}) == '{"theirs": [1]}'
    with pytest.raises(KeyholeError, match="no JSON object"):
        json_text.read_values("[1]")
