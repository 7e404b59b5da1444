"""The kernel's figures of a connection: recorded, made up field by field, and real."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.support.kernel import made_up
from tusd_py.network.tcpinfo import TcpInfo, parse_tcp_info, read_tcp_info

# As Linux gave it for a connection over loopback that had sent 3,000,000 bytes and received 100.
RECORDED = bytes.fromhex(
    "010000000007aa00e01c0300409c0000cbff0000180200000000000000000000000000000000000000000000"
    "08000000000000000800000008000000ffff0000d7ff00005900000052000000080000001e000000cbff0000"
    "4000000000000000d7ff000000000000b4cd9d2604000000ffffffffffffffffc1c62d000000000064000000"
    "000000004400000025000000000000000b0000000100000041000000b35bac0e00000000a00f000000000000"
    "a00f00000000000000000000000000004200000000000000c0c62d00000000000000000000000000"
)


@pytest.fixture
def connection() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    with closing(client), closing(server):
        yield client, server


def test_a_recorded_answer_is_read() -> None:
    assert TcpInfo(
        rtt=89e-6,
        rtt_variance=82e-6,
        least_rtt=11e-6,
        receive_rtt=None,
        retransmissions=0,
        segments_sent=68,
        bytes_sent=3_000_000,
        bytes_resent=0,
        bytes_acknowledged=3_000_001,
        bytes_received=100,
        delivery_rate=246_176_691,
    ) == parse_tcp_info(RECORDED)


def test_every_field_is_found_where_the_header_has_it() -> None:
    assert TcpInfo(
        rtt=0.001,
        rtt_variance=0.002,
        least_rtt=0.003,
        receive_rtt=0.004,
        retransmissions=5,
        segments_sent=6,
        bytes_sent=7,
        bytes_resent=8,
        bytes_acknowledged=9,
        bytes_received=10,
        delivery_rate=11,
    ) == parse_tcp_info(
        made_up(
            rtt=1000,
            rttvar=2000,
            min_rtt=3000,
            rcv_rtt=4000,
            total_retrans=5,
            segs_out=6,
            bytes_sent=7,
            bytes_retrans=8,
            bytes_acked=9,
            bytes_received=10,
            delivery_rate=11,
        )
    )


def test_what_an_older_kernel_does_not_know_is_none() -> None:
    info = parse_tcp_info(made_up(rtt=1000, rttvar=2000, total_retrans=5, segs_out=6)[:104])
    assert info is not None
    assert (0.001, 5) == (info.rtt, info.retransmissions)
    assert (None, None, None, None) == (
        info.segments_sent,
        info.bytes_received,
        info.delivery_rate,
        info.least_rtt,
    )


def test_what_was_not_measured_is_none() -> None:
    info = parse_tcp_info(made_up(rttvar=250_000, min_rtt=2**32 - 1))
    assert info is not None
    assert [None] * 5 == [
        info.rtt,
        info.rtt_variance,
        info.least_rtt,
        info.receive_rtt,
        info.delivery_rate,
    ]


def test_too_few_bytes_are_no_answer() -> None:
    assert [None, None] == [parse_tcp_info(b""), parse_tcp_info(bytes(103))]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says")
def test_a_real_connection_counts_what_it_moved(
    connection: tuple[socket.socket, socket.socket],
) -> None:
    client, server = connection
    client.sendall(bytes(10_000))
    received = 0
    while received < 10_000:
        received += len(server.recv(65536))
    sent, got = read_tcp_info(client), read_tcp_info(server)
    assert sent is not None
    assert got is not None
    assert (10_000, 10_000) == (sent.bytes_sent, got.bytes_received)
    assert sent.rtt is not None
    assert 0 < sent.rtt < 1


def test_a_socket_that_is_none_of_tcp_says_nothing() -> None:
    here, there = socket.socketpair()
    with closing(here), closing(there):
        assert read_tcp_info(here) is None
