"""The work queue: each key once in line and once in hand, delays by the earliest, backoff only after errors."""

from __future__ import annotations

import asyncio

import pytest

from sluicegate.kube.workqueue import QueueShutDown, WorkQueue

pytestmark = pytest.mark.asyncio(loop_factories=["virtual"])


def now() -> float:
    return asyncio.get_running_loop().time()


async def take(queue: WorkQueue[str]) -> str:
    key = await queue.get()
    queue.done(key)
    return key


async def test_a_key_added_many_times_is_handled_once() -> None:
    queue = WorkQueue[str]()
    for key in ("a", "b", "a", "a", "b"):
        queue.add(key)
    assert [await take(queue), await take(queue)] == ["a", "b"]
    assert len(queue) == 0


async def test_a_key_in_hand_is_not_given_to_a_second_worker_but_again_after_done() -> None:
    queue = WorkQueue[str]()
    queue.add("a")
    first = await queue.get()
    queue.add("a")
    queue.add("b")
    assert await queue.get() == "b"
    assert len(queue) == 0
    queue.done(first)
    assert await queue.get() == "a"


async def test_done_without_a_new_add_hands_nothing_out() -> None:
    queue = WorkQueue[str]()
    queue.add("a")
    await take(queue)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(queue.get(), 3600)


async def test_of_several_delays_the_earliest_counts_and_the_key_comes_once() -> None:
    queue = WorkQueue[str]()
    queue.add_after("a", 10)
    queue.add_after("a", 3)
    queue.add_after("a", 30)
    assert await take(queue) == "a"
    assert now() == pytest.approx(3)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(queue.get(), 3600)


async def test_delayed_keys_come_in_the_order_of_their_times() -> None:
    queue = WorkQueue[str]()
    for key, seconds in (("late", 9.0), ("early", 1.0), ("middle", 5.0)):
        queue.add_after(key, seconds)
    assert [(await take(queue), now()) for _ in range(3)] == [("early", 1.0), ("middle", 5.0), ("late", 9.0)]


async def test_a_delay_of_nothing_is_an_add() -> None:
    queue = WorkQueue[str]()
    queue.add_after("a", 0)
    queue.add_after("b", -1)
    assert len(queue) == 2


async def test_errors_back_off_from_5_ms_doubling_up_to_1000_s_and_forget_starts_anew() -> None:
    queue = WorkQueue[str]()
    delays = []
    for _ in range(20):
        started = now()
        queue.add_rate_limited("a")
        await take(queue)
        delays.append(now() - started)
    assert delays[:4] == pytest.approx([0.005, 0.01, 0.02, 0.04])
    assert delays[17:] == pytest.approx([655.36, 1000, 1000])
    queue.forget("a")
    started = now()
    queue.add_rate_limited("a")
    await take(queue)
    assert now() - started == pytest.approx(0.005)


async def test_a_key_that_fails_for_ever_never_breaks_the_arithmetic() -> None:
    queue = WorkQueue[str]()
    for _ in range(3000):
        queue.add_rate_limited("a")
    assert await take(queue) == "a"


async def test_a_change_is_let_through_at_once_while_an_error_backs_off() -> None:
    queue = WorkQueue[str]()
    for _ in range(15):
        queue.add_rate_limited("a")
        await take(queue)
    queue.add_rate_limited("a")
    before = now()
    queue.add("a")
    await take(queue)
    assert now() == before


async def test_backoff_is_kept_per_key() -> None:
    queue = WorkQueue[str]()
    for _ in range(10):
        queue.add_rate_limited("a")
        await take(queue)
    started = now()
    queue.add_rate_limited("b")
    assert await take(queue) == "b"
    assert now() - started == pytest.approx(0.005)


async def test_waiting_workers_are_served_in_turn() -> None:
    queue = WorkQueue[str]()
    workers = [asyncio.create_task(queue.get()) for _ in range(3)]
    await asyncio.sleep(1)
    for key in ("a", "b", "c"):
        queue.add(key)
    assert await asyncio.gather(*workers) == ["a", "b", "c"]


async def test_a_cancelled_worker_loses_no_key() -> None:
    queue = WorkQueue[str]()
    first = asyncio.create_task(queue.get())
    second = asyncio.create_task(queue.get())
    await asyncio.sleep(1)
    queue.add("a")
    first.cancel()
    assert await asyncio.wait_for(second, 1) == "a"


async def test_after_shutdown_what_is_in_line_is_handed_out_and_nothing_else() -> None:
    queue = WorkQueue[str]()
    queue.add("in line")
    queue.add_after("delayed", 5)
    waiting = asyncio.create_task(WorkQueue.get(queue))
    await asyncio.sleep(0)
    queue.shutdown()
    queue.add("too late")
    assert await waiting == "in line"
    with pytest.raises(QueueShutDown):
        await queue.get()


async def test_shutdown_wakes_idle_workers() -> None:
    queue = WorkQueue[str]()
    workers = [asyncio.create_task(queue.get()) for _ in range(2)]
    await asyncio.sleep(1)
    queue.shutdown()
    results = await asyncio.gather(*workers, return_exceptions=True)
    assert [type(result) for result in results] == [QueueShutDown, QueueShutDown]


async def test_many_adds_of_few_keys_by_many_workers_never_overlap_and_miss_nothing() -> None:
    queue = WorkQueue[int]()
    wanted = dict.fromkeys(range(20), 0)
    seen = dict.fromkeys(range(20), -1)
    in_hand: set[int] = set()

    async def work() -> None:
        while True:
            key = await queue.get()
            assert key not in in_hand
            in_hand.add(key)
            seen[key] = wanted[key]
            await asyncio.sleep(0.01)
            in_hand.discard(key)
            queue.done(key)

    workers = [asyncio.create_task(work()) for _ in range(4)]
    for number in range(500):
        wanted[number % 20] = number
        queue.add(number % 20)
        if number % 7 == 0:
            await asyncio.sleep(0.003)
    await asyncio.sleep(10)
    for worker in workers:
        worker.cancel()
    assert seen == wanted


async def test_a_worker_that_never_waits_leaves_every_other_task_its_turns() -> None:
    queue = WorkQueue[str]()
    turns = 0

    async def work() -> None:
        while True:
            queue.add(await take(queue))

    async def live() -> None:
        nonlocal turns
        while turns < 100:
            turns += 1
            await asyncio.sleep(0)

    queue.add("a")
    worker = asyncio.create_task(work())
    await asyncio.wait_for(live(), 1)
    worker.cancel()
    assert turns == 100
