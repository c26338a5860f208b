"""What is known to be in a capture: written beside it by who made the conversation, read by the tests.

One fact a line, parted by tabs; `\\n`, `\\t` and `\\\\` stand for what they say:

    application NAME CATEGORY                          an IM, P2P or voice application that must be named; no other may be
    message SENT RECEIVED LEGS FROM TO TEXT            once, with LEGS - 1 copies; no other message may be told. Its first leg
                                                       was on the wire between the two times (microseconds since 1970)
    credential PROTOCOL USER                           an alert, in any number; no other may be told
    secret TEXT                                        must be nowhere in the output
    hidden TEXT                                        was said, but encrypted: must be nowhere in the output
    system NAME                                        a server that also says something by itself: its messages are not judged
    made HOW                                           by which programs; for people
"""
import contextlib
import dataclasses
import pathlib
import time


def now_us() -> int:
    return time.time_ns() // 1_000


@dataclasses.dataclass
class Message:
    sent_us: int
    received_us: int
    legs: int
    sender: str
    receiver: str
    text: str


class Truth:
    def __init__(self):
        self.made = ""
        self.applications, self.credentials = set(), set()
        self.messages, self.secrets, self.hidden, self.systems = [], [], [], []

    def application(self, name: str, category: str):
        self.applications.add((name, category))

    def credential(self, protocol: str, user: str, secret: str):
        self.credentials.add((protocol, user))
        self.secrets.append(secret)

    @contextlib.contextmanager
    def message(self, sender: str, receiver: str, text: str, legs: int = 2):
        """Around the saying and the hearing of one message."""
        sent = now_us()
        yield text
        self.messages.append(Message(sent, now_us(), legs, sender, receiver, text))

    def write(self, path: pathlib.Path):
        rows = [("made", self.made)] if self.made else []
        rows += [("application", *each) for each in sorted(self.applications)]
        rows += [("credential", *each) for each in sorted(self.credentials)]
        rows += [("secret", each) for each in dict.fromkeys(self.secrets)]
        rows += [("hidden", each) for each in self.hidden]
        rows += [("system", each) for each in self.systems]
        rows += [("message", m.sent_us, m.received_us, m.legs, m.sender, m.receiver, m.text) for m in self.messages]
        path.write_text("".join("\t".join(_escaped(str(field)) for field in row) + "\n" for row in rows), encoding="utf-8")

    @classmethod
    def read(cls, path: pathlib.Path):
        truth = cls()
        for line in path.read_text(encoding="utf-8").split("\n"):
            kind, *fields = (_unescaped(field) for field in line.split("\t"))
            if kind == "made":
                truth.made = fields[0]
            elif kind == "application":
                truth.applications.add(tuple(fields))
            elif kind == "credential":
                truth.credentials.add(tuple(fields))
            elif kind == "secret":
                truth.secrets.append(fields[0])
            elif kind == "hidden":
                truth.hidden.append(fields[0])
            elif kind == "system":
                truth.systems.append(fields[0])
            elif kind == "message":
                truth.messages.append(Message(*map(int, fields[:3]), *fields[3:]))
            elif kind:
                raise ValueError(f"{path}: {kind}?")
        return truth


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def _unescaped(text: str) -> str:
    return "\\".join(part.replace("\\t", "\t").replace("\\n", "\n") for part in text.split("\\\\"))
