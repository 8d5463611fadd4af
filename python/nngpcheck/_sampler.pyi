from typing import Any, Dict

import numpy as np

from ._core import Program

def sample(program: Program, width: int, seed: int, first: int, count: int, options: Dict[str, Any],
           report: Any) -> np.ndarray: ...
def check(program: Program, kernel: Any, name: str, options: Dict[str, Any], sampling: Dict[str, Any],
          report: Any) -> Dict[str, Any]: ...
