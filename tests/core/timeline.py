"""Words for timelines: what people, deliveries and syncd do in a world where K is everywhere, with o = p = n = "x", d = 10.

A and B are platforms, A is owner, first choice and authority.
"""

from tests.core.world import KEYS, Setup, Step, World, start
from tests.core.world_platform import Spec

A, B, C = 0, 1, 2
K, L = 0, 1
X, CAPITAL, BLANKED, LONG, LONGER, Y, NULL, INVALID = range(8)  # texts a person sets, as in POOL
STREET, CITY, BOTH = 0, 1, 2  # of a group; 5, 6, 7: emptied


def spec(*traits: str, norm: str = "plain", skew: int = 0) -> Spec:
    return Spec(frozenset(traits), (norm,) * 4, skew)


def good(*more: str, norm: str = "plain") -> Spec:
    return spec("versions", "guard", "answers", "find", "unique", *more, norm=norm)


def world(*specs: Spec, **options: object) -> World:
    return start(Setup(specs, **options))  # type: ignore[arg-type]


def edit(w: World, at: int, name: str, value: int, *, key: int = K, part: bool = False, after: int = 1) -> None:
    w.pass_time(after)
    w.change(w.platform(at), KEYS[key], name, value, part=part)


def tell(w: World, *places: int) -> None:
    """The oldest event of each platform arrives and is decided."""
    for at in places:
        w.deliver(Step("deliver", at))
    w.daemon.decide()


def send(w: World, at: int, key: int = K, how: str = "", name: str = "o", value: int = 0) -> None:
    w.send(Step("send", at, key, name, value, how))


def sweep(w: World, at: int, how: str = "ok") -> None:
    w.sweep(Step("sweep", at, how=how))


def row(w: World, at: int, key: int = K) -> dict:
    return w.platform(at).live(KEYS[key])[0].values


def golden(w: World, name: str) -> object:
    return w.record("K").golden[name].value


def in_conflict(w: World, name: str) -> bool:
    return name in w.record("K").conflicts
