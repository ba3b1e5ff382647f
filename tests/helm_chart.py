"""`make chart`: the chart as Helm itself reads it: linted, refused where values are wrong, rendered, and packed into dist/.

It runs apart from the rest, with Helm's own library (helm-python-sdk), which is too large for every environment.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parents[1] / "deploy" / "helm" / "passerelle"
ALL: dict[str, Any] = {
    "ingress": {"enabled": True, "className": "nginx", "tlsSecretName": "tls"},
    "podMonitor": {"enabled": True},
    "alarms": {"enabled": True},
    "podAnnotations": {"a": "b"},
    "settings": {"SSL_CERT_FILE": "/authority/ca.pem"},
    "extraVolumes": [{"name": "authority", "configMap": {"name": "authority"}}],
    "extraVolumeMounts": [{"name": "authority", "mountPath": "/authority", "readOnly": True}],
    "serve": {"stopDelaySeconds": 20},
    "serviceAccount": {"annotations": {"c": "d"}},
    "imagePullSecrets": [{"name": "registry"}],
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "only", "operator": "Exists"}],
}
WRONG: list[dict[str, Any]] = [
    {"settings": {"PASSERELLE_FILES_URL": "/data"}},
    {"settings": {"PUBLIC_URL": "https://example.com"}},
    {"settings": {"LD_PRELOAD": "/x.so"}},
    {"serve": {"replicas": -1}},
    {"serve": {"stopDelay": "15s"}},
    {"worker": {"stopDelaySeconds": 15}},
    {"extraVolumes": [{"emptyDir": {}}]},
    {"secretName": ""},
    {"typo": True},
]


def main(folder: str) -> int:
    """Returns the exit status."""
    import helm_python as helm

    helm.disable_logging()
    findings = [one for one in helm.lint(str(CHART))["messages"] if one["severity"] > 1]
    with helm.Chart.load(str(CHART)) as chart:
        for values in WRONG:
            try:
                chart.validate_schema(values)
            except helm.HelmError:
                continue
            findings.append({"error": f"values that are wrong were taken: {values}"})
        rendered = [_objects(chart.render(values, name="tried", namespace="tried")) for values in ({}, ALL)]
        findings += [{"error": error} for objects in rendered for error in _wrong_in(objects)]
        findings += [
            {"error": f"{name}: not mounted"} for name in _parts(rendered[1]) - _mounted(rendered[1], "authority")
        ]
        kinds = [sorted(one["kind"] for one in objects) for objects in rendered]
        packed = chart.save(folder)
    for finding in findings:
        print(finding["error"])
    print(f"{packed}: {len(kinds[0])} objects by default ({', '.join(kinds[0])}), {len(kinds[1])} with everything")
    return 1 if findings else 0


def _objects(manifests: dict[str, str]) -> list[Any]:
    """All of which have a name."""
    found = [document for text in manifests.values() for document in yaml.safe_load_all(text) if document]
    assert all(one["metadata"]["name"].startswith("tried") for one in found)
    return found


def _pods(objects: list[Any]) -> dict[str, Any]:
    return {
        one["metadata"]["name"]: one["spec"]["template"]["spec"]
        for one in objects
        if one["kind"] in ("Deployment", "Job")
    }


def _parts(objects: list[Any]) -> set[str]:
    return set(_pods(objects))


def _mounted(objects: list[Any], volume: str) -> set[str]:
    """Whose pods have the volume, and mount it beside `/tmp`."""
    return {
        name
        for name, pod in _pods(objects).items()
        if volume in [one["name"] for one in pod["volumes"]]
        and [one["name"] for one in pod["containers"][0]["volumeMounts"]] == ["tmp", volume]
    }


def _wrong_in(objects: list[Any]) -> Iterator[str]:
    """What does not fit together."""
    kept = {one["metadata"]["name"] for one in objects if one["kind"] == "PodDisruptionBudget"}
    for name, pod in _pods(objects).items():
        container = pod["containers"][0]
        environment = {one["name"]: one["value"] for one in container["env"]}
        if not container["resources"]["limits"]["memory"]:
            yield f"{name}: memory has no limit"
        if name == "tried-migrate":
            continue
        if name not in kept or not pod["topologySpreadConstraints"]:
            yield f"{name}: one machine may end all of its pods"
        delay = int(environment.get("PASSERELLE_STOP_DELAY", "0s").removesuffix("s"))
        if pod["terminationGracePeriodSeconds"] != delay + 45:
            yield f"{name}: is killed while it stops"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
