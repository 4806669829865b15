#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/tcpconnect.bt, tcplife.bt and tcpretrans.bt against sessions of this process over
loopback, of which ports, bytes and segments sent again are known."""

import ctypes
import os
import socket
import struct
import threading
import time
import unittest

import support

KIB = 1024
SO_ATTACH_FILTER = 26
TCP_INFO = 11
TOTAL_RETRANS = 100  # where tcpi_total_retrans lies in struct tcp_info


def tool(name, *options):
    return support.Tracer(os.path.join(support.SCRIPTS, f"{name}.bt"), "--", *options)


def rows(out):
    """The words of each line but the heading."""
    return [line.split() for line in out.splitlines()[1:] if line.strip()]


def listener(address="127.0.0.1"):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    server = socket.socket(family, socket.SOCK_STREAM)
    server.bind((address, 0))
    server.listen()
    return server


def drop_all(sock):
    """What arrives for the socket is lost: a classic BPF filter that returns 0."""
    code = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0))
    program = struct.pack("HP", 1, ctypes.addressof(code))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


def sent_again(sock):
    """The kernel's own count."""
    info = sock.getsockopt(socket.IPPROTO_TCP, TCP_INFO, 256)
    return struct.unpack_from("I", info, TOTAL_RETRANS)[0]


def receive_all(sock):
    got = 0
    while True:
        piece = sock.recv(65536)
        if not piece:
            return got
        got += len(piece)


def session(address, up, down):
    """The client sends @up bytes and closes its half, the server then @down; both ports."""
    with listener(address) as server:
        def serve():
            peer, _ = server.accept()
            with peer:
                receive_all(peer)
                peer.sendall(b"d" * down)

        thread = threading.Thread(target=serve)
        thread.start()
        with socket.create_connection(server.getsockname()[:2]) as client:
            ports = client.getsockname()[1], server.getsockname()[1]
            client.sendall(b"u" * up)
            client.shutdown(socket.SHUT_WR)
            receive_all(client)
        thread.join()
    return ports


def refused():
    """Connects to a port where nobody listens; that port."""
    with listener() as server:
        port = server.getsockname()[1]
    with socket.socket() as client:
        try:
            client.connect(("127.0.0.1", port))
        except ConnectionRefusedError:
            return port
    raise RuntimeError("somebody listens there")


class TcpConnect(unittest.TestCase):
    def test_each_connection_with_both_ends(self):
        me = os.getpid()
        with tool("tcpconnect", f"--pid={me}", "--lport") as tracer:
            v4 = [session("127.0.0.1", 1, 1) for _ in range(3)]
            v6 = session("::1", 1, 1)
            nobody = refused()
        got = [(int(r[0]), *r[-5:]) for r in rows(tracer.out)]
        want = [(me, "4", "127.0.0.1", str(c), "127.0.0.1", str(s)) for c, s in v4]
        want.append((me, "6", "::1", str(v6[0]), "::1", str(v6[1])))
        self.assertEqual(got[:4], want, tracer.out)
        self.assertEqual([(r[1], r[2], r[4], r[5]) for r in got[4:]],
                         [("4", "127.0.0.1", "127.0.0.1", str(nobody))])
        self.assertGreater(int(got[4][3]), 0)

    def test_columns_and_filters(self):
        with tool("tcpconnect", "--timestamp", "--print-uid", "--ipv6") as tracer:
            session("127.0.0.1", 1, 1)
            ports = session("::1", 1, 1)
        self.assertEqual(tracer.out.split("\n", 1)[0].split(),
                         "TIME(s) UID PID COMM IP SADDR DADDR DPORT".split())
        mine = [r for r in rows(tracer.out) if int(r[2]) == os.getpid()]
        self.assertEqual([(r[1], *r[-4:]) for r in mine],
                         [("0", "6", "::1", "::1", str(ports[1]))])

    def test_counts_by_addresses_and_port(self):
        with listener() as server, listener("::1") as server6:
            with tool("tcpconnect", f"--pid={os.getpid()}", "-c") as tracer:
                for _ in range(5):
                    socket.create_connection(server.getsockname()).close()
                for _ in range(3):
                    socket.create_connection(server6.getsockname()[:2]).close()
            ports = [str(x.getsockname()[1]) for x in (server, server6)]
        self.assertEqual(rows(tracer.out)[1:], [["127.0.0.1", "127.0.0.1", ports[0], "5"],
                                                ["::1", "::1", ports[1], "3"]])

    @support.same_everywhere
    def test_port_of_the_other_end(self):
        with listener() as server:
            port = server.getsockname()[1]
            with tool("tcpconnect", f"--port={port}") as tracer:
                session("127.0.0.1", 1, 1)
                socket.create_connection(server.getsockname()).close()
        self.assertEqual([r[-1] for r in rows(tracer.out)], [str(port)])


class TcpLife(unittest.TestCase):
    def test_both_ends_of_a_session(self):
        me = os.getpid()
        with tool("tcplife", f"--pid={me}") as tracer:
            begin = time.monotonic()
            client, server = session("127.0.0.1", 300 * KIB, 40 * KIB)
            took = (time.monotonic() - begin) * 1000
            time.sleep(0.2)
        self.assertEqual(tracer.out.split("\n", 1)[0].split(),
                         "PID COMM LADDR LPORT RADDR RPORT TX_KB RX_KB MS".split())
        got = {tuple(r[-7:-1]) for r in rows(tracer.out)}
        self.assertEqual(got, {
            ("127.0.0.1", str(client), "127.0.0.1", str(server), "300", "40"),
            ("127.0.0.1", str(server), "127.0.0.1", str(client), "40", "300")}, tracer.out)
        for row in rows(tracer.out):
            self.assertEqual(int(row[0]), me)
            self.assertGreater(float(row[-1]), 0)
            self.assertLess(float(row[-1]), took + 200)

    def test_ipv6_with_commas(self):
        with tool("tcplife", f"--pid={os.getpid()}", "--csv", "--ipv6", "--time") as tracer:
            session("127.0.0.1", 1, 1)
            client, server = session("::1", 2 * KIB, 0)
            time.sleep(0.2)
        lines = tracer.out.splitlines()
        self.assertEqual(lines[0], "TIME,PID,COMM,IP,LADDR,LPORT,RADDR,RPORT,TX_KB,RX_KB,MS")
        got = {tuple(line.split(",")[3:10]) for line in lines[1:] if line}
        self.assertEqual(got, {("6", "::1", str(client), "::1", str(server), "2", "0"),
                               ("6", "::1", str(server), "::1", str(client), "0", "2")})

    def test_a_session_that_began_before_is_not_shown(self):
        with listener() as server:
            early = socket.create_connection(server.getsockname())
            peer, _ = server.accept()
            with tool("tcplife", f"--localport={early.getsockname()[1]}") as tracer:
                early.close()
                peer.close()
        self.assertEqual(rows(tracer.out), [])


class TcpRetrans(unittest.TestCase):
    def check(self, out, ports, count, state):
        laddr, raddr = (f"127.0.0.1:{port}" for port in ports)
        mine = [r for r in rows(out) if r[3] == laddr and r[5] == raddr]
        self.assertEqual(len(mine), count, out)
        for row in mine:
            self.assertEqual((row[2], row[4], row[6]), ("4", "R>", state))
        return mine

    @staticmethod
    def wait_for(client, least):
        """Until at least so many were sent again; how many that are. The time between them
        doubles: no more are sent while this looks."""
        while sent_again(client) < least:
            time.sleep(0.02)
        time.sleep(0.1)
        return sent_again(client)

    def test_data_that_is_lost(self):
        with listener() as server, tool("tcpretrans", "--sequence") as tracer:
            client = socket.create_connection(server.getsockname())
            peer, _ = server.accept()
            drop_all(peer)
            client.sendall(b"never arrives")
            ports = client.getsockname()[1], server.getsockname()[1]
            count = self.wait_for(client, 3)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
            peer.close()
        mine = self.check(tracer.out, ports, count, "ESTABLISHED")
        self.assertEqual(len({row[7] for row in mine}), 1)  # the one segment

    def test_a_connection_that_nobody_answers(self):
        with listener() as server, socket.socket() as client:
            drop_all(server)
            client.bind(("127.0.0.1", 0))
            client.setblocking(False)
            ports = client.getsockname()[1], server.getsockname()[1]
            with tool("tcpretrans", "--ipv4") as tracer, tool("tcpretrans", "-c") as counter:
                client.connect_ex(server.getsockname())
                count = self.wait_for(client, 1)
        self.check(tracer.out, ports, count, "SYN_SENT")
        flow = [f"127.0.0.1:{ports[0]}", "<->", f"127.0.0.1:{ports[1]}", str(count)]
        self.assertIn(flow, rows(counter.out))

    def test_a_tail_loss_probe(self):
        support.require_probes("kprobe:tcp_send_loss_probe")
        with listener() as server, tool("tcpretrans", "--lossprobe") as tracer:
            client = socket.create_connection(server.getsockname())
            peer, _ = server.accept()
            client.sendall(b"a")
            time.sleep(0.5)  # acknowledged, so that the round trip is known
            drop_all(peer)
            client.sendall(b"b")
            self.wait_for(client, 1)
            port = client.getsockname()[1]
            client.close()
            peer.close()
        mine = [r[4] for r in rows(tracer.out) if r[3] == f"127.0.0.1:{port}"]
        self.assertIn("L>", mine, tracer.out)


if __name__ == "__main__":
    support.main()
