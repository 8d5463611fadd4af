"""The README's example runs, and prints what stands there."""

import pathlib
import re

README = pathlib.Path(__file__).parents[2] / "README.md"


def test_the_example(capsys):
    section = README.read_text().split("## From Python")[1].split("## From C++")[0]
    code = "\n".join(line[4:] for line in section.splitlines() if line.startswith("    "))
    code = code[code.index("import math"):code.index("def test_my_kernel")]
    exec(compile(code, "README.md", "exec"), {})
    printed = capsys.readouterr().out.splitlines()
    said = [line.split("# ")[-1] for line in code.splitlines() if re.search("# ([0-9]|agree|disagree)", line)]
    assert len(printed) == len(said) == 3
    for line, expected in zip(printed, said):
        # Up to the first number that depends on the machine's last digits.
        assert line.startswith(re.split(r"…|\d+ ladders|\(1\.19", expected)[0].rstrip()), line
