"""What the kernel would say of a connection, made up."""

from __future__ import annotations

import struct


def made_up(**fields: int) -> bytes:
    """A struct of all fields, in the order of the header."""
    words = dict.fromkeys(
        [
            "rto",
            "ato",
            "snd_mss",
            "rcv_mss",
            "unacked",
            "sacked",
            "lost",
            "retrans",
            "fackets",
            "last_data_sent",
            "last_ack_sent",
            "last_data_recv",
            "last_ack_recv",
            "pmtu",
            "rcv_ssthresh",
            "rtt",
            "rttvar",
            "snd_ssthresh",
            "snd_cwnd",
            "advmss",
            "reordering",
            "rcv_rtt",
            "rcv_space",
            "total_retrans",
        ],
        0,
    )
    rates = dict.fromkeys(["pacing_rate", "max_pacing_rate", "bytes_acked", "bytes_received"], 0)
    segments = dict.fromkeys(
        ["segs_out", "segs_in", "notsent_bytes", "min_rtt", "data_segs_in", "data_segs_out"], 0
    )
    times = dict.fromkeys(["delivery_rate", "busy_time", "rwnd_limited", "sndbuf_limited"], 0)
    delivered = dict.fromkeys(["delivered", "delivered_ce"], 0)
    resent = dict.fromkeys(["bytes_sent", "bytes_retrans"], 0)
    groups = (words, rates, segments, times, delivered, resent)
    packed = bytes(8)
    for group, code in zip(groups, "IQIQIQ", strict=True):
        group.update({name: value for name, value in fields.items() if name in group})
        packed += struct.pack(f"={len(group)}{code}", *group.values())
    return packed
