"""How input is refused."""


class BadInput(ValueError):
    """Input that is refused.

    Args:
        problem: what is wrong, in a few words that follow the field's name.
        remedy: what to send instead.
        field: the column, where it is one column's fault.
        row: the row, counted from 0, where it is one row's fault.
        code: the kind of mistake, for programs.
    """

    def __init__(
        self, problem: str, remedy: str, field: str | None = None, row: int | None = None, code: str = "invalid_value"
    ) -> None:
        super().__init__(problem)
        self.problem, self.remedy, self.field, self.row, self.code = problem, remedy, field, row, code
