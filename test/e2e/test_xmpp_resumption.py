"""XEP-0198 through the gateway: positions stay right when something is dropped or injected around r, a and resume."""
import asyncio

import pytest

from clients.xmpp import ping
from test_xmpp import mark, one, signed_in


def resumed(client):
    return [m for m in client.messages if isinstance(m, tuple) and m[0] == "session_resumed"]


async def cut_and_resume(client, already=0):
    client.cut()
    await client.until(lambda: len([f for f in client.failures if isinstance(f, tuple) and f[0] == "disconnected"]) > already, "the cut")
    client.dial()
    await client.until(lambda: len(resumed(client)) > already, "resumption")


async def settle(client):
    """Asks for an acknowledgement and awaits that nothing is unacknowledged."""
    client.plugin["xep_0198"].request_ack()
    await client.until(lambda: not client.plugin["xep_0198"].unacked_queue, "acknowledgement of all")


def test_a_session_resumes_after_a_cut_and_nothing_is_lost_or_doubled(xmpp_gateway):
    text = mark("resume")

    async def scenario():
        async with signed_in(xmpp_gateway, "alice", "bob") as (alice, bob):
            alice.say("bob@im.test", text + " 1")
            await bob.until_text(text + " 1")
            await cut_and_resume(alice)
            alice.say("bob@im.test", text + " 2")
            bob.say("alice@im.test/one", text + " 3")
            await bob.until_text(text + " 2")
            await alice.until_text(text + " 3")
            await settle(alice)
            await ping(bob)
            for client, said in ((bob, " 1"), (bob, " 2"), (alice, " 3")):
                assert client.texts().count(text + said) == 1
    asyncio.run(scenario())
    for said in (" 1", " 2", " 3"):
        record = one(xmpp_gateway.said(text + said), text + said)
        assert len(xmpp_gateway.deliveries_of(record)) == 1
    sessions = {r["session"] for r in xmpp_gateway.records() if r["kind"] == "message" and r["text"] in (text + " 1", text + " 2")}
    assert len(sessions) == 1, "a resumed session is the same session"


@pytest.mark.parametrize("when", ["before", "after"])
def test_refused_messages_around_a_cut_are_acknowledged_and_never_sent_again(xmpp_gateway, when):
    text = mark("refuse-me-now")

    async def scenario():
        async with signed_in(xmpp_gateway, "alice", "bob") as (alice, bob):
            alice.say("bob@im.test", text + " a refused one")
            alice.say("bob@im.test", text.replace("refuse-me-now", "kept") + " 1")
            await bob.until_text(text.replace("refuse-me-now", "kept") + " 1")
            if when == "before":
                await settle(alice)
            await cut_and_resume(alice)
            alice.say("bob@im.test", text + " another refused one")
            alice.say("bob@im.test", text.replace("refuse-me-now", "kept") + " 2")
            await bob.until_text(text.replace("refuse-me-now", "kept") + " 2")
            await settle(alice)
            await ping(bob)
            kept = [t for t in bob.texts() if "kept" in t]
            assert len(kept) == len(set(kept)) == 2
            assert not [t for t in bob.texts() if "refuse-me-now" in t]
    asyncio.run(scenario())
    for said in (" a refused one", " another refused one"):
        assert one(xmpp_gateway.said(text + said), said)["verdict"] == "refuse"


def test_what_was_in_flight_at_the_cut_arrives_once_and_is_recorded_once(xmpp_gateway):
    text = mark("in flight")

    async def scenario():
        async with signed_in(xmpp_gateway, "alice", "bob") as (alice, bob):
            await settle(bob)
            for i in range(20):
                alice.say("bob@im.test", f"{text} {i}")
            bob.cut()
            await ping(alice)
            await bob.until(lambda: any(isinstance(f, tuple) and f[0] == "disconnected" for f in bob.failures), "the cut")
            bob.dial()
            await bob.until_text(f"{text} 19")
            await settle(bob)
            seen = [t for t in bob.texts() if t.startswith(text)]
            assert seen == [f"{text} {i}" for i in range(20)], seen
    asyncio.run(scenario())
    for i in range(20):
        one(xmpp_gateway.said(f"{text} {i}"), i)
