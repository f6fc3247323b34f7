"""Who took consent back, as far as trackers were told: marks, never names."""

from collections.abc import Iterable, Iterator

from services.contract.withdrawal import Withdrawal

_Moments = dict[int, int]
"""Mark as a number → when it was taken back."""


class Withdrawals:
    """All of them in memory: about 16 MB for 100,000."""

    def __init__(self) -> None:
        self._measure: dict[int, _Moments] = {}
        self._profile: dict[int, _Moments] = {}
        self.reached = 0
        """The number of the last one taken in."""

    def clear(self) -> None:
        """Know of nobody again."""
        self._measure.clear()
        self._profile.clear()
        self.reached = 0

    def take(self, withdrawals: Iterable[Withdrawal], reached: int) -> None:
        """Take in further ones, in their order; what was given again is forgotten."""
        for one in withdrawals:
            mark = int.from_bytes(one.mark)
            # Nobody who may not be measured is profiled: that is said once.
            profile_ms = one.profile_ms if one.measure_ms is None else None
            for book, at_ms in ((self._measure, one.measure_ms), (self._profile, profile_ms)):
                _note(book, one.workspace_id, mark, at_ms)
        self.reached = reached

    def concern(self, workspace_id: int) -> bool:
        """Whether anybody in the workspace took anything back."""
        return workspace_id in self._measure or workspace_id in self._profile

    def of(self, workspace_id: int, marks: Iterable[bytes]) -> tuple[int | None, int | None]:
        """When ``measure`` and when ``profile`` were last taken back by who bears these marks."""
        measure = self._measure.get(workspace_id, {})
        profile = self._profile.get(workspace_id, {})
        measured: int | None = None
        profiled: int | None = None
        for mark in marks:
            number = int.from_bytes(mark)
            if (at_ms := measure.get(number)) is not None:
                measured = max(at_ms, measured or 0)
            if (at_ms := profile.get(number)) is not None:
                profiled = max(at_ms, profiled or 0)
        return measured, profiled

    def __iter__(self) -> Iterator[Withdrawal]:
        """Each once, to be kept on disk."""
        for book, is_measure in ((self._measure, True), (self._profile, False)):
            for workspace_id, moments in book.items():
                for number, at_ms in moments.items():
                    yield Withdrawal(
                        workspace_id,
                        number.to_bytes(8),
                        at_ms if is_measure else None,
                        None if is_measure else at_ms,
                    )


def _note(book: dict[int, _Moments], workspace_id: int, mark: int, at_ms: int | None) -> None:
    moments = book.get(workspace_id)
    if at_ms is not None:
        book.setdefault(workspace_id, {})[mark] = at_ms
    elif moments is not None:
        moments.pop(mark, None)
        if not moments:
            del book[workspace_id]
