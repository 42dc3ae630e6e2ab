"""`python -m payops.lab.merchant --config FILE.json`: open the shop until SIGTERM."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from payops.errors import LabError
from payops.lab.merchant.config import MerchantConfig
from payops.lab.merchant.door import Door
from payops.lab.merchant.shop import Application, Control, Shop


def main() -> int:
    """Run until SIGTERM or SIGINT; 0 then, 1 when the shop could not be opened."""
    parser = argparse.ArgumentParser(prog="payops.lab.merchant", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON file")
    path: Path = parser.parse_args().config
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        config = MerchantConfig.read(path)
        shop = Shop(config) if config.system == "reference" else _front(config)
        public = Door(shop.handle, config.port, shop.faults.now)
        deliveries = None
        if config.webhook_port is not None:
            deliveries = Door(shop.handle, config.webhook_port, shop.faults.now)
        side = Control(shop, public, deliveries)
        control = Door(side.handle, config.control_port)
        doors = [door for door in (public, deliveries, control) if door is not None]
        for door in doors:
            door.open()
        _announce(Path(config.dir), public.url, control.url)
    except (LabError, OSError, ValueError) as error:
        logging.error("the shop cannot open: %s", error)
        return 1
    logging.info("open at %s, control at %s", public.url, control.url)
    stop.wait()
    for door in doors:
        door.close()
    return 0


def _front(config: MerchantConfig) -> Application:
    """Another system's application, of which there is only the outside."""
    from payops.lab.systems.front import FrontOfShop

    return FrontOfShop(config)


def _announce(directory: Path, url: str, control_url: str) -> None:
    """Say in `merchant.json` that the shop is open, and where; whole or not at all."""
    told = {"pid": os.getpid(), "url": url, "control_url": control_url}
    draft = directory / f".merchant.json.{os.getpid()}"
    draft.write_text(json.dumps(told) + "\n", encoding="utf-8")
    draft.replace(directory / "merchant.json")


if __name__ == "__main__":
    sys.exit(main())
