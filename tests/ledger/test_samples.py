"""Golden values as samples for proofs."""

from syncd.core.model import GoldenField
from syncd.ledger import samples
from syncd.ledger.documents import golden_text


async def test_values_by_entity_and_field(ledger):
    def write(db):
        for number, (life, value) in enumerate([("alive", "a"), ("gone", "b"), ("alive", None), ("alive", "c")], 1):
            text = golden_text({"name": GoldenField(value, who="erp")})
            db.execute("INSERT INTO record VALUES (?, 'product', ?, ?, 1, 1, ?)", (number, str(number), life, text))

    await ledger.write(write)
    assert await ledger.read(samples.golden) == {("product", "name"): ["c", "a"]}
