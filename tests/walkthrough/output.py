"""What programs print, less what differs from run to run."""

import re


def plain(text: str) -> str:
    """Text less pods' own names, ages and times, with the blanks between columns as one."""
    text = re.sub(r"-[a-z0-9]{5}(?= +Pod)", "-POD", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", text)
    text = re.sub(r"(?<=delay:)(\d+[smhd])+", "AGE", text)
    text = re.sub(r" (\d+[smhd])+(?= |$)", " AGE", text, flags=re.MULTILINE)
    return "".join(re.sub(" +", " ", line).rstrip() + "\n" for line in text.splitlines())
