# says: was still running when its time was up
while True:
    print("x" * 100_000)
