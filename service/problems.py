"""Refusals and failures as the client sees them."""

from typing import Any, Final

LONGEST: Final = 80
"""Largest number of characters of a field's name in an answer."""


class Problem(Exception):
    """An answer that is not a success.

    Args:
        code: kind of the mistake, for programs.
        message: what is wrong; it follows the name of the field if there is one.
        field: name of the input field or of the header.
        row: row of a batch, counted from 0.
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
        """The JSON body of the answer."""
        field = self.field if self.field is None or len(self.field) <= LONGEST else self.field[:LONGEST] + "..."
        message = self.message if field is None else f"'{field}' {self.message}"
        error = {"code": self.code, "field": field, "message": message, "remedy": self.remedy, "row": self.row}
        return {"error": error, "request_id": request_id}
