"""The traffic state handed to routers keeps its own promises about weights and Services."""

import pytest

from sluicegate.plugins import Destination, PingPong, Routes


def routes(stable: int, canary: int, *experiments: int, max_weight: int = 100) -> Routes:
    return Routes(
        stable=Destination("s", "h1", stable),
        canary=Destination("c", "h2", canary),
        experiments=tuple(Destination(f"e{weight}", "h3", weight) for weight in experiments),
        max_weight=max_weight,
    )


def test_stable_has_what_the_others_leave() -> None:
    assert routes(70, 20, 10).stable.weight == 70
    with pytest.raises(ValueError, match="stable service is 80, the others leave 70"):
        routes(80, 20, 10)


def test_stable_is_not_negative_when_experiments_take_too_much() -> None:
    assert routes(0, 90, 20).stable.weight == 0


@pytest.mark.parametrize("weight", [-1, 101])
def test_a_weight_beyond_the_total_is_refused_with_its_service(weight: int) -> None:
    with pytest.raises(ValueError, match=f"service 'c' is {weight}, must be 0 to 100"):
        routes(0, weight)
    with pytest.raises(ValueError, match=f"service 'e{weight}'"):
        routes(0, 0, weight)


def test_the_total_may_be_other_than_100() -> None:
    assert routes(999, 1, max_weight=1000).canary.weight == 1


@pytest.mark.parametrize(
    ("named", "prefer", "expected"),
    [
        pytest.param(("s", "c"), True, ("ping", "pong"), id="preferred"),
        pytest.param(("s", "c"), False, ("s", "c"), id="named Services first"),
        pytest.param(("", ""), False, ("ping", "pong"), id="no other Services"),
    ],
)
def test_ping_pong_services_follow_the_routers_preference(
    named: tuple[str, str], prefer: bool, expected: tuple[str, str]
) -> None:
    wanted = Routes(
        stable=Destination(named[0], "h1", 100),
        canary=Destination(named[1], "h2", 0),
        ping_pong=PingPong(stable_service="ping", canary_service="pong"),
    )
    assert wanted.services(prefer_ping_pong=prefer) == expected


def test_without_ping_pong_the_named_services_are_used() -> None:
    assert routes(80, 20).services(prefer_ping_pong=True) == ("s", "c")
