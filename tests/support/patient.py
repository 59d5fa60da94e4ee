"""HTTP as `httpx` has it, for whoever may wait: on a loaded machine five seconds are soon over."""

from __future__ import annotations

from functools import partial

import httpx

SECONDS = 60

Client = partial(httpx.Client, timeout=SECONDS)
get = partial(httpx.get, timeout=SECONDS)
post = partial(httpx.post, timeout=SECONDS)
request = partial(httpx.request, timeout=SECONDS)
