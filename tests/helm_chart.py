"""`make chart`: the chart as Helm itself reads it: linted, refused where values are wrong, rendered, and packed into dist/.

It runs apart from the rest, with Helm's own library (helm-python-sdk), which is too large for every environment.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parents[1] / "deploy" / "helm" / "passerelle"
ALL: dict[str, Any] = {
    "ingress": {"enabled": True, "className": "nginx", "tlsSecretName": "tls"},
    "podMonitor": {"enabled": True},
    "alarms": {"enabled": True},
    "podAnnotations": {"a": "b"},
    "serviceAccount": {"annotations": {"c": "d"}},
    "imagePullSecrets": [{"name": "registry"}],
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "only", "operator": "Exists"}],
}
WRONG: list[dict[str, Any]] = [
    {"settings": {"PASSERELLE_FILES_URL": "/data"}},
    {"settings": {"PUBLIC_URL": "https://example.com"}},
    {"serve": {"replicas": -1}},
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
        kinds = [_kinds(chart.render(values, name="tried", namespace="tried")) for values in ({}, ALL)]
        packed = chart.save(folder)
    for finding in findings:
        print(finding["error"])
    print(f"{packed}: {len(kinds[0])} objects by default ({', '.join(kinds[0])}), {len(kinds[1])} with everything")
    return 1 if findings else 0


def _kinds(manifests: dict[str, str]) -> list[str]:
    """Of each object, all of which have a name."""
    found = [document for text in manifests.values() for document in yaml.safe_load_all(text) if document]
    assert all(one["metadata"]["name"].startswith("tried") for one in found)
    return sorted(one["kind"] for one in found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
