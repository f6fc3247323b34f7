"""What trackers were told of withdrawals outlives them, whole pages of it."""

import asyncio
from pathlib import Path

from services.contract.withdrawal import Page, Withdrawal
from services.tracker.withdrawal_keeper import WithdrawalKeeper

MARKS = [bytes(7) + bytes([number]) for number in range(5)]
TOLD = [Withdrawal(1, mark, 5, None) for mark in MARKS]


def after(number: int, told: list[Withdrawal]) -> Page:
    """At most two on a page; the number of each is its place."""
    found = told[number : number + 2]
    return Page(number + len(found), len(told), tuple(found))


def run(folder: Path, source) -> WithdrawalKeeper:
    async def once() -> WithdrawalKeeper:
        keeper = WithdrawalKeeper(source, folder)
        await keeper.start()
        await keeper.stop()
        return keeper

    return asyncio.run(once())


def away(_number: int) -> Page:
    raise OSError("the API is away")


def known(keeper: WithdrawalKeeper) -> set[bytes]:
    return {one.mark for one in keeper.withdrawals}


def test_all_pages_are_read_and_kept(tmp_path: Path) -> None:
    assert known(run(tmp_path, lambda number: after(number, TOLD))) == set(MARKS)
    kept = run(tmp_path, away)
    assert (known(kept), kept.withdrawals.reached) == (set(MARKS), 5)
    lifted = [*TOLD, Withdrawal(1, MARKS[0], None, None)]
    assert known(run(tmp_path, lambda number: after(number, lifted))) == set(MARKS[1:])
    assert known(run(tmp_path, away)) == set(MARKS[1:])


def test_a_torn_end_costs_one_page_which_is_asked_for_again(tmp_path: Path) -> None:
    run(tmp_path, lambda number: after(number, TOLD))
    file = tmp_path / "withdrawals.bin"
    file.write_bytes(file.read_bytes()[:-3])
    assert run(tmp_path, away).withdrawals.reached == 4
    assert known(run(tmp_path, lambda number: after(number, TOLD))) == set(MARKS)


def test_of_another_database_everything_is_read_anew(tmp_path: Path) -> None:
    run(tmp_path, lambda number: after(number, TOLD))
    assert known(run(tmp_path, lambda number: after(number, TOLD[:2]))) == set(MARKS[:2])
    assert known(run(tmp_path, away)) == set(MARKS[:2])
