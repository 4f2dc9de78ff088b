"""Refusals, as the client sees them."""

from typing import Any, Final

LONGEST: Final = 80
"""Characters of a field's name in an answer."""


class Problem(Exception):
    """An answer other than success.

    Args:
        status: of HTTP.
        code: the kind of mistake, for programs.
        message: what is wrong; behind the field's name where there is one.
        remedy: what to do about it.
        field: of the input, or a header.
        row: of a batch, counted from 0.
        headers: of the answer.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        remedy: str,
        field: str | None = None,
        row: int | None = None,
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.remedy = status, code, message, remedy
        self.field, self.row, self.headers = field, row, headers

    def body(self, request_id: str) -> dict[str, Any]:
        """What is sent."""
        field = self.field if self.field is None or len(self.field) <= LONGEST else self.field[:LONGEST] + "..."
        message = self.message if field is None else f"'{field}' {self.message}"
        return {
            "error": {
                "code": self.code,
                "field": field,
                "message": message,
                "remedy": self.remedy,
                "row": self.row,
            },
            "request_id": request_id,
        }
