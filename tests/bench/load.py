"""Knocks at a webhook's door as fast as it answers: ``python -m tests.bench.load PORT CONNECTIONS SECONDS``.

Plain sockets and epoll, one request under way per connection, everything signed before it begins. Waits for a line on
stdin, then prints how many were acknowledged, how many refused, and the seconds it took.
"""

import base64
import hmac
import os
import select
import socket
import sys
import time
from datetime import UTC, datetime

import orjson

from tests.bench.hooks import PATH, SECRET

RATE = 25_000  # requests made ready for each second


def request(number: int, run: str) -> bytes:
    """Return one signed request, about 1 KB."""
    moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    item = {"id": f"{run}-{number}", "sku": f"SKU-{number}", "name": "A mug", "price": "12.50", "note": "A longer text. " * 50}
    body = orjson.dumps({"type": "product.updated", "timestamp": moment, "data": item})
    name, stamp = f"{run}-{number}", str(int(time.time()))
    sign = base64.b64encode(hmac.digest(SECRET, f"{name}.{stamp}.".encode() + body, "sha256")).decode()
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"webhook-id: {name}\r\nwebhook-timestamp: {stamp}\r\nwebhook-signature: v1,{sign}\r\n\r\n"
    )
    return head.encode() + body


def knock(port: int, connections: int, seconds: float, ready: list[bytes]) -> tuple[int, int, float]:
    """Return how many were acknowledged and refused, and the seconds."""
    poll, sockets = select.epoll(), {}
    start = time.perf_counter()
    for _ in range(connections):
        one = socket.create_connection(("127.0.0.1", port))
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sockets[one.fileno()] = one
        poll.register(one, select.EPOLLIN)
        one.sendall(ready.pop())
    good = bad = 0
    while time.perf_counter() - start < seconds and ready:
        for number, _ in poll.poll():
            answer = sockets[number].recv(4096)
            good, bad = (good + 1, bad) if answer[9:12] == b"202" else (good, bad + 1)
            if ready:
                sockets[number].sendall(ready.pop())
    took = time.perf_counter() - start
    for one in sockets.values():
        one.close()
    return good, bad, took


if __name__ == "__main__":
    port, connections, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    run = f"{os.getpid()}-{time.time_ns()}"
    ready = [request(number, run) for number in range(int(RATE * seconds))]
    print("ready", flush=True)
    sys.stdin.readline()
    print(*knock(port, connections, seconds, ready), flush=True)
