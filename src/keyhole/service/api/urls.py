"""Signed URLs: one by its key, or many in one request."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field

from keyhole.service.api.answers import KEY, SignedUrl, SignedUrls, describe_problems
from keyhole.service.api.desk import Desk
from keyhole.service.api.gallery import Key
from keyhole.service.api.links import Links, make_disposition, make_links
from keyhole.service.api.uploads import To
from keyhole.service.callers.require import RequiredCaller, require_caller

_MOST_KEYS = 1000
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class SignedUrlsRequest(BaseModel):
    """Which images URLs are wanted for."""

    keys: list[Annotated[str, Field(max_length=1024, examples=[KEY])]] = Field(
        min_length=1, max_length=_MOST_KEYS, description="All of one upload.", examples=[[KEY]]
    )
    ttl: int | None = Field(None, description="For how many seconds they are to work.", examples=[600])


def make_urls_router(desk: Desk) -> APIRouter:
    """Give the routes of signed URLs."""
    router = APIRouter(tags=["urls"], route_class=_make_swift_route(desk))

    @router.get(
        "/v1/uploads/{key:path}/url",
        summary="Sign a URL for one image",
        description="Nobody looks whether the image is there: the URL of one that is not answers 404.",
        responses=describe_problems(404, 502),
    )
    async def sign_url(
        key: Key,
        caller: RequiredCaller,
        *,
        to: To = "",
        ttl: Annotated[int | None, Query(description="For how many seconds it is to work.", examples=[600])] = None,
        download: Annotated[bool, Query(description="Whether browsers save it rather than show it.")] = False,
        name: Annotated[
            str, Query(description="The name to save it under.", max_length=1024, examples=["my cat.png"])
        ] = "",
    ) -> SignedUrl:
        place = desk.find_place_of(caller, key, to)
        links = await make_links(place, ttl, is_signed=download)
        return _describe(links, links.give(key, make_disposition(name) if download else ""))

    batches = APIRouter(tags=["urls"])

    @batches.post("/v1/urls", summary="Sign URLs for many images", responses=describe_problems(404, 502))
    async def sign_urls(wanted: SignedUrlsRequest, caller: RequiredCaller, to: To = "") -> SignedUrls:
        place = desk.find_place_of(caller, wanted.keys[0], to)
        for key in wanted.keys:
            desk.check_key(place, key)
        links = await make_links(place, wanted.ttl)
        return SignedUrls(
            urls={key: links.give(key) for key in wanted.keys},
            expires_at=links.expires_at,
            ttl_s=links.ttl_s if links.signer else None,
            limited_by=links.limited_by,
        )

    router.include_router(batches)
    return router


def _make_swift_route(desk: Desk) -> type[APIRoute]:
    """Give a route that answers requests without a query by itself: it is all that a gallery or a proxy asks.

    What FastAPI does to find that no parameter was given takes five times as long as to sign.
    """

    class SwiftRoute(APIRoute):
        def get_route_handler(self) -> Handler:
            thorough = super().get_route_handler()

            async def handle(request: Request) -> Response:
                if request.scope["query_string"]:
                    return await thorough(request)
                key = request.path_params["key"]
                links = await make_links(desk.find_place_of(await require_caller(request), key, ""))
                return Response(_describe(links, links.give(key)).model_dump_json(), media_type="application/json")

            return handle

    return SwiftRoute


def _describe(links: Links, url: str) -> SignedUrl:
    return SignedUrl.model_construct(
        url=url,
        expires_at=links.expires_at,
        ttl_s=links.ttl_s if links.signer else None,
        limited_by=links.limited_by,
    )
