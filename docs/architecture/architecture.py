"""Prints the drawing of the architecture for Graphviz: what Terraform makes, and what flows where.

Run by hand, as README.md beside it says. Nothing else needs it, or the package with the icons.
Places are in inches, so that the picture reads like the text: a request comes in from the left and
goes down through a function to the tables; its events come up again, and down through consumers.
"""

from __future__ import annotations

from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Final

BLUE, ORANGE, RED, GREY, VIOLET = "#1f5fa8", "#c2410c", "#a01c4b", "#6b7280", "#6d28d9"
REQUEST, EVENTS, COMMANDS, READS, COPIES = BLUE, ORANGE, RED, GREY, VIOLET
GREEN: Final = "#15803d"
TEAL: Final = "#0f766e"

Place = tuple[float, float]


def icons() -> Path:
    """The folder of icons that the package `diagrams` brings."""
    spec = find_spec("diagrams")
    if spec is None or spec.origin is None:
        raise SystemExit("install the package `diagrams`: it has the icons.")
    return Path(spec.origin).parent.parent / "resources"


class Picture:
    """Nodes that stay where they are put, and lines between them, in Graphviz's language."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.statements = [
            'graph [dpi=100, splines=line, outputorder=nodesfirst, pad="0.1"]',
            'node [fontname="Liberation Sans", shape=plain]',
            "edge [penwidth=1.8, arrowsize=0.8]",
        ]
        self._count = 0

    def __str__(self) -> str:
        return "\n".join(["digraph {", *self.statements, "}"])

    def box(
        self, title: str, corners: tuple[float, float, float, float], colour: str, indent: float = 0
    ) -> None:
        """A frame (left, bottom, right, top), behind whatever is put later."""
        left, bottom, right, top = corners
        self._node(
            '""',
            ((left + right) / 2, (bottom + top) / 2),
            f'shape=box, style="filled,rounded", fixedsize=true, color="{colour}", '
            f'fillcolor="{colour}0c", width={right - left:.2f}, height={top - bottom:.2f}',
        )
        middle = left + indent + 0.15 + 0.048 * len(title)
        self.note(f"<b>{title}</b>", (middle, top - 0.18), colour, size=13)

    def icon(self, image: str, label: str, at: Place, size: int = 46) -> str:
        """An icon, its middle at `at`, and its name below it."""
        lines = label.count("\n") + 1
        text = label.replace("\n", "<br/>")
        return self._node(
            '<<table border="0" cellborder="0" cellspacing="0" cellpadding="0"><tr>'
            f'<td fixedsize="true" width="{size}" height="{size}">'
            f'<img src="{self.folder / image}.png" scale="true"/></td></tr>'
            f'<tr><td><font point-size="11">{text}</font></td></tr></table>>',
            (at[0], at[1] - lines * 0.095),
        )

    def note(self, text: str, at: Place, colour: str = GREY, size: int = 10) -> None:
        """Words of their own."""
        lines = text.replace("\n", "<br/>")
        self._node(f'<<font point-size="{size}" color="{colour}">{lines}</font>>', at)

    def line(self, colour: str, *stations: str | Place, style: str = "solid") -> None:
        """A line over all stations, nodes or mere corners, with its arrow at the last."""
        names = [each if isinstance(each, str) else self._corner(each) for each in stations]
        for tail, head in pairwise(names):
            arrow = "forward" if head == names[-1] else "none"
            self.statements.append(
                f'{tail} -> {head} [color="{colour}", style={style}, dir={arrow}]'
            )

    def _corner(self, at: Place) -> str:
        return self._node('""', at, 'shape=point, width=0.01, height=0.01, color="#00000000"')

    def _node(self, label: str, at: Place, attributes: str = "") -> str:
        self._count += 1
        name = f"n{self._count}"
        rest = f", {attributes}" if attributes else ""
        self.statements.append(f'{name} [label={label}, pos="{at[0]:.3f},{at[1]:.3f}!"{rest}]')
        return name


def draw_frames(p: Picture) -> None:
    """What lies within what."""
    p.box("Edge (no Region, us-east-1)", (1.5, 5.35, 4.2, 10.9), VIOLET)
    p.box("Region ap-southeast-4 (Melbourne)", (4.4, 2.35, 17.1, 10.9), TEAL)
    p.box("VPC: private subnets, 3 zones", (4.6, 5.1, 15.35, 7.5), GREEN, indent=1.05)
    p.box("public subnets", (15.5, 5.1, 16.95, 7.5), GREEN, indent=-0.1)
    p.box("Region ap-southeast-2 (Sydney)", (4.4, 0.2, 9.3, 2.15), TEAL, indent=1.6)
    p.box("For all of it", (9.5, 0.2, 17.1, 2.15), GREY)
    p.box("Deployment", (0.1, 0.2, 4.2, 5.15), GREY)


def draw_requests(p: Picture) -> str:
    """The way in, down to the tables. Answers the events' node."""
    p.icon("aws/general/users", "clients", (0.7, 8.75))
    front = p.icon("aws/network/cloudfront", "CloudFront", (2.5, 8.75))
    p.icon("aws/security/waf", "WAF: managed rules,\nlimit per address", (3.35, 10.1))
    p.icon("aws/security/certificate-manager", "ACM", (2.05, 10.1))
    p.icon("aws/network/route-53", "Route 53", (3.6, 7.3))
    pages = p.icon(
        "aws/storage/simple-storage-service-s3", "S3: API reference\n(in the Region)", (2.5, 6.2)
    )
    gateway = p.icon(
        "aws/network/api-gateway", "API Gateway: HTTP API,\nJWT authorizer", (5.7, 8.75)
    )
    p.icon("aws/security/cognito", "Cognito (or your\nown issuer)", (7.25, 8.75))
    api = p.icon("aws/compute/lambda", "api", (5.7, 6.5))
    p.note("verifies the token\nagain, decides", (7.05, 6.6), "#374151")
    p.line(REQUEST, (1.05, 8.75), (2.13, 8.75))
    p.line(REQUEST, (2.87, 8.75), (5.33, 8.75))
    p.note("origin secret", (3.55, 8.9), REQUEST)
    p.line(REQUEST, front, pages, style="dashed")
    p.line(REQUEST, gateway, api)
    events = p.icon("aws/database/dynamodb-table", "events, commands", (5.7, 3.55))
    p.line(REQUEST, api, events)
    p.note("one transaction\na command", (5.08, 4.45), REQUEST)
    p.icon("aws/network/endpoint", "gateway\nendpoint", (5.1, 5.62), 30)
    return events


def draw_delivery(p: Picture) -> None:
    """From the stream to the consumers, and what these write."""
    p.icon("aws/database/dynamodb-streams", "stream", (7.3, 3.55))
    pipe = p.icon(
        "aws/integration/eventbridge-pipes",
        "pipe (Sydney), event source\nmapping (Melbourne)",
        (8.9, 3.55),
    )
    relay = p.icon("aws/compute/lambda", "relay", (8.9, 6.5))
    bus = p.icon(
        "aws/integration/eventbridge-custom-event-bus-resource", "EventBridge bus", (8.9, 9.75)
    )
    p.icon("aws/integration/eventbridge", "archive", (7.25, 9.75), 34)
    p.line(EVENTS, (6.1, 3.55), (6.95, 3.55))
    p.line(EVENTS, (7.65, 3.55), (8.5, 3.55))
    p.line(EVENTS, pipe, relay)
    p.line(EVENTS, relay, bus)
    p.line(GREY, (8.55, 9.75), (7.55, 9.75))
    consumers = (
        (10.6, "3 queues,\neach with DLQ", "stock_levels, orders,\nopen_reservations"),
        (12.1, "queue, DLQ", "order_processor"),
        (13.4, "queue, DLQ", "notifications"),
        (14.6, "queue, DLQ", "sequencer"),
    )
    nodes = []
    for x, queues, name in consumers:
        queue = p.icon("aws/integration/simple-queue-service-sqs", queues, (x, 8.65))
        nodes.append(p.icon("aws/compute/lambda", name, (x, 6.5)))
        p.line(EVENTS, (9.25, 9.75), (x, 9.75), queue)
        p.line(EVENTS, queue, nodes[-1])
    p.note("rules", (9.8, 9.88), EVENTS)
    draw_results(p, nodes)


def draw_results(p: Picture, consumers: list[str]) -> None:
    """What the consumers write, and who reads it."""
    views, processor, notifications, sequencer = consumers
    rows = p.icon("aws/database/dynamodb-table", "views, checkpoints", (10.6, 3.55))
    topic = p.icon(
        "aws/integration/simple-notification-service-sns", "SNS: notifications", (13.4, 3.55)
    )
    feed = p.icon("aws/database/dynamodb-table", "feed", (14.6, 3.55))
    scheduler = p.icon(
        "aws/integration/eventbridge-scheduler", "Scheduler:\nsweep, each minute", (12.1, 3.55)
    )
    p.line(EVENTS, views, rows)
    p.line(EVENTS, notifications, topic)
    p.line(EVENTS, sequencer, feed)
    p.line(GREY, scheduler, processor)
    p.line(COMMANDS, (11.75, 5.98), (11.75, 4.75), (6.05, 4.75), (6.05, 3.95))
    p.note("commands of the order processor", (7.6, 4.87), COMMANDS)
    p.line(READS, (10.35, 3.9), (10.35, 4.4), (6.4, 4.4), (6.4, 6.5), (6.08, 6.5), style="dashed")
    p.note("reads of the API", (9.75, 4.52), READS)
    nat = p.icon("aws/network/nat-gateway", "NAT gateway\nin each zone", (16.22, 6.4))
    receivers = p.icon(
        "aws/network/internet-gateway", "other AWS APIs,\nwebhooks, issuer", (16.22, 3.9)
    )
    p.line(GREY, (15.35, 6.4), (15.88, 6.4))
    p.line(GREY, nat, receivers)


def draw_surroundings(p: Picture, events: str) -> None:
    """The second Region, what all functions use, and how it gets there."""
    copies = p.icon(
        "aws/database/dynamodb",
        "Global Table: events, commands,\nfeed, notifications, tracking",
        (5.7, 1.3),
    )
    p.line(COPIES, events, copies, style="dashed")
    p.icon("aws/security/key-management-service", "key of its own", (7.45, 1.3))
    p.icon("aws/compute/lambda", "the same again,\nreading (optional)", (8.6, 1.3))
    shared = (
        ("aws/security/key-management-service", "KMS: data, messages,\nlogs, secrets"),
        ("aws/security/secrets-manager", "Secrets Manager:\nsettings"),
        ("aws/management/cloudwatch", "CloudWatch: logs,\nalarms, dashboard"),
        ("aws/integration/simple-notification-service-sns", "SNS: alarms\nby e-mail"),
        ("aws/devtools/x-ray", "X-Ray:\ntraces"),
    )
    for number, (image, label) in enumerate(shared):
        p.icon(image, label, (10.35 + 1.5 * number, 1.3))
    github = p.icon("onprem/ci/github-actions", "GitHub Actions", (0.85, 4.2))
    roles = p.icon(
        "aws/security/identity-and-access-management-iam-role",
        "IAM roles by OIDC:\nplan, image, apply",
        (2.9, 4.2),
    )
    registry = p.icon("aws/compute/ec2-container-registry", "ECR: one image", (0.85, 2.45))
    terraform = p.icon("onprem/iac/terraform", "Terraform: exactly\nthe approved plan", (2.9, 2.45))
    state = p.icon(
        "aws/storage/simple-storage-service-s3", "S3: state, plans\n(encrypted)", (2.9, 0.9)
    )
    p.line(GREY, (1.3, 4.2), (2.5, 4.2))
    p.line(GREY, github, registry)
    p.line(GREY, roles, terraform)
    p.line(GREY, terraform, state)
    p.line(GREY, (3.4, 2.5), (4.4, 2.5))


def main() -> None:
    """Print all of it."""
    p = Picture(icons())
    draw_frames(p)
    events = draw_requests(p)
    draw_delivery(p)
    draw_surroundings(p, events)
    print(p)


if __name__ == "__main__":
    main()
