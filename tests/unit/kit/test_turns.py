"""Nobody's thousand wishes come before another's first."""

from __future__ import annotations

import asyncio

from passerelle.kit.turns import Turns


async def test_turns_go_round_by_round() -> None:
    turns, order = Turns(1), []

    async def work(share: str) -> None:
        async with turns.turn(share):
            order.append(share)
            await asyncio.sleep(0)

    tasks = [asyncio.create_task(work(share)) for share in ("a", "a", "a", "a", "b", "c", "b")]
    await asyncio.gather(*tasks)
    assert order == ["a", "a", "b", "c", "a", "b", "a"]


async def test_a_turn_that_is_given_up_goes_to_the_next() -> None:
    turns, held, done = Turns(1), asyncio.Event(), []

    async def hold() -> None:
        async with turns.turn("a"):
            await held.wait()

    async def work(share: str) -> None:
        async with turns.turn(share):
            done.append(share)

    holding = asyncio.create_task(hold())
    await asyncio.sleep(0)
    leaving, staying = asyncio.create_task(work("b")), asyncio.create_task(work("c"))
    await asyncio.sleep(0)
    leaving.cancel()
    held.set()
    await asyncio.gather(holding, leaving, staying, return_exceptions=True)
    assert done == ["c"]


async def test_one_share_leaves_places_to_others_even_while_nobody_wants_them() -> None:
    turns, held = Turns(3, each=2), asyncio.Event()
    got: list[str] = []

    async def hold(share: str) -> None:
        async with turns.turn(share):
            got.append(share)
            await held.wait()

    tasks = [asyncio.create_task(hold(share)) for share in ("a", "a", "a", "b")]
    await asyncio.sleep(0)
    assert got == ["a", "a", "b"]
    held.set()
    await asyncio.gather(*tasks)
    assert got == ["a", "a", "b", "a"]
