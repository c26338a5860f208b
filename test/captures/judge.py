"""Compares what `chancery detect --json` says of a capture with its truth. `faults` is empty when all agree."""
import datetime

NAMED = {"im", "p2p", "voip", "web-im"}  # categories that must be right; "other" is what carries them
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def microseconds(text: str) -> int:
    return (datetime.datetime.fromisoformat(text.replace("Z", "+00:00")) - EPOCH) // datetime.timedelta(microseconds=1)


def party(name: str) -> str:
    return name.casefold()


def parties(names: str) -> set:
    return {party(each) for each in names.split(",")}


def faults(truth, answer: dict, output: str) -> list:
    """`output` is everything that the program wrote."""
    said = {(each["name"], each["category"]) for each in answer["applications"] if each["category"] in NAMED}
    found = [f"not named: {each}" for each in sorted(truth.applications - said)]
    found += [f"named, and not there: {each}" for each in sorted(said - truth.applications)]
    alerts = {(each["protocol"], party(each["user"])) for each in answer["credentials"]}
    known = {(protocol, party(user)) for protocol, user in truth.credentials}
    found += [f"no alert: {each}" for each in sorted(known - alerts)]
    found += [f"an alert too many: {each}" for each in sorted(alerts - known)]
    found += [f"in the output: {each!r}" for each in truth.secrets + truth.hidden if each in output]
    return found + message_faults(truth, answer["messages"])


def fits(wanted, row) -> bool:
    """The first leg of a message. A name that the wire does not say is empty in the row, and in the truth."""
    return row["text"] == wanted.text and party(row["from"]) == party(wanted.sender) and parties(row["to"]) == parties(wanted.receiver) \
        and wanted.sent_us <= microseconds(row["time"]) <= wanted.received_us


def message_faults(truth, rows) -> list:
    copies = [0] * len(rows)
    for number, row in enumerate(rows):
        if row["copy_of"] is not None:
            copies[row["copy_of"]] += 1
            if rows[row["copy_of"]]["text"] != row["text"]:
                return [f"message {number} is a copy of another text"]
    found, left = [], [number for number, row in enumerate(rows) if row["copy_of"] is None]
    for each in truth.messages:
        number = next((number for number in left if fits(each, rows[number])), None)
        if number is None:
            found.append(f"not read: {each}")
            continue
        left.remove(number)
        if copies[number] != each.legs - 1:
            found.append(f"{copies[number]} copies instead of {each.legs - 1}: {each}")
    return found + [f"invented: {rows[number]}" for number in left if rows[number]["from"] not in truth.systems]
