"""MQTT keeps the contract, on Mosquitto in both versions and on a Python broker."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.connectors.contract import Contract, World
from tests.connectors.mqtt_world import MqttWorld
from tests.connectors.servers import Mosquitto, Relay, at, python_broker


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
class TestMosquitto(Contract):
    @pytest.fixture
    async def world(self, mosquitto: Mosquitto, tmp_path: Path, protocol: str) -> AsyncIterator[World]:
        async with Relay(at(mosquitto.port)) as relay:
            made = MqttWorld(mosquitto.port, tmp_path, relay=relay, protocol=protocol)
            async with made.connector:
                yield made


class TestPythonBroker(Contract):
    @pytest.fixture
    async def world(self, tmp_path: Path) -> AsyncIterator[World]:
        async with python_broker() as port, Relay(at(port)) as relay:
            made = MqttWorld(port, tmp_path, relay=relay, protocol="3.1.1")
            async with made.connector:
                yield made
