import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
pages = get_asgi_application()

# Models can be imported only now.
from files.uploads import tus  # noqa: E402

PREFIX = "/uploads"
uploads = tus.below(PREFIX)


Message = MutableMapping[str, Any]


async def application(
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """Uploads go past Django, which would read a whole body before a view sees the first byte.

    So does the lifespan, which Django has none of.
    """
    if scope["type"] == "lifespan" or f"{scope['path']}/".startswith(f"{PREFIX}/"):
        await uploads(scope, receive, send)
    else:
        await pages(scope, receive, send)
