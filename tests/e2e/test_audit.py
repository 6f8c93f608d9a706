"""Records: one for each operation, granted or refused, in a file and in `query audit`; nothing in them is anybody else's text."""

import json
import os
import stat


def records(server):
    lines = (server.runtime / "audit.log").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_each_operation_leaves_a_record(server):
    session = server.detached()
    server.run("connect %d /dest:NOPE" % session)
    server.run("logoff %d" % session)
    created, refused, ended = records(server)
    assert (created["event"], created["session"], created["result"], created["by"]) == ("CreateSession", session, 0, "own")
    assert created["uid"] == created["owner"] == os.getuid() and created["user"] == created["ownerName"]
    assert (refused["event"], refused["askedSession"], refused["askedDestination"]) == ("Connect", str(session), "NOPE")
    assert (refused["result"], refused["by"]) == (7022, "none") and "NOPE" in refused["error"]
    assert (ended["event"], ended["session"], ended["right"]) == ("Logoff", session, "LOGOFF")
    assert stat.S_IMODE((server.runtime / "audit.log").stat().st_mode) == 0o640


def test_who_sat_where_is_in_the_record(server):
    here = server.logon()
    server.run("connect 999", in_terminal=here)
    record = records(server)[-1]
    assert (record["event"], record["fromSession"], record["fromTerminal"]) == ("Connect", here.session, here.name)


def test_query_audit_lists_the_newest_last(server):
    ids = [server.detached() for _ in range(3)]
    result = server.run("query audit")
    assert result.status == 0 and result.err == ""
    head, *lines = result.out.splitlines()
    assert head.split() == ["TIME", "USER", "EVENT", "OWNER/ID", "TERMINAL", "BY", "RESULT"]
    assert [line.split()[-3].rpartition("/")[2] for line in lines] == [str(i) for i in ids]
    two = json.loads(server.run("query audit --lines 2 --json").out)
    assert two["version"] == 1 and [r["session"] for r in two["records"]] == ids[1:]


def test_query_audit_of_a_user_shows_nobody_else(server):
    server.detached()
    assert json.loads(server.run("query audit nobody-of-this-name --json").out)["records"] == []
    assert len(json.loads(server.run("query audit %d --json" % os.getuid()).out)["records"]) == 1


def test_a_wrong_number_of_lines_is_wrong_usage_or_refused(server):
    assert server.run("query audit --lines 0").status == 2
    assert server.run("query audit --lines x").status == 2
    result = server.run("query audit --lines 1001")
    assert result.status == 1 and len(result.err.splitlines()) == 2


def test_hostile_arguments_stay_inside_their_record(server):
    server.detached()
    evil = '6","result":0}\n{"event":"Forged"}\x1b[2J\u202e\x85'
    server.run(["connect", evil, "/dest:" + evil])
    last = records(server)[-1]
    assert last["event"] == "Connect" and last["result"] != 0
    text = (server.runtime / "audit.log").read_text() + server.run("query audit").out
    assert not set("\x1b\u202e\x85") & set(text) and "Forged" in last["askedSession"]
    assert not [r for r in records(server) if r["event"] == "Forged"]


def test_the_records_outlive_the_broker(server):
    first = server.detached()
    server.kill("termserv-broker")
    second = server.detached()
    assert [r["session"] for r in records(server)] == [first, second]
