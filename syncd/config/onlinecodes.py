"""The codes of what platforms answer to ``check --online``: E3xx and W3xx."""

from syncd.config.code import Code

TABLE = [
    Code(
        "E310",
        "login not accepted",
        "The platform answers, but not to this account.",
        "auth: {bearer: secret:old-key}",
        "auth: {bearer: secret:shop-key}",
        "Correct the secret or the account's rights. syncd secrets list shows where each secret comes from.",
    ),
    Code(
        "E311",
        "may not write",
        "The mode lets syncd write, the platform does not: every write would end as a dead letter.",
        "mode: enforce",
        "mode: observe",
        "Give the account the right to write the mapped fields, or only observe.",
    ),
    Code(
        "E312",
        "a clock far off",
        "A platform's clock is more than a minute off, and a rule compares its times with others'.",
        "truth: {newest: [erp, shop]}",
        "truth: {newest: [erp, shop], tie: [erp]}",
        "Have its clock set. Times are corrected by the measured offset, but only as long as it stays.",
    ),
    Code(
        "E313",
        "not as the config says",
        "The platform does not have the table, column or request that the config names.",
        "collections: {items: {table: prodcts, id: id}}",
        "collections: {items: {table: products, id: id}}",
        "Correct the name; the message says what there is.",
    ),
    Code(
        "E314",
        "not reached",
        "The platform did not answer, so the check is incomplete (exit 3).",
        "connection: {base_url: http://127.0.0.1:1}",
        "connection: {base_url: http://127.0.0.1:8000}",
        "Correct the address, or try again when the platform is up.",
    ),
    Code(
        "E315",
        "a scope is missing",
        "The login is good, but it may not read what the config names.",
        "the app has: read_products",
        "the app has: read_products, read_inventory",
        "Give the app the scope that the message names; syncd needs no other.",
    ),
    Code(
        "W313",
        "a mapped path that was not seen",
        "None of the things that were read has this path.",
        "map: {shop: titel}",
        "map: {shop: title}",
        "Correct the path, if it is not simply rare.",
    ),
    Code(
        "W314",
        "more rights than needed",
        "The login may do things that nothing in the config asks for: whoever gets hold of it may do them too.",
        "the app has: read_products, write_products, write_orders",
        "the app has: read_products, write_products",
        "Take the scopes that the message names from the app.",
    ),
    Code(
        "W315",
        "a webhook that nobody sends",
        "The config waits for a webhook, and the platform has no subscription that points here.",
        "topics: [products/create, products/update]",
        "topics: [products/update]",
        "Subscribe to the topics there, or let the poll do it alone.",
    ),
]
