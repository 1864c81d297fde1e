"""What a kubelet does with pods, done with processes of this machine."""

from __future__ import annotations

import socket
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from tests.deploy.rendering import Resource, containers, environment, named, pods
from tests.integration.cli.processes import Running, Shell

PATIENCE_S = 90.0


class Kubelet:
    """Runs containers as processes: paths of volumes become folders of the test, ports become free ones."""

    def __init__(self, shell: Shell, found: list[Resource]) -> None:
        self._shell = shell
        self._maps = {one["metadata"]["name"]: one for one in found if one["kind"] == "ConfigMap"}

    def run(self, pod: Resource, name: str) -> None:
        """All containers, one after the other; each has to end well."""
        for container in containers(pod):
            arguments, variables = self._given(pod, container, name, {})
            done = self._shell.run(*arguments, **variables)
            assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"

    def start(self, pod: Resource, name: str) -> Started:
        [container] = containers(pod)
        ports = {port["containerPort"]: _free_port() for port in container["ports"]}
        arguments, variables = self._given(pod, container, name, ports)
        self._shell.environment |= variables
        running = self._shell.start(*arguments)
        return Started(container, running, ports)

    def _given(
        self, pod: Resource, container: Resource, name: str, ports: Mapping[int, int]
    ) -> tuple[list[str], dict[str, str]]:
        home = self._shell.home / name
        volumes = {one["name"]: one for one in pod["spec"]["volumes"]}
        folders = dict[str, Path]()
        for mount in container["volumeMounts"]:
            folder = folders[mount["mountPath"]] = home / mount["name"]
            folder.mkdir(parents=True, exist_ok=True)
            if "configMap" in volumes.get(mount["name"], {}):
                data = self._maps[volumes[mount["name"]]["configMap"]["name"]]["data"]
                for file, text in data.items():
                    (folder / file).write_text(text)

        def translated(text: str) -> str:
            for path, folder in folders.items():
                if text.startswith(path):
                    return f"{folder}{text.removeprefix(path)}"
            for port, free in ports.items():
                text = text.replace(str(port), str(free)) if text.endswith(str(port)) else text
            return text.replace("0.0.0.0", "127.0.0.1")

        fields = {"metadata.name": name, "metadata.namespace": "apps"}
        variables = environment(container, fields)
        return (
            [translated(one) for one in container["args"]],
            {key: translated(value) for key, value in variables.items()},
        )


class Started:
    def __init__(self, container: Resource, running: Running, ports: Mapping[int, int]) -> None:
        self.running = running
        self._container = container
        self._ports = {port["name"]: ports[port["containerPort"]] for port in container["ports"]}

    def get(self, probe: str) -> int:
        asked = self._container[probe]["httpGet"]
        return self.answer(asked["port"], asked["path"])

    def answer(self, port: str, path: str) -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._ports[port]}{path}") as found:
                return int(found.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code
        except OSError:
            return 0

    def until(self, probe: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while (status := self.get(probe)) != 200:
            assert self.running.process.poll() is None, self.running.output
            assert time.monotonic() < deadline, f"{probe}: {status}"
            time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def comes_up_and_stops(release: list[Resource], shell: Shell) -> dict[str, Started]:
    """The Job makes the topics; then every probe answers with 200 on its port; `helm test` ends well; SIGTERM ends all with 0.

    Returns what ran, by the names of its Deployments and StatefulSets.
    """
    kubelet = Kubelet(shell, release)
    kubelet.run(named(release, "Job")["spec"]["template"], "topology")
    started = {
        owner["metadata"]["name"]: kubelet.start(pod, f"{owner['metadata']['name']}-0")
        for owner, pod in pods(release)
        if owner["kind"] in ("Deployment", "StatefulSet")
    }
    for one in started.values():
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            one.until(probe)
    kubelet.run(named(release, "Pod"), "test")
    for name, one in started.items():
        port = "http" if name.endswith("gateway") else "health"
        assert one.answer(port, "/metrics") == 200
    for one in started.values():
        one.running.process.terminate()
    for one in started.values():
        assert one.running.wait() == 0, one.running.output
    return started
