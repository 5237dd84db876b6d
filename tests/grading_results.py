"""Results of a made-up class, and what a stranger may write into them."""

from vae_course.grading.results import Result, TaskResult

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "attribute": '"><img src=x onerror=alert(1)>',
    "formula": "=cmd()|'/C calc'!A0",
    "plus": "+1+1",
    "at": "@SUM(A1)",
    "tab": "\t=1+1",
    "return": "\r-1",
    "link": "](javascript:alert(1)) [x](javascript:alert(1))",
    "image": "![x](http://evil.example/x.png)",
    "fence": "```\n# not a heading\n```",
    "autolink": "<http://evil.example> https://evil.example www.evil.example",
    "template": "{{ 7 * 7 }}{% raw %}",
    "lines": "one\ntwo\r\nthree\u2028four\x85five",
    "nul": "a\x00b\x1b[31m\x08\x7f",
    "surrogate": "a\ud800b",
    "direction": "a\u202eb\u200f\u2066c",
    "not xml": "a\ufffeb\uffff",
    "cdata": "]]> & <!-- --> &#0;",
    "path": "../../etc/passwd",
    "long": "x" * 10_000,
    "empty": "",
}


def task(name="beta_loss", status="passed", points=2, message="", where="loss#sum-or-mean"):
    earned = points if status == "passed" else 0
    return TaskResult(name, f"Title of {name}", status, earned, points, message, where)


def result(student="ada", exercise="01-beta", tasks=(), **fields):
    """One that is graded, with the points of its tasks."""
    file = fields.pop("file", f"{student}/{exercise}.ipynb")
    key = fields.pop("key", f"{student} {exercise} {file}")
    return Result(key, student, file, "digest", exercise=exercise, tasks=tuple(tasks), **fields)


def not_graded(student="ada", exercise="", **fields):
    problem = fields.pop("problem", "It is empty. Hand it in again.")
    return result(student, exercise, status="not graded", problem=problem, **fields)


def worth(points, student="ada", exercise="01-beta", **fields):
    """One that earned that many of 10 points."""
    tasks = [task("right", points=points), task("not_right", "wrong", 10 - points, "Off by one.")]
    return result(student, exercise, tasks, **fields)


def hostile(words):
    """One with the same words wherever a stranger's words can be."""
    tasks = [task("one", "wrong", message=words), task("two", "marked by a person")]
    return result(words, "01-beta", tasks, file=words, cells=(words,), flags=(words,), key="k")
