"""Listings, page by page."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest
from gate_errors import refusal
from gate_wire import ask
from hypothesis import given
from hypothesis import strategies as st

from gate_clients import Aws
from keyhole.local.listing import Entry, list_page, read_token, write_token

KEYS = ("a", "b/1", "b/2", "b/c/3", "d", "é/x", "z z+%")


def _fill(aws: Aws, *keys: str) -> tuple[Any, str]:
    s3, bucket = aws.client("s3"), aws.bucket()
    for key in keys or KEYS:
        s3.put_object(Bucket=bucket, Key=key, Body=b"1")
    return s3, bucket


def _names(answer: dict[str, Any]) -> tuple[list[str], list[str]]:
    prefixes = [item["Prefix"] for item in answer.get("CommonPrefixes", ())]
    return [item["Key"] for item in answer.get("Contents", ())], prefixes


def test_prefix_and_delimiter(aws: Aws) -> None:
    """Keys under a common prefix are one entry; a prefix narrows what is listed."""
    s3, bucket = _fill(aws)
    assert _names(s3.list_objects_v2(Bucket=bucket, Delimiter="/")) == (["a", "d", "z z+%"], ["b/", "é/"])
    assert _names(s3.list_objects_v2(Bucket=bucket, Delimiter="/", Prefix="b/")) == (["b/1", "b/2"], ["b/c/"])
    assert _names(s3.list_objects(Bucket=bucket, Delimiter="/", Prefix="b/")) == (["b/1", "b/2"], ["b/c/"])
    assert _names(s3.list_objects_v2(Bucket=bucket, Prefix="nothing")) == ([], [])
    assert _names(s3.list_objects_v2(Bucket=bucket, Delimiter="c/")) == (["a", "b/1", "b/2", "d", "z z+%", "é/x"], [
        "b/c/"
    ])  # fmt: skip


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize("delimiter", ["", "/"])
@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2", "list_object_versions"])
def test_pages_together_are_the_whole(aws: Aws, operation: str, delimiter: str, size: int) -> None:
    """Whatever the size of a page, a paginator sees each key and each common prefix once."""
    s3, bucket = _fill(aws)
    pages = s3.get_paginator(operation).paginate(
        Bucket=bucket, Delimiter=delimiter, PaginationConfig={"PageSize": size}
    )
    keys: list[str] = []
    prefixes: list[str] = []
    for page in islice(pages, 20):
        found = page.get("Versions" if operation == "list_object_versions" else "Contents", ())
        keys += [item["Key"] for item in found]
        prefixes += [item["Prefix"] for item in page.get("CommonPrefixes", ())]
    whole = ["a", "d", "z z+%"] if delimiter else sorted(KEYS, key=str.encode)
    assert (keys, prefixes) == (whole, ["b/", "é/"] if delimiter else [])


def test_the_second_version_says_how_far_it_is(aws: Aws) -> None:
    """KeyCount counts keys and prefixes; StartAfter is where it begins; the owner comes if it is asked for."""
    s3, bucket = _fill(aws)
    first = s3.list_objects_v2(Bucket=bucket, Delimiter="/", MaxKeys=2)
    assert (first["KeyCount"], first["IsTruncated"], first["MaxKeys"]) == (2, True, 2)
    rest = s3.list_objects_v2(Bucket=bucket, Delimiter="/", ContinuationToken=first["NextContinuationToken"])
    assert (_names(rest), rest["IsTruncated"]) == ((["d", "z z+%"], ["é/"]), False)
    assert "Owner" not in first["Contents"][0]
    after = s3.list_objects_v2(Bucket=bucket, StartAfter="b/2", FetchOwner=True)
    assert (_names(after)[0][0], after["StartAfter"]) == ("b/c/3", "b/2")
    assert len(after["Contents"][0]["Owner"]["ID"]) == 64


def test_nothing_is_a_page_too(aws: Aws) -> None:
    """max-keys 0 lists nothing and is not truncated; more than 1,000 are not given."""
    s3, bucket = _fill(aws)
    none = s3.list_objects_v2(Bucket=bucket, MaxKeys=0)
    assert (none["KeyCount"], none["IsTruncated"]) == (0, False)
    assert s3.list_objects_v2(Bucket=bucket, MaxKeys=5000)["MaxKeys"] == 1000


@pytest.mark.parametrize(
    "query",
    [
        "list-type=2&max-keys=-1",
        "list-type=2&max-keys=many",
        "max-keys=99999999999",
        "list-type=2&encoding-type=base64",
        "list-type=2&continuation-token=nonsense",
        "list-type=2&continuation-token=",
        "versions&max-keys=-1",
        "uploads&max-uploads=x",
    ],
)
def test_arguments_that_are_none(aws: Aws, query: str) -> None:
    """A number out of range, another encoding and a token of nobody's are InvalidArgument."""
    status, body = ask(aws, "GET", f"/{aws.bucket()}?{query}")
    assert (status, b"<Code>InvalidArgument</Code>" in body) == (400, True)


def test_keys_are_encoded_where_it_is_asked_for(aws: Aws) -> None:
    """encoding-type=url encodes keys and prefixes, so that what XML cannot hold arrives."""
    s3, bucket = _fill(aws, "a b&<", "dir/\x01", "plain")
    _, raw = ask(aws, "GET", f"/{bucket}?list-type=2&encoding-type=url")
    for part in (b"<Key>a%20b%26%3C</Key>", b"<Key>dir/%01</Key>", b"<EncodingType>url</EncodingType>"):
        assert part in raw
    assert _names(s3.list_objects_v2(Bucket=bucket))[0] == ["a b&<", "dir/\x01", "plain"]


def test_versions_go_over_pages(aws: Aws) -> None:
    """The versions of one key and its delete marker come newest first, also when the page ends between them."""
    s3, bucket = aws.client("s3"), aws.bucket()
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    ids = [s3.put_object(Bucket=bucket, Key="a", Body=b"1")["VersionId"] for _ in range(3)]
    ids.append(s3.delete_object(Bucket=bucket, Key="a")["VersionId"])
    s3.put_object(Bucket=bucket, Key="b", Body=b"1")
    found: list[tuple[str, str, bool]] = []
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, PaginationConfig={"PageSize": 2}):
        items = (*page.get("DeleteMarkers", ()), *page.get("Versions", ()))
        found += [(item["Key"], item["VersionId"], item["IsLatest"]) for item in items]
    assert [version for key, version, _ in found if key == "a"] == list(reversed(ids))
    assert [latest for _, _, latest in found] == [True, False, False, False, True]
    assert _names(s3.list_objects_v2(Bucket=bucket))[0] == ["b"]
    assert [item["Key"] for item in s3.list_object_versions(Bucket=bucket, KeyMarker="a")["Versions"]] == ["b"]


def test_uploads_are_listed_by_key(aws: Aws) -> None:
    """Those under way come by key, with prefix, delimiter and pages."""
    s3, bucket = aws.client("s3"), aws.bucket()
    ids = {key: s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"] for key in ("b", "a", "c/1", "c/2")}
    whole = s3.list_multipart_uploads(Bucket=bucket)
    assert [item["Key"] for item in whole["Uploads"]] == ["a", "b", "c/1", "c/2"]
    under = s3.list_multipart_uploads(Bucket=bucket, Delimiter="/")
    assert [item["Prefix"] for item in under["CommonPrefixes"]] == ["c/"]
    first = s3.list_multipart_uploads(Bucket=bucket, MaxUploads=2)
    assert (first["IsTruncated"], first["NextUploadIdMarker"]) == (True, ids["b"])
    rest = s3.list_multipart_uploads(Bucket=bucket, KeyMarker="b", UploadIdMarker=ids["b"])
    assert [item["Key"] for item in rest["Uploads"]] == ["c/1", "c/2"]
    s3.abort_multipart_upload(Bucket=bucket, Key="a", UploadId=ids["a"])
    assert [item["Key"] for item in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == ["b", "c/1", "c/2"]


def test_tokens_of_others(aws: Aws) -> None:
    """A token says where to go on, in any letters; one of another form is refused."""
    assert read_token(write_token("a/é\n")) == "a/é\n"
    s3, bucket = _fill(aws, "a")
    assert refusal(s3.list_objects_v2, Bucket=bucket, ContinuationToken="YWJj")[0] == "InvalidArgument"


@given(
    keys=st.sets(st.text("ab/", min_size=1, max_size=5), max_size=12),
    prefix=st.text("ab/", max_size=2),
    delimiter=st.sampled_from(["", "/", "b/"]),
    most=st.integers(1, 4),
)
def test_paging_loses_and_repeats_nothing(keys: set[str], prefix: str, delimiter: str, most: int) -> None:
    """Pages of any size, one after the other, are the one page that has everything."""
    ordered = sorted(keys, key=str.encode)
    whole = list_page(ordered, prefix=prefix, delimiter=delimiter, after="", most=1000)
    found: list[Entry] = []
    after = ""
    for _ in range(len(ordered) + 1):
        page = list_page(ordered, prefix=prefix, delimiter=delimiter, after=after, most=most)
        found += page.entries
        after = page.last
        if not page.is_truncated:
            break
    assert tuple(found) == whole.entries
