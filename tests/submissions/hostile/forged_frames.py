import json
import os
import pickle
import struct


def frame(header, body=b"", sizes=None):
    lengths = sizes or (len(header), len(body))
    return struct.pack("<4sII", b"VAEC", *lengths) + header + body


class Run:
    def __reduce__(self):
        return os.system, ("touch /tmp/hostile-marker",)


huge = json.dumps([[["float64", [99_999, 99_999, 999]]], ["tuple", "value", ["array"]]]).encode()
deep = b"[[], " + b'["tuple", ' * 900 + b"1" + b"]" * 900 + b"]"
frames = [
    frame(b'[[], ["tuple", "ready"]]'),
    frame(b'[[], ["tuple", "value", true]]') * 50,
    frame(pickle.dumps(Run())),
    frame(huge),
    frame(deep),
    frame(b"{}", sizes=(4_000_000_000, 4_000_000_000)),
    b"\x80\x04 not a frame" * 1000,
]
for number in range(3, 256):
    try:
        os.fstat(number)
        for one in frames:
            os.write(number, one)
    except OSError:
        pass
