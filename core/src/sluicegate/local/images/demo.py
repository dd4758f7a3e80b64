"""The demo application: `/color` answers its colour as a JSON string, `/` shows the answers as moving dots.

To a client that only looks it does what the public `argoproj/rollouts-demo` does: same paths, methods and bodies.
"""

from __future__ import annotations

import asyncio
import json
import random
from importlib import resources
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

    from sluicegate.local.images.catalogue import DemoImage


def demo_application(image: DemoImage, draining: asyncio.Event) -> web.Application:
    """The server of one pod; once `draining` is set, every answer asks the client to close its connection."""
    page = resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8")

    async def show_page(request: web.Request) -> web.Response:
        return web.Response(text=page, content_type="text/html")

    async def answer_colour(request: web.Request) -> web.Response:
        await asyncio.sleep(image.latency)
        failed = random.randrange(100) < image.error_percent
        response = web.Response(text=json.dumps(image.colour), status=500 if failed else 200)
        # A Service balances connections: on a kept one a browser would see one pod for ever.
        response.force_close()
        return response

    @web.middleware
    async def close_when_draining(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        response.headers["X-Content-Type-Options"] = "nosniff"
        if draining.is_set():
            response.force_close()
        return response

    application = web.Application(middlewares=[close_when_draining])
    application.router.add_get("/", show_page)
    application.router.add_get("/index.html", show_page)
    application.router.add_route("*", "/color", answer_colour)
    return application
