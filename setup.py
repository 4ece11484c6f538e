"""The one part of the build that pyproject.toml cannot say: an optional C extension on the stable ABI."""

from __future__ import annotations

import sys
import sysconfig

from setuptools import Extension, setup

# The stable ABI does not exist for free-threaded Python. Fused multiply-adds would change the last bit of scores.
stable_abi = not sysconfig.get_config_var("Py_GIL_DISABLED")
flags = ["/O2"] if sys.platform == "win32" else ["-O3", "-ffp-contract=off"]

setup(
    ext_modules=[
        Extension(
            "elanus.index._postings",
            ["vectorstore/elanus/index/_postings.c"],
            define_macros=[("Py_LIMITED_API", "0x030A0000")] if stable_abi else [],
            extra_compile_args=flags,
            py_limited_api=stable_abi,
            optional=True,
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp310"}} if stable_abi else {},
)
