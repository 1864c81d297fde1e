"""Places food-delivery orders and drives them, by publishing JSON to a topic. It knows Kafka, and nothing of streamflow.

    python examples/inbox_producer/place_orders.py localhost:9092 --orders 3

A record's key is the workflow ID; its value says what to do. Any language with a Kafka client can do the same.
"""

from __future__ import annotations

import argparse
import json
import time
import uuid

from confluent_kafka import KafkaError, Message, Producer

QUEUE = "food-delivery"


def producer(bootstrap: str) -> Producer:
    return Producer(
        {
            "bootstrap.servers": bootstrap,
            # Records of one workflow belong on one partition, the one that Java's clients pick too.
            "partitioner": "murmur2",
            # A retry after a lost acknowledgement neither doubles a record nor changes the order.
            "enable.idempotence": True,
        }
    )


def start(order_id: str, dish: str, price_cents: int) -> dict[str, object]:
    order = {"dish": dish, "price_cents": price_cents, "card": "4242"}
    return {"type": "start", "workflow": "Order", "args": [order], "id": order_id}


def signal(name: str) -> dict[str, object]:
    return {"type": "signal", "signal": name}


def publish(to: Producer, inbox: str, order_id: str, message: dict[str, object]) -> None:
    what = message.get("signal", message["type"])
    headers: list[tuple[str, str | bytes | None]] = [
        ("content-type", "application/json"),
        # The same ID twice is the same message: whoever is unsure may simply send again.
        ("sf-message-id", f"{order_id}/{what}"),
    ]
    to.produce(
        inbox, key=order_id, value=json.dumps(message), headers=headers, on_delivery=complain
    )
    to.poll(0)


def complain(error: KafkaError | None, record: Message) -> None:
    if error is not None:
        raise SystemExit(f"Expected the record to be acknowledged, found {error}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Publish orders to the food-delivery inbox.")
    parser.add_argument("bootstrap", help="HOST:PORT of Kafka")
    parser.add_argument("--namespace", default="default")
    parser.add_argument("--orders", type=int, default=3)
    parser.add_argument("--pause", type=float, default=1.0, help="seconds between two signals")
    options = parser.parse_args()

    kafka = producer(options.bootstrap)
    inbox = f"{options.namespace}.{QUEUE}.inbox"
    order_ids = [f"outside-{uuid.uuid4().hex[:8]}" for _ in range(options.orders)]
    for order_id in order_ids:
        publish(kafka, inbox, order_id, start(order_id, "Margherita", 990))
    for name in ("picked_up", "delivered"):
        time.sleep(options.pause)
        for order_id in order_ids:
            publish(kafka, inbox, order_id, signal(name))
    kafka.flush()
    print("\n".join(order_ids))


if __name__ == "__main__":
    main()
