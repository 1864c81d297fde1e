"""What the chart renders from each set of values in its ``ci``: valid for Kubernetes, and fitting together."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from streamflow.cli.commands import app
from streamflow.worker.service import ABANDON_AFTER_S, MACHINES_END_S
from tests.deploy.generated import CHART, FILES
from tests.deploy.rendering import (
    CASES,
    KUBERNETES,
    Resource,
    case,
    containers,
    environment,
    helm,
    named,
    pods,
    rendered,
    resources,
    template,
)
from tests.deploy.tools import path_of

pytestmark = pytest.mark.deploy

WORKLOADS = ("Deployment", "StatefulSet")
FIELDS = {"metadata.name": "pod-7", "metadata.namespace": "apps"}


@pytest.fixture(params=CASES)
def found(request: pytest.FixtureRequest) -> list[Resource]:
    return rendered(request.param)


def _validated(files: list[Path], version: str) -> subprocess.CompletedProcess[str]:
    crds = str(Path(__file__).with_name("crds"))
    return subprocess.run(
        [str(path_of("kubectl-validate")), *map(str, files), "--version", version, "--local-crds", crds],
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip


# -- valid ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_helm_finds_nothing_to_say_against_it(name: str) -> None:
    said = helm("lint", "--strict", "--values", str(case(name)), "--kube-version", KUBERNETES[-1], str(CHART))  # fmt: skip

    assert "0 chart(s) failed" in said
    assert "[WARNING]" not in said


@pytest.mark.parametrize("version", KUBERNETES)
def test_every_resource_is_as_kubernetes_and_the_operators_have_it(
    version: str, tmp_path: Path
) -> None:
    files = [tmp_path / f"{name}.yaml" for name in CASES]
    for name, path in zip(CASES, files, strict=True):
        path.write_text(template([case(name)]))

    done = _validated(files, version)

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_validator_would_have_noticed(tmp_path: Path) -> None:
    """Unknown fields and other types are refused, of Kubernetes' resources and of the operators' alike."""
    text = template([case("keda")])
    for number, (before, after) in enumerate(
        {
            "serviceName:": "serviceNames:",
            "minReadySeconds: 5": "minReadySeconds: soon",
            "maxReplicaCount:": "mostReplicas:",
        }.items()
    ):
        assert before in text
        path = tmp_path / f"{number}.yaml"
        path.write_text(text.replace(before, after))

        done = _validated([path], KUBERNETES[-1])

        assert done.returncode != 0, before


@pytest.mark.parametrize("name", FILES)
def test_what_is_made_from_the_code_is_current(name: str) -> None:
    """If not: ``python -m tests.deploy.generated``."""
    assert (CHART / name).read_text() == FILES[name]()


# -- fitting together -------------------------------------------------------------------------------------------------


def test_selectors_select_the_pods_of_one_component(found: list[Resource]) -> None:
    labels = {one["metadata"]["name"]: pod["metadata"]["labels"] for one, pod in pods(found)}
    selecting = dict[str, dict[str, str]]()
    for one in found:
        spec = one.get("spec", {})
        key = f"{one['kind']}/{one['metadata']['name']}"
        if one["kind"] == "Service":
            selecting[key] = spec["selector"]
        elif one["kind"] == "NetworkPolicy":
            selecting[key] = spec["podSelector"]["matchLabels"]
        elif one["kind"] in (*WORKLOADS, "PodDisruptionBudget"):
            selecting[key] = spec["selector"]["matchLabels"]

    assert selecting
    for key, selector in selecting.items():
        selected = {name for name, has in labels.items() if selector.items() <= has.items()}
        component = selector["app.kubernetes.io/component"]
        if key.startswith("NetworkPolicy") and component not in {
            has["app.kubernetes.io/component"] for has in labels.values()
        }:
            continue  # of a part that this release has not
        assert len(selected) == 1, (key, selected)


def test_what_is_scaled_from_outside_is_there_and_says_no_count_itself(
    found: list[Resource],
) -> None:
    scaled = {
        (one["spec"]["scaleTargetRef"]["kind"], one["spec"]["scaleTargetRef"]["name"])
        for one in found
        if one["kind"] in ("HorizontalPodAutoscaler", "ScaledObject")
    }

    uncounted = {
        (one["kind"], one["metadata"]["name"])
        for one in found
        if one["kind"] in WORKLOADS and "replicas" not in one["spec"]
    }
    assert scaled == uncounted


def test_ports_are_those_that_the_command_listens_on(found: list[Resource]) -> None:
    """Probes, Services and monitors name ports of the container, which are the ones that its arguments say."""
    by_component = dict[str, set[str]]()
    for _, pod in pods(found):
        for container in containers(pod):
            ports = {port["name"]: port["containerPort"] for port in container.get("ports", ())}
            arguments = " ".join([*container["args"], ""])
            for port in ports.values():
                assert f":{port} " in arguments or f"--port {port} " in arguments, arguments
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                if ports:
                    assert container[probe]["httpGet"]["port"] in ports
            component = pod["metadata"]["labels"]["app.kubernetes.io/component"]
            by_component.setdefault(component, set()).update(ports)
    for one in found:
        if one["kind"] == "Service":
            component = one["spec"]["selector"]["app.kubernetes.io/component"]
            assert {port["targetPort"] for port in one["spec"]["ports"]} <= by_component[component]
        if one["kind"] == "NetworkPolicy":
            component = one["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/component"]
            opened = {port["port"] for rule in one["spec"]["ingress"] for port in rule["ports"]}
            assert opened == by_component.get(component, set())


def test_arguments_are_ones_that_the_commands_take(found: list[Resource]) -> None:
    """Of every container, with their types; parsed, and not run."""
    for _, pod in pods(found):
        for container in containers(pod):
            app.parse_args(container["args"], exit_on_error=False, print_error=False)


def test_monitors_scrape_ports_that_are_there() -> None:
    """Pods of processors, workers and schedules; the gateway by its Service."""
    found = rendered("production")
    monitor = named(found, "PodMonitor")["spec"]
    service = named(found, "Service", "-gateway")
    watched = named(found, "ServiceMonitor")["spec"]

    [expression] = monitor["selector"]["matchExpressions"]
    for _, pod in pods(found):
        labels = pod["metadata"]["labels"]
        if labels["app.kubernetes.io/component"] in expression["values"]:
            assert monitor["selector"]["matchLabels"].items() <= labels.items()
            [container] = containers(pod)
            assert monitor["podMetricsEndpoints"][0]["port"] in {
                port["name"] for port in container["ports"]
            }
    assert watched["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert watched["endpoints"][0]["port"] in {port["name"] for port in service["spec"]["ports"]}


def test_what_is_mounted_is_a_volume_of_the_pod(found: list[Resource]) -> None:
    made = {one["metadata"]["name"] for one in found if one["kind"] == "ConfigMap"}
    for owner, pod in pods(found):
        claims = owner["spec"].get("volumeClaimTemplates", ())
        volumes = {
            one["name"] for one in [*pod["spec"]["volumes"], *(c["metadata"] for c in claims)]
        }
        assert len(volumes) == len(pod["spec"]["volumes"]) + len(claims)
        for volume in pod["spec"]["volumes"]:
            if "configMap" in volume:
                assert volume["configMap"]["name"] in made
        for container in containers(pod):
            mounted = {mount["name"]: mount for mount in container["volumeMounts"]}
            assert mounted.keys() <= volumes
            # The root is read-only: what is written goes here.
            assert {"/tmp", "/state"} <= {mount["mountPath"] for mount in mounted.values()}


def test_a_hook_needs_nothing_that_is_made_after_it(found: list[Resource]) -> None:
    """Before an install there is no ConfigMap or account of the release, but what the hooks bring themselves."""
    hooks = [
        one
        for one in found
        if "pre-install" in one["metadata"].get("annotations", {}).get("helm.sh/hook", "")
    ]
    brought = {one["metadata"]["name"] for one in hooks if one["kind"] == "ConfigMap"}
    for _, pod in pods(hooks):
        assert pod["spec"]["serviceAccountName"] == "default"
        used = {v["configMap"]["name"] for v in pod["spec"]["volumes"] if "configMap" in v}
        assert used <= brought


# -- safe -------------------------------------------------------------------------------------------------------------


def test_pods_may_do_nothing_that_they_need_not(found: list[Resource]) -> None:
    for _, pod in pods(found):
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in containers(pod):
            allowed = container["securityContext"]
            assert allowed["readOnlyRootFilesystem"] is True
            assert allowed["allowPrivilegeEscalation"] is False
            assert allowed["capabilities"] == {"drop": ["ALL"]}


def test_names_of_services_never_become_settings(found: list[Resource]) -> None:
    """A Service called streamflow-kafka would be STREAMFLOW_KAFKA_PORT, an option of librdkafka."""
    assert all(pod["spec"]["enableServiceLinks"] is False for _, pod in pods(found))


def test_no_two_pods_have_one_instance_name(found: list[Resource]) -> None:
    """The name is the pod's, which is one of a kind, and nothing on the command line gives another."""
    for _, pod in pods(found):
        for container in containers(pod):
            variables = environment(container, FIELDS)
            assert variables["STREAMFLOW_INSTANCE"] == "apps.pod-7"
            assert not {"--name", "--processes"} & set(container["args"])


def test_a_pod_is_given_longer_to_stop_than_its_process_takes(found: list[Resource]) -> None:
    for owner, pod in pods(found):
        if owner["kind"] not in WORKLOADS:
            continue
        [container] = containers(pod)
        takes = 5 + 10 if "--drain" in container["args"] else MACHINES_END_S + ABANDON_AFTER_S
        assert pod["spec"]["terminationGracePeriodSeconds"] > takes


def test_long_names_stay_within_what_kubernetes_takes() -> None:
    found = template([case("production")], "--set", "fullnameOverride=", release="r" * 53)

    assert "name: " + "r" * 40 + "-processor\n" in found


def test_processes_share_an_apps_work_where_there_are_workers_for_activities() -> None:
    """Else processors do all of it; never do two kinds of pods take workflows of one App."""
    both = {
        owner["metadata"]["name"]: containers(pod)[0]["args"]
        for owner, pod in pods(rendered("minimal"))
        if owner["kind"] in WORKLOADS
    }
    alone = named(rendered("no-persistence"), "StatefulSet")["spec"]["template"]

    processor, worker = both["rel-streamflow-processor"], both["rel-streamflow-worker"]
    assert processor[:4] == ["worker", "shop.orders:app", "--only", "workflows"]
    assert worker[:4] == ["worker", "shop.orders:app", "--only", "activities"]
    assert "--only" not in containers(alone)[0]["args"]


def test_what_is_said_after_an_install_names_what_there_is(tmp_path: Path) -> None:
    """The notes are no resource, so they are rendered as one here."""
    chart = tmp_path / "chart"
    shutil.copytree(CHART, chart)
    (chart / "templates" / "NOTES.txt").rename(chart / "notes.txt")
    shown = '{{- tpl (.Files.Get "notes.txt") . | toJson | printf "kind: Notes\\nmetadata: {name: notes}\\ntext: %s" }}'
    (chart / "templates" / "notes.yaml").write_text(shown)

    def notes(*words: str) -> str:
        text = template([case("minimal")], *words, chart=chart)
        return str(named(resources(text), "Notes")["text"])

    said = notes("--set", "processors.replicaCount=13")

    assert "service/rel-streamflow-gateway 8233:80" in said
    assert "helm test rel --namespace apps" in said
    assert "has 12 partitions for 13 processors" in said
    assert "no login" in said
    assert "for 12 processors" not in notes("--set", "processors.replicaCount=12")
