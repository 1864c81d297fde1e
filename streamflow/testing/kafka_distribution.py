"""What a broker needs of this machine: Java, and Kafka's jars fetched once through Maven.

The jars go to `$XDG_CACHE_HOME/streamflow/kafka-VERSION` (default `~/.cache`), outside any project.
Not here: running the broker, which is `streamflow.testing.kafka`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

KAFKA_VERSION: Final = "4.3.1"
JAVA_VERSION_MIN: Final = 17
FETCH_TIMEOUT_S: Final = 600.0


class KafkaUnavailable(RuntimeError):
    """No Kafka can be had; the message says what to install or what went wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """The two things that a command line needs to run any of Kafka's main classes."""

    java: str
    classpath: str


def kafka_distribution() -> Distribution:
    """Java and the jars, fetched now if this user never did.

    Raises:
        KafkaUnavailable: Java or Maven is missing, or the fetch failed.
    """
    jars = _jars_folder()
    java = _java()
    maven = shutil.which("mvn")
    missing = [
        *(["default-jre-headless"] if java is None else []),
        *(["maven"] if maven is None and not jars.is_dir() else []),
    ]
    if missing:
        raise KafkaUnavailable(
            f"Expected Java {JAVA_VERSION_MIN} or later and, for the first time, Maven to run Kafka "
            f"{KAFKA_VERSION}; something is missing. Install it with\n\n"
            f"    apt-get install --yes {' '.join(missing)}\n\n"
            "or set STREAMFLOW_TEST_BOOTSTRAP=HOST:PORT to test against a broker of your own."
        )
    assert java is not None
    if not jars.is_dir():
        assert maven is not None
        _fetch(maven, jars)
    return Distribution(java=java, classpath=str(jars / "*"))


def _jars_folder() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME")
    return Path(cache or Path.home() / ".cache") / "streamflow" / f"kafka-{KAFKA_VERSION}"


def _java() -> str | None:
    """The Java of `JAVA_HOME`, else of the path, if it is new enough for the broker."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home, "bin")) if home else None)
    if java is None:
        return None
    asked = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    # Java 8 and before call themselves 1.8, which is too old as well.
    version = re.search(r'version "(\d+)', asked.stderr)
    return java if version and int(version[1]) >= JAVA_VERSION_MIN else None


def _fetch(maven: str, jars: Path) -> None:
    """Fetches beside the target and renames, so that a folder that exists is complete."""
    jars.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=jars.parent, prefix="fetch-") as temporary:
        pom, fetched = Path(temporary, "pom.xml"), Path(temporary, "jars")
        pom.write_text(_POM)
        command = [maven, "--quiet", "--batch-mode", "--strict-checksums", "--file", str(pom)]
        command += ["dependency:copy-dependencies", "-DincludeScope=runtime"]
        command += [f"-DoutputDirectory={fetched}"]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=FETCH_TIMEOUT_S
        )
        if done.returncode != 0:
            raise KafkaUnavailable(
                f"Expected Maven to fetch Kafka {KAFKA_VERSION}, but it ended with "
                f"{done.returncode}:\n{done.stdout}{done.stderr}"
            )
        # Another process may have been faster: then its folder is as good as ours.
        with suppress(OSError):
            fetched.rename(jars)
    assert jars.is_dir(), jars


# log4j-slf4j-impl lets the broker's log reach its output; without it a broker dies in silence.
_POM: Final = f"""\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>io.streamflow</groupId>
  <artifactId>test-broker</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>{KAFKA_VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId>
      <artifactId>log4j-slf4j-impl</artifactId>
      <version>2.25.4</version>
    </dependency>
  </dependencies>
</project>
"""
