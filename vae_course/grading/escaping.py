"""Words that strangers wrote, made harmless for each place where they are shown.

HTML is not here: the templates in `pages` escape everything by themselves.
"""

import re

__all__ = ["MOST", "csv_field", "markdown", "markdown_code", "one_line", "xml_text"]

MOST = 500  # characters of one text in a table
MARKDOWN = re.compile(r"[\\`*_{}\[\]<>#!|~&$:@^]|(?i:(?<=\bwww)\.)|^[-+=]")
# Spreadsheets also take the full-width forms; the quotes keep two fields from becoming one.
FORMULA = re.compile(r"[' ]*[=+\-@＝＋－＠]")
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def one_line(text: str, most: int = MOST) -> str:
    """A text on one line, without control characters, marks of direction and lone surrogates.

    Args:
        text: what a stranger wrote.
        most: characters; what is longer is cut, and ends in "…".
    """
    shown = "".join(c if c.isprintable() else " " if c.isspace() else "�" for c in text)
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def markdown(text: str) -> str:
    """A text for within a line of Markdown, where it makes no link, image, HTML or code."""
    return MARKDOWN.sub(r"\\\g<0>", one_line(text))


def markdown_code(text: str) -> str:
    """A text as code within a line of Markdown, whatever backticks it holds."""
    shown = one_line(text)
    longest = max(map(len, re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {shown} {fence}"


def csv_field(text: str) -> str:
    """A text as a field of a CSV file that no spreadsheet takes for a formula.

    Two texts of one printable line stay two.
    """
    shown = one_line(text)
    return f"'{shown}" if FORMULA.match(shown) else shown


def xml_text(text: str) -> str:
    """A text without the characters that XML forbids."""
    return NOT_XML.sub("", text)
