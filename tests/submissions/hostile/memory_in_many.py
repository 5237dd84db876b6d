# says: of memory
import os
import time

for _ in range(20):
    if os.fork() == 0:
        held = []
        try:
            while True:
                held.append(bytearray(b"x" * 10_000_000))
        except MemoryError:
            time.sleep(600)
time.sleep(600)
