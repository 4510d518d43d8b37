"""What people and commands did is derived again too: rulings, an applied plan, a repair, a backup that came back."""

from syncd.ledger.backup import backup
from tests.cli.test_replay import settled
from tests.cli.test_whole import PRODUCT, Shop, shop

__all__ = ["settled", "shop"]


def is_derived_again(shop: Shop) -> int:
    document = shop.answer("ledger", "replay")
    assert (document["replay"], document["skipped"]) == ([], [])
    return int(document["decisions"])


def jump(shop: Shop, price: int, *words: str) -> None:
    """Have a person settle a jump of the price."""
    shop.sql("erp", f"UPDATE items SET price = {price} WHERE sku = 'MUG-1'")
    assert shop.syncd("run", "--once") == 0
    (conflict,) = shop.answer("conflicts")["conflicts"]
    assert shop.syncd("conflicts", "resolve", conflict["id"], *words) == 0


def test_all_that_was_done_is_derived_again(settled: Shop) -> None:
    before = is_derived_again(settled)
    jump(settled, 99, "--value", "14.50")
    jump(settled, 199, "--keep")
    jump(settled, 299, "--take", "erp")
    assert settled.syncd("run", "--once", "--mode", "observe") == 0
    settled.sql("shop", "UPDATE products SET price = 1 WHERE id = 1")
    assert settled.syncd("reconcile", "--fix", "--yes") == 0
    (settled.home / "config/entities/product.yaml").write_text(
        PRODUCT.replace("name: {type: string, truth: erp", "name: {type: string, truth: shop")
    )
    plan = settled.home / "plan.json"
    assert settled.syncd("plan", "--out", str(plan)) == 0
    assert settled.syncd("apply", str(plan), "--yes") == 0
    assert is_derived_again(settled) >= before + 3
    ledger = settled.home / "config/state/ledger.db"
    backup(ledger, settled.home / "copy.db")
    for path in ledger.parent.glob("ledger.db*"):
        path.unlink()
    (settled.home / "copy.db").rename(ledger)
    settled.sql("erp", "UPDATE items SET name = 'After' WHERE sku = 'LAMP-3'")
    assert settled.syncd("run", "--once") == 0
    assert is_derived_again(settled) >= before + 3
