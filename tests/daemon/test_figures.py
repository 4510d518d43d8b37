"""What /metrics shows: every name that is offered has a figure once there is something to count."""

import re

from syncd.core.model import SECOND
from syncd.daemon import actions
from syncd.daemon.figures import figures
from syncd.daemon.meter import Counting
from syncd.daemon.once import run_once
from syncd.web.metrics import Metrics
from tests.daemon.world import World

HELD = {  # only counted by what this pass does not do: webhooks, systemd, dead letters, breakers, conflicts
    "hook_rejected",
    "watchdog_pings",
    "dead_letters",
    "breaker_open",
    "breaker_trips",
    "conflict_oldest_seconds",
    "write_queue_oldest_seconds",
    "drift_records",
}


def samples(text: str) -> dict[str, float]:
    found = re.findall(r"^(syncd_[a-z_]+(?:\{[^}]*\})?) ([0-9.e+-]+)$", text, re.MULTILINE)
    return {name: float(figure) for name, figure in found}


async def test_every_metric_has_a_figure(world: World) -> None:
    world.shop_and_erp()
    world.put("erp", "1", sku="MUG-1", name="Mug", price="12.00", stock=3)
    metrics = Metrics()
    async with world.runtime() as runtime:
        runtime.meter = Counting(metrics)
        await run_once(runtime, patience=SECOND)
        report = await actions.asked(runtime, {"do": "reconcile"})
        assert report["ok"], report
        text = (await figures(runtime, metrics)).decode()
    found = samples(text)
    assert found['syncd_records{entity="product"}'] == 1
    assert found['syncd_conflicts_open{entity="product"}'] == 0
    assert found['syncd_changes_pending_approval{platform="shop"}'] == 0
    assert found['syncd_platform_up{platform="erp"}'] == 1
    assert found["syncd_config_last_reload_successful"] == 1
    assert found['syncd_drift_report_complete{entity="product"}'] == 1
    offered = {name.removesuffix("_total") for name in re.findall(r"^# TYPE syncd_([a-z_]+) ", text, re.MULTILINE)}
    shown = {re.sub(r"\{.*", "", name).removeprefix("syncd_") for name in found}
    missing = {name for name in offered if not any(one.startswith(name) for one in shown)}
    assert missing <= HELD
