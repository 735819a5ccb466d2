"""`dnspython` and a responder in a thread: 1,000 queries over UDP, 200 over TCP, one truncated, and one without an answer."""

import contextlib
import socket
import threading

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.resolver
import dns.rrset
from stopwatch import stopwatch


def answer_to(wire, cut=False):
    question = dns.message.from_wire(wire)
    name = question.question[0].name
    if name.labels[0] == b"silence":
        return None
    answer = dns.message.make_response(question)
    if cut and name.labels[0] == b"long":
        answer.flags |= dns.flags.TC
    else:
        count = 100 if name.labels[0] == b"long" else 2
        answer.answer.append(dns.rrset.from_text(name, 60, "IN", "A", *(f"10.0.0.{number}" for number in range(1, count + 1))))
    return answer.to_wire()


def over_udp(sock):
    while True:
        wire, address = sock.recvfrom(4096)
        if wire == b"end":
            return
        if (answer := answer_to(wire, cut=True)) is not None:
            sock.sendto(answer, address)


def over_tcp(listener):
    while True:
        connection, _ = listener.accept()
        with connection, connection.makefile("rwb") as file:
            while size := file.read(2):
                answer = answer_to(file.read(int.from_bytes(size, "big")))
                file.write(len(answer).to_bytes(2, "big") + answer)
                file.flush()
            if not connection.recv(1, socket.MSG_DONTWAIT) and ended.is_set():
                return


ended = threading.Event()


def both_on_one_port():
    for _ in range(100):
        udp = socket.socket(type=socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        try:
            return udp, socket.create_server(udp.getsockname())
        except OSError:
            udp.close()
    raise OSError("no port that is free for both")


def main():
    udp, tcp = both_on_one_port()
    with udp, tcp:
        threads = [threading.Thread(target=over_udp, args=(udp,)), threading.Thread(target=over_tcp, args=(tcp,))]
        for thread in threads:
            thread.start()
        where = {"where": "127.0.0.1", "port": udp.getsockname()[1], "timeout": 10}
        try:
            ask(where)
        finally:
            ended.set()
            with contextlib.closing(socket.socket(type=socket.SOCK_DGRAM)) as last:
                last.sendto(b"end", udp.getsockname())
            socket.create_connection(tcp.getsockname()).close()
            for thread in threads:
                thread.join()


def ask(where):
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = [where["where"]], where["port"]
    found = 0
    for number in range(1000):
        answer = dns.query.udp(dns.message.make_query(f"host-{number}.test.", "A"), **where)
        found += len(answer.answer[0])
    print(found, sorted(each.address for each in resolver.resolve("name.test.", "A")))
    with socket.create_connection((where["where"], where["port"])) as connection:
        connection.setblocking(False)
        for number in range(200):
            found += len(dns.query.tcp(dns.message.make_query(f"host-{number}.test.", "A"), **where, sock=connection).answer[0])
    print(found)
    answer, by_tcp = dns.query.udp_with_fallback(dns.message.make_query("long.test.", "A"), **where)
    print(by_tcp, len(answer.answer[0]))
    try:
        dns.query.udp(dns.message.make_query("silence.test.", "A"), **where | {"timeout": 0.1})
    except dns.exception.Timeout as error:
        print(type(error).__name__)


with stopwatch():
    main()
