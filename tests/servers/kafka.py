"""The real Apache Kafka, one broker, from Maven Central's jars; no container needed.

Java 17 and Maven must be there. The jars stay in ``.servers/kafka`` for the next time.
"""

import base64
import fcntl
import hashlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from tests.servers.process import free_port, is_open, need, start, stop, wait_until

_HERE = Path(__file__).parent
_CACHE = _HERE.parents[1] / ".servers" / "kafka"
JAVA = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_STOP_PATIENCE_S = 15


class Kafka:
    """A broker that can be stopped, started again and frozen."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        port, controller_port = free_port(), free_port()
        self._port = port
        self.bootstrap = f"127.0.0.1:{port}"
        self._log = folder / "output.log"
        self._properties = folder / "server.properties"
        lines = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.bootstrap.servers": f"127.0.0.1:{controller_port}",
            "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": str(folder / "data"),
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
            "auto.create.topics.enable": "false",
            **settings,
        }
        self._properties.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
        self._java = [need("java", "openjdk-17-jre-headless"), *JAVA, "-cp", f"{_jars()}/*"]
        self._format()
        self.start()

    def start(self) -> None:
        """Start it, on the same port with the same data, and wait until it answers."""
        command = [*self._java, "kafka.Kafka", self._properties]
        self._process = start(command, self._log)
        wait_until(self._answers, "Kafka", process=self._process, log=self._log)

    def stop(self) -> None:
        """Stop it in order."""
        stop(self._process, signal.SIGTERM, _STOP_PATIENCE_S)

    def kill(self) -> None:
        """End it as a power cut of the process would."""
        stop(self._process, signal.SIGKILL, _STOP_PATIENCE_S)

    def freeze(self) -> None:
        """Stop it from answering, while its connections stay open."""
        self._process.send_signal(signal.SIGSTOP)
        # Each thread stops when it next gets the processor, the one that answers maybe last.
        stopped = os.WSTOPPED | os.WEXITED | os.WNOWAIT
        os.waitid(os.P_PID, self._process.pid, stopped)

    def thaw(self) -> None:
        """End of :meth:`freeze`."""
        self._process.send_signal(signal.SIGCONT)

    def _format(self) -> None:
        # A cluster id is 16 bytes; the first one makes sure that it does not begin with "-",
        # which the tool would take for an option.
        cluster_id = base64.urlsafe_b64encode(b"k" + secrets.token_bytes(15)).decode().rstrip("=")
        done = subprocess.run(
            [
                *self._java,
                "kafka.tools.StorageTool",
                "format",
                "--standalone",
                *("-t", cluster_id),
                *("-c", str(self._properties)),
            ],
            capture_output=True,
            timeout=60,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(
                f"Kafka's storage tool failed:\n{(done.stdout + done.stderr).decode()}"
            )

    def _answers(self) -> bool:
        if not is_open("127.0.0.1", self._port):  # a client is dear
            return False
        try:
            admin = KafkaAdminClient(bootstrap_servers=self.bootstrap, bootstrap_timeout_ms=1000)
        except (KafkaError, OSError):
            return False
        try:
            return bool(admin.describe_cluster()["brokers"])
        except KafkaError:
            return False
        finally:
            admin.close()


@contextmanager
def run_kafka(settings: Mapping[str, str] | None = None) -> Iterator[Kafka]:
    """A broker on a free port, with an empty log; gone afterwards.

    ``settings`` are lines of ``server.properties`` on top of ours.
    """
    folder = Path(tempfile.mkdtemp(prefix="kentering-kafka-"))
    broker: Kafka | None = None
    try:
        broker = Kafka(folder, settings or {})
        yield broker
    finally:
        if broker is not None:
            broker.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _jars() -> Path:
    """The folder of the jars that ``pom.xml`` names, fetched when they are not there yet."""
    pom = _HERE / "pom.xml"
    folder = _CACHE / hashlib.sha256(pom.read_bytes()).hexdigest()[:16]
    _CACHE.mkdir(parents=True, exist_ok=True)
    # Of processes side by side one fetches: Maven's own folder is not made for more.
    with (_CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _fetch(pom, folder)
    return folder


def _fetch(pom: Path, folder: Path) -> None:
    fresh = Path(tempfile.mkdtemp(dir=folder.parent))
    subprocess.run(
        [
            *(need("mvn", "maven"), "--quiet", "--batch-mode", "--file", str(pom)),
            *("dependency:copy-dependencies", f"-DoutputDirectory={fresh}"),
        ],
        check=True,
        timeout=600,
    )
    fresh.rename(folder)
