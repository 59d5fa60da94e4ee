"""The HTTP service and the page (extra ``web``)."""
