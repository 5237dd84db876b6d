# says: MemoryError
held = []
while True:
    held.append(bytearray(100_000_000))
