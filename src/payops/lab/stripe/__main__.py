"""Runs the simulator until SIGTERM or SIGINT: `python -m payops.lab.stripe --dir D`."""

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from payops.lab.stripe import config
from payops.lab.stripe.loading import MalformedLineError, load_ndjson
from payops.lab.stripe.simulator import Simulator


def main() -> int:
    """The exit status: 0 after a signal, 2 for a configuration or port that cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m payops.lab.stripe", description=__doc__)
    parser.add_argument("--dir", type=Path, required=True, help="where its state is kept")
    parser.add_argument("--port", type=int, default=0, help="the API's; 0 picks a free one")
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--status-port", type=int, default=0)
    parser.add_argument("--config", type=Path, help="JSON: account, keys, webhook_endpoints, ...")
    parser.add_argument(
        "--load", type=Path, action="append", default=[], help="NDJSON of Stripe objects"
    )
    asked = parser.parse_args()
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    try:
        settings = config.read(asked.config) if asked.config else None
        simulator = Simulator(
            asked.dir,
            settings,
            port=asked.port,
            control_port=asked.control_port,
            status_port=asked.status_port,
        )
        for path in asked.load:
            logging.info("%s: %d objects", path, load_ndjson(simulator.store, path))
        asyncio.run(_serve(simulator))
    except (OSError, ValueError, MalformedLineError) as error:
        logging.error("%s", error)
        return 2
    return 0


async def _serve(simulator: Simulator) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await simulator.start()
    logging.info(
        "Stripe simulator: API %s, control %s, status page %s",
        simulator.url,
        simulator.control_url,
        simulator.status_url,
    )
    await stopped.wait()
    await simulator.stop()


if __name__ == "__main__":
    sys.exit(main())
