"""The order of the calls, their rows, and what is folded."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oxisocket._seeing.conversation import Conversation
from oxisocket._seeing.layout import arrange
from oxisocket._seeing.plan import Plan, plan
from talks import MS, SECOND, US, Talk, connect, crowd, echo, hostile, listen, pair, tutorial


def planned(conversation: Conversation, share: bool = True) -> Plan:
    return plan(arrange(conversation), share, {lane.index for lane in conversation.lanes})


def rows_of(conversation: Conversation, share: bool = True) -> dict[tuple[str, str], tuple[int, int]]:
    """The rows of each call that came once, by program and name."""
    steps = conversation.steps
    items = planned(conversation, share).items
    return {(steps[item.calls[0]].lane.program, steps[item.calls[0]].call.call): (item.row, item.last) for item in items}


def test_an_arrow_is_level_where_it_can_be() -> None:
    rows = rows_of(tutorial())
    assert rows["client.py", "connect"][0] == rows["server.py", "accept"][1]
    apart = rows_of(tutorial(), share=False)
    assert apart["client.py", "connect"][0] + 1 == apart["server.py", "accept"][1]


def test_a_call_that_waits_has_a_row_for_its_beginning_and_one_for_its_end() -> None:
    rows = rows_of(tutorial())
    began, ended = rows["server.py", "accept"]
    assert began < rows["client.py", "socket"][0] < ended
    assert rows["server.py", "bind"][0] == rows["server.py", "bind"][1]


def test_nothing_is_received_before_it_was_sent_though_the_clocks_disagree() -> None:
    talk = Talk()
    server, client = talk.program("server.py"), talk.program("client.py")
    listening = listen(talk, server)
    talk.now[client.index] += 5 * SECOND
    connection, made, accepted = connect(talk, client, server, listening)
    question = talk.send(client, b"question", made, connection)
    talk.recv(server, b"question", question, accepted, connection)
    for step in talk.talk.steps:
        if step.lane is client:
            step.call.t += SECOND
    items = planned(talk.done()).items
    row = {(talk.talk.steps[item.calls[0]].lane.program, talk.talk.steps[item.calls[0]].call.call): item for item in items}
    assert row["client.py", "connect"].row <= row["server.py", "accept"].last
    assert row["client.py", "send"].row <= row["server.py", "recv"].last
    times = [item.row for item in items if item.lane == client.index]
    assert times == sorted(times)


def test_arrows_in_a_circle_end_all_the_same() -> None:
    talk = Talk()
    one, other = talk.program("one"), talk.program("other")
    steps = [(talk.call(lane, "recv"), talk.call(lane, "send")) for lane in (one, other)]
    talk.arrow(steps[0][1], steps[1][0])
    talk.arrow(steps[1][1], steps[0][0])
    assert len(planned(talk.done()).items) == 4


@st.composite
def talks(draw: st.DrawFn) -> Conversation:
    """Programs that send to each other at any time, and some things that cannot be."""
    talk = Talk()
    lanes = [talk.program(f"{each}.py") for each in range(draw(st.integers(1, 4)))]
    connections = [talk.connection(None, None, str(each)) for each in range(3)]
    for _ in range(draw(st.integers(0, 40))):
        lane = draw(st.sampled_from(lanes))
        talk.call(
            lane,
            draw(st.sampled_from(["send", "recv"])),
            connection=draw(st.sampled_from([None, *connections])),
            pause=draw(st.sampled_from([0, 0, US, MS])),
            took=draw(st.sampled_from([0, US, MS])),
            waited=draw(st.sampled_from([0, US, MS])),
        )
    conversation = talk.done()
    if conversation.steps:
        for source, target in draw(st.lists(st.tuples(*[st.sampled_from(conversation.steps)] * 2), max_size=20)):
            talk.arrow(source, target, last=draw(st.integers(0, 9)))
    return conversation


@settings(max_examples=150, deadline=None)
@given(talks(), st.booleans())
def test_each_call_is_drawn_once_and_lanes_go_down(conversation: Conversation, share: bool) -> None:
    layout = arrange(conversation)
    assert sorted(layout.order) == sorted((step.index, is_end) for step in conversation.steps for is_end in (False, True))
    it = plan(layout, share, {lane.index for lane in conversation.lanes})
    assert sorted(call for item in it.items for call in item.calls) == list(range(len(conversation.steps)))
    assert all(0 <= item.row <= item.last < len(it.times) for item in it.items)
    taken = [(item.lane, row) for item in it.items for row in {item.row, item.last}]
    assert len(set(taken)) == len(taken), "two calls of a lane are in one row"
    for lane in conversation.lanes:
        items = sorted((item for item in it.items if item.lane == lane.index and not item.fold), key=lambda item: item.calls)
        places = [row for item in items for row in (item.row, item.last)]
        assert places == sorted(places)


def test_what_repeats_is_folded_in_both_lanes_and_joined_by_one_arrow() -> None:
    it = planned(echo(500))
    folds = [item for item in it.items if item.fold]
    assert [item.fold.text() for item in folds if item.fold] == ["499 times more: send, recv", "499 times more: recv, send"]
    assert folds[0].row == folds[1].row
    (link,) = (link for link in it.links if {link.source, link.target} == {it.items.index(each) for each in folds})
    assert link.back is not None
    assert (link.count, link.bytes) == (link.back.count, link.back.bytes) == (499, 499 * 64)


def test_folds_of_a_stream_stand_side_by_side() -> None:
    """Though one program began to receive before the other began to send what is folded."""
    talk = Talk()
    server, client = talk.program("server.py"), talk.program("client.py")
    listening = listen(talk, server)
    connection, made, accepted = connect(talk, client, server, listening)
    for turn in range(40):
        sent = talk.send(client, b"z" * 90, made, connection, took=30 * US)
        for half in range(3):
            talk.recv(server, b"z" * 30, sent, accepted, connection, 90 * turn + 30 * half)
    end = talk.closing(client, made, connection)
    talk.arrow(end, talk.call(server, "recv", "30", "b''", accepted, connection, until=end.ended + US, eof=True), "end")
    it = planned(talk.done())
    folds = [item for item in it.items if item.fold]
    assert sorted(item.fold.text() for item in folds if item.fold) == ["119 times more: recv", "39 times more: send"]
    assert folds[0].row == folds[1].row


def test_an_error_is_never_folded_among_calls_that_went_well() -> None:
    it = planned(echo(500))
    layout = arrange(echo(500))
    assert sum(layout.entries[call].sign == "error" for item in it.items if not item.fold for call in item.calls) == 1


@pytest.mark.parametrize("threads", [False, True])
def test_connections_that_are_alike_are_folded_into_the_first(threads: bool) -> None:
    conversation = crowd(50, 3, threads)
    layout = arrange(conversation)
    assert layout.groups == [list(range(50))]
    assert set(layout.merged.values()) == ({1} if threads else set())
    assert len(layout.merged) == (49 if threads else 0)
    assert len(plan(layout, True, {0, 1}).times) < 30


def test_few_calls_are_all_shown() -> None:
    assert arrange(crowd(4, 1)).groups == []


def test_a_connection_that_goes_wrong_is_shown_by_itself() -> None:
    conversation = crowd(50, 3)
    wrong = next(
        step for step in conversation.steps if step.call.call == "recv" and step.connection is conversation.connections[7]
    )
    wrong.call.error = "ConnectionResetError: [Errno 104] Connection reset by peer"
    (group,) = arrange(conversation).groups
    assert len(group) == 49 and 7 not in group


def test_a_pair_is_made_by_a_call_of_its_connection() -> None:
    assert {entry.connection for entry in arrange(pair()).entries} == {0}


def test_the_signs() -> None:
    signs = {entry.call: (entry.sign, entry.outcome) for entry in arrange(echo(1)).entries}
    assert signs["close"] == ("unclosed", "by the garbage collector; opened at server.py:11")
    assert signs["send"] == ("error", "ConnectionResetError: Connection reset by peer")
    assert signs["recv"] == ("unfinished", "still waiting after 2 s")
    assert [entry.sign for entry in arrange(crowd(1, 1)).entries if entry.outcome == "would block"] == ["later"]


@pytest.mark.parametrize("columns", [1, 8, 20, 40, 200])
def test_the_texts_of_a_call_fit(columns: int) -> None:
    for conversation in tutorial(), echo(1), hostile():
        for entry in arrange(conversation).entries:
            call, outcome = entry.texts(columns)
            assert len(call) + len(outcome) + 3 * bool(outcome) <= max(columns, 8)
