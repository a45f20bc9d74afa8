"""Which of Snakemake's loggers a run gets: asked by profiles/*/config.yaml."""

import argparse
import importlib.util
import os
import sys

_PREFIX = "snakemake_logger_plugin_"


def loggers(arguments: argparse.Namespace) -> list[str]:
    """`["quantrag"]`, registered, for a run that somebody watches; else Snakemake prints its lines.

    That is a run on a terminal that can move its cursor. Under CI, with `VERBOSE` set, or with an
    option that asks Snakemake to say more, less or something else, all stays as it is.

    Args:
        arguments: Snakemake's command line, parsed.
    """
    other = (
        "dryrun",
        "verbose",
        "printshellcmds",
        "debug_dag",
        "quiet",
        "lint",
        "report",
        "logger",
    )
    if (
        not sys.stderr.isatty()
        or os.environ.get("TERM", "dumb") == "dumb"
        or os.environ.get("CI")
        or os.environ.get("VERBOSE")
        or any(getattr(arguments, name, None) not in (None, False, []) for name in other)
        or importlib.util.find_spec("rich") is None
    ):
        return []
    from snakemake_interface_logger_plugins.registry import LoggerPluginRegistry

    from quantrag.runtime import screen

    LoggerPluginRegistry().register_plugin(f"{_PREFIX}quantrag", screen)
    return ["quantrag"]
