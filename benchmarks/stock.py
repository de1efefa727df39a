"""Stock Rasa in an environment of its own: each package as in our lock, but the SQLAlchemy 1.4 that its store needs."""

import json
import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def make_environment(folder: Path) -> Path:
    """Install stock Rasa into this folder, compiled to bytecode; quick when it is there. Returns its `rasa` command.

    Raises `subprocess.CalledProcessError` when uv cannot; the reason stands on stderr.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ours = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    (folder / "pyproject.toml").write_text(project(ours, lock), encoding="utf-8")
    environment = folder / ".venv"
    uv = [str(ROOT / "scripts" / "uv"), "--quiet", "--directory", str(folder)]
    subprocess.run([*uv, "venv", "--allow-existing", str(environment)], check=True)
    subprocess.run([*uv, "pip", "install", "--python", str(environment), "-r", "pyproject.toml"], check=True)
    return environment / "bin" / "rasa"


def project(ours: Mapping[str, Any], lock: Mapping[str, Any]) -> str:
    """A pyproject.toml for stock Rasa, made from our own and its lock (both as parsed TOML)."""
    uv = ours["tool"]["uv"]
    rasa = next(requirement for requirement in ours["project"]["dependencies"] if requirement.startswith("rasa=="))
    overrides = [requirement for requirement in uv["override-dependencies"] if not requirement.startswith("sqlalchemy")]
    constraints = [
        f"{package['name']}=={package['version']}"
        for package in lock["package"]
        if "registry" in package["source"] and package["name"] != "sqlalchemy"
    ]
    # Lists of strings are written alike in JSON and TOML.
    lines = [
        "[project]",
        'name = "stock-rasa"',
        'version = "0"',
        f"requires-python = {json.dumps(ours['project']['requires-python'])}",
        f"dependencies = {json.dumps([rasa])}",
        "[tool.uv]",
        "package = false",
        f"override-dependencies = {json.dumps([*overrides, 'sqlalchemy<2'])}",
        f"constraint-dependencies = {json.dumps(constraints)}",
    ]
    for metadata in uv["dependency-metadata"]:
        lines.append("[[tool.uv.dependency-metadata]]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in metadata.items()]
    return "\n".join(lines) + "\n"
