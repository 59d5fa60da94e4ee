"""Sends spans to a collector, and says once where that does not take them: see `traces`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import SpanExportResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

PATIENCE: Final = 3.0
"""Seconds for which a collector is waited for, for each batch and at the end."""

_log = logging.getLogger(__name__)


class SpanExporter(OTLPSpanExporter):
    """One line for a collector that is away in place of the library's own, several a second."""

    def __init__(self, endpoint: str) -> None:
        """Take the whole address of a collector; nothing is sent yet."""
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        super().__init__(endpoint, timeout=PATIENCE)
        self._took = True

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch, or lose it."""
        result = super().export(spans)
        took = result is SpanExportResult.SUCCESS
        if self._took and not took:
            _log.warning("the collector does not take our traces: see to it, or to the setting")
        self._took = took
        return result
